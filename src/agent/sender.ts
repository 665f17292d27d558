import type { Entry, SeqRange } from '../core/entry.ts';
import { maxEntriesPerFrame, type AgentMessage } from '../protocol/messages.ts';

/** What the sender needs of the spool: entries that are durable and not acknowledged, by sequence number. */
export interface EntrySource {
  readonly epoch: string;
  /** The number the next entry will get. */
  readonly nextSeq: number;
  /** Unacknowledged entries with `from ≤ seq < to`, ascending; fewer than asked for only when there are no more. */
  read(range: {
    readonly from: number;
    readonly to: number;
    readonly maxEntries: number;
    readonly maxBytes: number;
  }): Promise<readonly Entry[]>;
  acknowledge(ranges: readonly SeqRange[]): void;
}

/** Sent and not acknowledged; more waits in the spool. Half of it is kept free of backlog, so that live results never queue behind it. */
const window = { live: 20_000, backlog: 10_000 } as const;
/** Well below the limit of a frame, with room for one large entry. */
const maxBytesPerFrame = 512 * 1024;

type Lane = keyof typeof window;

/**
 * Sends what is in the spool over one connection, in two lanes: live is what came since the connection opened, backlog
 * is what waited before it. Each entry is sent once a connection; what is not acknowledged is sent again on the next.
 */
export class Sender {
  readonly #source: EntrySource;
  readonly #send: (message: AgentMessage) => void;
  readonly #next: Record<Lane, number>;
  readonly #liveFrom: number;
  readonly #unacknowledged = new Set<number>();
  #isSending = false;
  #isWoken = false;
  #isStopped = false;

  constructor(source: EntrySource, send: (message: AgentMessage) => void) {
    this.#source = source;
    this.#send = send;
    this.#liveFrom = source.nextSeq;
    this.#next = { live: this.#liveFrom, backlog: 1 };
  }

  /** There may be something to send: called when entries were appended or acknowledged. */
  wake(): void {
    this.#isWoken = true;
    if (!this.#isSending && !this.#isStopped) void this.#sendAll();
  }

  acknowledged(ranges: readonly SeqRange[]): void {
    for (const seq of this.#unacknowledged) {
      if (ranges.some(([from, to]) => from <= seq && seq <= to)) this.#unacknowledged.delete(seq);
    }
    this.#source.acknowledge(ranges);
    this.wake();
  }

  stop(): void {
    this.#isStopped = true;
  }

  async #sendAll(): Promise<void> {
    this.#isSending = true;
    while (this.#isWoken && !this.#isStopped) {
      this.#isWoken = false;
      // Live first, after every frame of backlog again.
      while ((await this.#sendFrame('live')) || (await this.#sendFrame('backlog')));
    }
    this.#isSending = false;
  }

  /** False if the lane has nothing to send, or may not send more before something is acknowledged. */
  async #sendFrame(lane: Lane): Promise<boolean> {
    const room = window[lane] - this.#unacknowledged.size;
    if (room <= 0 || this.#isStopped) return false;
    const to = lane === 'live' ? this.#source.nextSeq : this.#liveFrom;
    const from = this.#next[lane];
    if (from >= to) return false;
    const maxEntries = Math.min(maxEntriesPerFrame, room);
    const entries = await this.#source.read({ from, to, maxEntries, maxBytes: maxBytesPerFrame });
    const last = entries.at(-1);
    this.#next[lane] = last ? last.seq + 1 : to;
    if (!last || this.#isStopped) return false;
    for (const { seq } of entries) this.#unacknowledged.add(seq);
    this.#send({ type: 'entries', lane, epoch: this.#source.epoch, entries: [...entries] });
    return true;
  }
}
