import { webSocketDialler } from '../adapters/web-socket-line.ts';
import { systemClock as clock } from '../core/clock.ts';
import type { SeqRange } from '../core/entry.ts';
import type { AgentIdentity } from '../agent/greeting.ts';
import type { EntrySource } from '../agent/sender.ts';
import { TaskList } from '../agent/task-list.ts';
import { Uplink } from '../agent/uplink.ts';
import type { Lane } from '../protocol/messages.ts';

interface SimulatedAgentParts {
  readonly identity: AgentIdentity;
  readonly serverPin: string;
  /** How many results it has to tell, over all its tasks, once it has any; 0 for none. */
  readonly resultsPerSecond: number;
  /** A result is acknowledged, so long after it was made. */
  readonly onAcknowledged: (afterMs: number) => void;
}

const tickMs = 50;

/** An agent with the real uplink and the real order of things, whose results are made up and wait in memory: load for a server. */
export class SimulatedAgent {
  readonly uplink: Uplink;
  connections = 0;
  isConnected = false;
  readonly #tasks = new TaskList();
  readonly #results: MadeUpResults;
  readonly #resultsPerSecond: number;
  #madeUntilMs = clock.monotonic();
  #timer: NodeJS.Timeout | undefined;

  constructor({ identity, serverPin, resultsPerSecond, onAcknowledged }: SimulatedAgentParts) {
    this.#results = new MadeUpResults(onAcknowledged);
    this.#resultsPerSecond = resultsPerSecond;
    this.uplink = new Uplink({
      clock,
      dialler: webSocketDialler,
      identity,
      version: 'simulated',
      random: Math.random,
      source: this.#results,
      trust: () => ({ serverPin }),
      onWelcome: () => this.connections++,
      onTasks: (message) => this.#tasks.apply(message),
      onRunNow: () => ({ refusal: 'a simulated agent runs nothing' }),
      onSensors: () => {},
      onChainBegun: () => {},
      onChainUnknown: () => {},
      vitals: () => ({
        queue: { depth: this.waiting, bytes: 0, lastSeq: this.#results.lastSeq },
        health: { lagMs: 0, impaired: [] },
        tasks: this.tasks,
        chains: [],
        sensors: [],
      }),
      onLink: ({ state }) => (this.isConnected = state === 'connected'),
    });
  }

  get tasks(): number {
    return this.#tasks.tasks.length;
  }

  get made(): number {
    return this.#results.lastSeq;
  }

  /** Made, and not acknowledged yet. */
  get waiting(): number {
    return this.#results.waiting;
  }

  /** Results begin: as many a second as it was told, whether or not the server takes them. */
  begin(): void {
    const taskIds = this.#tasks.tasks.map(({ id, monitorId }) => resultHead(id, monitorId));
    this.#madeUntilMs = clock.monotonic();
    this.#timer = setInterval(() => this.#make(taskIds), tickMs);
  }

  /** No more results; what waits is still sent. */
  end(): void {
    clearInterval(this.#timer);
  }

  stop(): void {
    this.end();
    this.uplink.stop();
  }

  #make(heads: readonly string[]): void {
    const due = Math.floor(((clock.monotonic() - this.#madeUntilMs) * this.#resultsPerSecond) / 1000);
    if (due === 0 || heads.length === 0) return;
    this.#madeUntilMs += (due * 1000) / this.#resultsPerSecond;
    this.#results.add(due, heads);
    this.uplink.wake();
  }
}

/** An HTTP check's result up to its times, as JSON: nearly all of the work of making it up is done once. */
function resultHead(taskId: string, monitorId: string): string {
  return JSON.stringify({ kind: 'result', taskId, monitorId }).slice(0, -1);
}

const resultTails = Array.from({ length: 256 }, (_, index) => {
  const connectMs = 2 + ((index * 37) % 256) / 100;
  const [resolveMs, firstByteMs, transferMs] = [0.021, connectMs * 1.7, 0.317];
  const latencyMs = resolveMs + connectMs + firstByteMs + transferMs;
  const metrics = { resolveMs, connectMs, firstByteMs, transferMs, statusCode: 200, bytes: 1256 };
  const detail = { address: '192.0.2.7', httpVersion: '1.1' };
  const outcome = { status: 'up', latencyMs, metrics, detail, message: '200 OK' };
  return `,"durationMs":${latencyMs + 0.1},${JSON.stringify(outcome).slice(1)}`;
});

interface Waiting {
  readonly json: string;
  readonly madeMs: number;
}

/** What a spool gives to a sender, without a disk. */
class MadeUpResults implements EntrySource {
  readonly epoch = String(Date.now());
  lastSeq = 0;
  readonly #waiting = new Map<number, Waiting>();
  readonly #onAcknowledged: (afterMs: number) => void;
  /** The next to be read, and where the lane ends. */
  readonly #lanes = { backlog: { next: 1, end: 1 }, live: { next: 1, end: Infinity } };

  constructor(onAcknowledged: (afterMs: number) => void) {
    this.#onAcknowledged = onAcknowledged;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  add(count: number, heads: readonly string[]): void {
    const now = clock.now();
    const madeMs = clock.monotonic();
    for (let made = 0; made < count; made++) {
      const seq = ++this.lastSeq;
      const times = `,"scheduledAt":${now - 3},"startedAt":${now - 3}`;
      // Both lists are asked for an index that they have.
      const json = heads[seq % heads.length]! + times + resultTails[seq % resultTails.length]!;
      this.#waiting.set(seq, { json, madeMs });
    }
  }

  async reconcile(received: readonly SeqRange[]): Promise<undefined> {
    this.acknowledge(received);
  }

  async startSending(): Promise<void> {
    const [oldest = this.lastSeq + 1] = this.#waiting.keys();
    this.#lanes.backlog = { next: oldest, end: this.lastSeq + 1 };
    this.#lanes.live = { next: this.lastSeq + 1, end: Infinity };
  }

  async read(name: Lane, { maxBytes, maxCount }: { readonly maxBytes: number; readonly maxCount: number }) {
    const lane = this.#lanes[name];
    const read: { readonly seq: number; readonly json: string }[] = [];
    const end = Math.min(lane.end, this.lastSeq + 1);
    for (let bytes = 0; lane.next < end && read.length < maxCount; lane.next++) {
      const json = this.#waiting.get(lane.next)?.json;
      if (json === undefined) continue;
      bytes += json.length;
      if (bytes > maxBytes && read.length > 0) break;
      read.push({ seq: lane.next, json });
    }
    return read;
  }

  acknowledge(ranges: readonly SeqRange[]): void {
    const nowMs = clock.monotonic();
    const [oldest = 1] = this.#waiting.keys();
    for (const [from, to] of ranges) {
      for (let seq = Math.max(from, oldest); seq <= to; seq++) {
        const result = this.#waiting.get(seq);
        if (result === undefined) continue;
        this.#waiting.delete(seq);
        this.#onAcknowledged(nowMs - result.madeMs);
      }
    }
  }
}
