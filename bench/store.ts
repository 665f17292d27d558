// How fast the store commits, what a result costs at rest, how soon a chart is there. `node bench/store.ts [SCENARIO…]`
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Entry, ResultItem } from '../src/core/entry.ts';
import { openSqliteStore } from '../src/commands/serve/open-store.ts';
import type { Store } from '../src/server/store/store.ts';
import { dayMs, hourMs } from '../src/server/store/summary.ts';

const start = Date.UTC(2026, 10, 2);
const intervalMs = 10_000;
const epoch = '0193a0de-0000-7000-8000-00000000000e';

interface Fleet {
  readonly agents: number;
  readonly monitorsPerAgent: number;
}

const tenThousand: Fleet = { agents: 50, monitorsPerAgent: 200 };
const scenarios: Readonly<Record<string, (store: Store, folder: string) => Promise<void>>> = {
  async commit(store) {
    await fill(store, { fleet: tenThousand, rounds: 20 });
    const cpuBefore = process.cpuUsage();
    const before = performance.now();
    const results = await fill(store, { fleet: tenThousand, rounds: 120, firstRound: 20 });
    const seconds = (performance.now() - before) / 1000;
    const { user, system } = process.cpuUsage(cpuBefore);
    report(
      'committed',
      `${Math.round(results / seconds).toLocaleString('en')} results/s (${results.toLocaleString('en')})`,
    );
    report('CPU, load included', `${((user + system) / results).toFixed(2)} µs a result`);
  },

  'rest-tcp': (store, folder) => measureRest(store, folder, tcpResult),
  'rest-http': (store, folder) => measureRest(store, folder, httpResult),

  async monitors(store, folder) {
    await fill(store, { fleet: tenThousand, rounds: 360 });
    report('memory, load included', `${Math.round(process.memoryUsage().rss / 2 ** 20)} MiB`);
    await store[Symbol.asyncDispose]();
    await using again = await timed('open with 10,000 monitors', () => openSqliteStore({ folder }));
    await timed('their latest results', () => again.latest());
  },

  async chart(store) {
    const fleet = { agents: 1, monitorsPerAgent: 1 };
    await fill(store, { fleet, rounds: (90 * dayMs) / intervalMs, roundsPerBatch: 2000, sealing: true });
    const taskId = taskOf(0, 0);
    const to = start + 90 * dayMs;
    for (const resolution of ['hour', 'day'] as const) {
      await timed(`90 days by ${resolution}`, () => store.summaries({ taskId, from: start, to, resolution }));
    }
    await timed('1 day by minute', () => store.summaries({ taskId, from: to - dayMs, to, resolution: 'minute' }));
    await timed('1 day of results', () => store.results({ taskId, from: to - dayMs, to, limit: 100_000 }));
  },
};

async function measureRest(store: Store, folder: string, make: Maker): Promise<void> {
  const fleet = { agents: 1, monitorsPerAgent: 50 };
  const results = await fill(store, { fleet, rounds: (7 * dayMs) / intervalMs, sealing: true, make });
  await store.seal(start + 8 * dayMs);
  await store[Symbol.asyncDispose]();
  const { size } = await stat(join(folder, 'watchkeeper.db'));
  report(
    'at rest, 7 days',
    `${(size / results).toFixed(2)} bytes a result (${(size / 2 ** 20).toFixed(1)} MiB in all)`,
  );
}

type Maker = (agent: number, monitor: number, round: number) => ResultItem;

interface Load {
  readonly fleet: Fleet;
  readonly rounds: number;
  readonly firstRound?: number;
  readonly roundsPerBatch?: number;
  /** Seals each hour once it is over, as the server does. */
  readonly sealing?: boolean;
  readonly make?: Maker;
}

/** Each agent has two batches under way, as it has with a window of two frames. Returns how many results were committed. */
async function fill(store: Store, load: Load): Promise<number> {
  const { fleet, rounds, firstRound = 0, roundsPerBatch = 5, sealing = false } = load;
  let sealedHour = 0;
  const send = async (agent: number, lane: number): Promise<void> => {
    for (let round = firstRound + lane * roundsPerBatch; round < rounds; round += 2 * roundsPerBatch) {
      const entries = batchOf(agent, load, { from: round, to: Math.min(round + roundsPerBatch, rounds) });
      await store.commit({ agentId: `agent-${agent}`, epoch, entries });
      // The other lane may be two batches behind.
      const hour = Math.floor(((round - 2 * roundsPerBatch) * intervalMs) / hourMs);
      if (!sealing || hour <= sealedHour) continue;
      sealedHour = hour;
      await store.seal(start + hour * hourMs);
    }
  };
  const agents = Array.from({ length: fleet.agents }, (_, agent) => agent);
  await Promise.all(agents.flatMap((agent) => [send(agent, 0), send(agent, 1)]));
  return fleet.agents * fleet.monitorsPerAgent * (rounds - firstRound);
}

