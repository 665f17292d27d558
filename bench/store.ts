// How fast the store commits, what a result costs at rest, how soon a chart is there. `node bench/store.ts [commit|rest|monitors]`
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Entry, ResultItem } from '../src/core/entry.ts';
import { openSqliteStore } from '../src/server/store/sqlite/sqlite-store.ts';
import type { Store } from '../src/server/store/store.ts';
import { dayMs, hourMs } from '../src/server/store/summary.ts';

const start = Date.UTC(2026, 10, 2);
const intervalMs = 10_000;
const epoch = '0193a0de-0000-7000-8000-00000000000e';

interface Fleet {
  readonly agents: number;
  readonly monitorsPerAgent: number;
}

const scenarios: Readonly<Record<string, (store: Store, folder: string) => Promise<void>>> = {
  async commit(store, folder) {
    await measureCommits(store, { fleet: { agents: 50, monitorsPerAgent: 200 }, rounds: 100 });
    report('memory of the process', `${Math.round(process.memoryUsage().rss / 2 ** 20)} MiB`);
    await reportSize(folder, 50 * 200 * 100);
  },

  async rest(store, folder) {
    const fleet = { agents: 1, monitorsPerAgent: 200 };
    const rounds = (7 * dayMs) / intervalMs;
    await measureCommits(store, { fleet, rounds, sealing: true });
    await timed('seal the rest', () => store.seal(start + 8 * dayMs));
    await reportSize(folder, fleet.monitorsPerAgent * rounds);
  },

  async monitors(store) {
    await fill(store, { fleet: { agents: 50, monitorsPerAgent: 200 }, rounds: 30 });
    const latest = await timed('latest of 10,000 monitors', () => store.latest());
    report('found', `${latest.length}`);
  },

  async chart(store) {
    const rounds = (90 * dayMs) / intervalMs;
    await fill(store, { fleet: { agents: 1, monitorsPerAgent: 1 }, rounds, roundsPerBatch: 2000, sealing: true });
    const taskId = taskOf(0, 0);
    const to = start + 90 * dayMs;
    for (const resolution of ['hour', 'day'] as const) {
      const points = await timed(`90 days by ${resolution}`, () =>
        store.summaries({ taskId, from: start, to, resolution }),
      );
      report('points', `${points.length}`);
    }
    await timed('1 day by minute', () => store.summaries({ taskId, from: to - dayMs, to, resolution: 'minute' }));
    await timed('1 day of results', () => store.results({ taskId, from: to - dayMs, to, limit: 100_000 }));
  },
};

interface Load {
  readonly fleet: Fleet;
  readonly rounds: number;
  readonly roundsPerBatch?: number;
  /** Seals each hour once it is over, as the server does. */
  readonly sealing?: boolean;
}

async function measureCommits(store: Store, load: Load): Promise<void> {
  const before = performance.now();
  const results = await fill(store, load);
  const seconds = (performance.now() - before) / 1000;
  report(
    'committed',
    `${Math.round(results / seconds).toLocaleString('en')} results/s (${results.toLocaleString('en')})`,
  );
}

/** Each agent has two batches under way, as it has with a window of two frames. */
async function fill(store: Store, { fleet, rounds, roundsPerBatch = 5, sealing = false }: Load): Promise<number> {
  let sealedHour = 0;
  const send = async (agent: number, lane: number): Promise<void> => {
    for (let round = lane * roundsPerBatch; round < rounds; round += 2 * roundsPerBatch) {
      const entries = batchOf(agent, fleet, { from: round, to: Math.min(round + roundsPerBatch, rounds) });
      await store.commit({ agentId: `agent-${agent}`, epoch, entries });
      const hour = Math.floor((round * intervalMs) / hourMs) - 1;
      if (!sealing || hour <= sealedHour) continue;
      sealedHour = hour;
      await store.seal(start + hour * hourMs);
    }
  };
  const agents = Array.from({ length: fleet.agents }, (_, agent) => agent);
  await Promise.all(agents.flatMap((agent) => [send(agent, 0), send(agent, 1)]));
  return fleet.agents * fleet.monitorsPerAgent * rounds;
}

function batchOf(agent: number, fleet: Fleet, rounds: { readonly from: number; readonly to: number }): Entry[] {
  const entries: Entry[] = [];
  for (let round = rounds.from; round < rounds.to; round++) {
    for (let monitor = 0; monitor < fleet.monitorsPerAgent; monitor++) {
      entries.push({ seq: 1 + round * fleet.monitorsPerAgent + monitor, item: resultOf(agent, monitor, round) });
    }
  }
  return entries;
}

/** A TCP check of a host some milliseconds away: noise of 8 %, a slow one now and then, a failure in a thousand. */
function resultOf(agent: number, monitor: number, round: number): ResultItem {
  const scheduledAt = start + round * intervalMs + ((monitor * 7919 + agent * 104_729) % intervalMs);
  const resolveMs = 0.02 + 0.02 * Math.random();
  const connectMs = (2 + (monitor % 40)) * (1 + 0.08 * gaussian() ** 2) * (Math.random() < 0.01 ? 3 : 1);
  const common = {
    kind: 'result',
    taskId: taskOf(agent, monitor),
    monitorId: `monitor-${monitor}`,
    scheduledAt,
    startedAt: scheduledAt + Math.floor(Math.random() * 3),
    durationMs: resolveMs + connectMs + 0.1 + 0.1 * Math.random(),
    detail: { address: `192.0.2.${monitor % 250}` },
  } as const;
  if (Math.random() < 0.001) {
    const message = `Expected host-${monitor}.example.com to accept a connection on port 443, got ECONNREFUSED.`;
    return { ...common, status: 'down', reason: 'refused', source: 'target', metrics: { resolveMs }, message };
  }
  const message = `Port 443 on host-${monitor}.example.com is open.`;
  return { ...common, status: 'up', latencyMs: connectMs, metrics: { resolveMs, connectMs }, message };
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

async function reportSize(folder: string, results: number): Promise<void> {
  const { size } = await stat(join(folder, 'watchkeeper.db'));
  report('at rest', `${(size / results).toFixed(2)} bytes a result (${(size / 2 ** 20).toFixed(1)} MiB)`);
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