function batchOf(agent: number, { fleet, make = tcpResult }: Load, rounds: { from: number; to: number }): Entry[] {
  const entries: Entry[] = [];
  for (let round = rounds.from; round < rounds.to; round++) {
    for (let monitor = 0; monitor < fleet.monitorsPerAgent; monitor++) {
      entries.push({ seq: 1 + round * fleet.monitorsPerAgent + monitor, item: make(agent, monitor, round) });
    }
  }
  return entries;
}

/** A handshake with a host some milliseconds away: 8 % of noise to one side, a slow one in a hundred. */
function connectMsOf(monitor: number): number {
  return (2 + (monitor % 40)) * (1 + 0.08 * gaussian() ** 2) * (Math.random() < 0.01 ? 3 : 1);
}

function runOf(agent: number, monitor: number, round: number) {
  const scheduledAt = start + round * intervalMs + ((monitor * 7919 + agent * 104_729) % intervalMs);
  const startedAt = scheduledAt + Math.floor(Math.random() * 3);
  return {
    kind: 'result',
    taskId: taskOf(agent, monitor),
    monitorId: `monitor-${monitor}`,
    scheduledAt,
    startedAt,
  } as const;
}

/** One in a thousand fails. */
function tcpResult(agent: number, monitor: number, round: number): ResultItem {
  const resolveMs = 0.02 + 0.02 * Math.random();
  const connectMs = connectMsOf(monitor);
  const durationMs = resolveMs + connectMs + 0.1 + 0.1 * Math.random();
  const common = { ...runOf(agent, monitor, round), durationMs, detail: { address: `192.0.2.${monitor % 250}` } };
  if (Math.random() < 0.001) {
    const message = `Expected host-${monitor}.example.com to accept a connection on port 443, got ECONNREFUSED.`;
    return { ...common, status: 'down', reason: 'refused', source: 'target', metrics: { resolveMs }, message };
  }
  const message = `Port 443 on host-${monitor}.example.com is open.`;
  return { ...common, status: 'up', latencyMs: connectMs, metrics: { resolveMs, connectMs }, message };
}

/** Five phases, each with noise of its own. */
function httpResult(agent: number, monitor: number, round: number): ResultItem {
  const resolveMs = 0.02 + 0.02 * Math.random();
  const connectMs = connectMsOf(monitor);
  const tlsMs = connectMs * 1.6 + Math.abs(gaussian()) * 0.3;
  const firstByteMs = connectMs + 5 + Math.abs(gaussian());
  const transferMs = 0.5 + 0.3 * Math.random();
  const latencyMs = resolveMs + connectMs + tlsMs + firstByteMs + transferMs;
  const phases = { resolveMs, connectMs, tlsMs, firstByteMs, transferMs };
  const metrics = { ...phases, statusCode: 200, bytes: 1256, certificateDays: 80 - Math.floor(round / 8640) };
  const detail = { address: `192.0.2.${monitor % 250}`, httpVersion: '1.1' };
  const durationMs = latencyMs + 0.1 + 0.1 * Math.random();
  return { ...runOf(agent, monitor, round), durationMs, status: 'up', latencyMs, metrics, detail, message: '200 OK' };
}

function gaussian(): number {
  return Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
}

function taskOf(agent: number, monitor: number): string {
  return `0193a0de-0000-7000-8${String(agent).padStart(3, '0')}-${String(monitor).padStart(12, '0')}`;
}

async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const before = performance.now();
  const value = await work();
  report(what, `${(performance.now() - before).toFixed(1)} ms`);
  return value;
}

function report(what: string, figure: string): void {
  console.log(`${what.padEnd(28)} ${figure}`);
}

for (const name of process.argv.length > 2 ? process.argv.slice(2) : Object.keys(scenarios)) {
  const scenario = scenarios[name];
  if (scenario === undefined) throw new Error(`Expected one of ${Object.keys(scenarios).join(', ')}, got ${name}.`);
  const folder = await mkdtemp(join(tmpdir(), 'watchkeeper-bench-'));
  try {
    await using store = await openSqliteStore({ folder });
    console.log(`— ${name}`);
    await scenario(store, folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}
