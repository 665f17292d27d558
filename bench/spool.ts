// What recording costs: appends per second with a real sync behind each, and the main thread's CPU for one.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { threadCpuUsage } from 'node:process';
import { parseArgs } from 'node:util';
import { openSpool } from '../src/commands/agent/open-spool.ts';
import type { Spool } from '../src/agent/spool/spool.ts';
import type { ResultItem } from '../src/core/entry.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5' },
    /** How many appends wait for their sync at any time. */
    waiting: { type: 'string', default: '2000' },
    /** Entries that wait when the spool is opened again; 2,500,000 are about 1 GiB. */
    backlog: { type: 'string', default: '500000' },
    folder: { type: 'string', default: tmpdir() },
  },
});

const folder = await mkdtemp(join(values.folder, 'spool-bench-'));
try {
  await using spool = await openSpool(folder);
  await measureOne(spool);
  await measureMany(spool, { waiting: Number(values.waiting), seconds: Number(values.seconds) });
  await fill(spool, Number(values.backlog));
  await spool.close();
  await measureStart(folder);
} finally {
  await rm(folder, { recursive: true });
}

async function measureOne(spool: Spool): Promise<void> {
  const latencies: number[] = [];
  for (let index = 0; index < 300; index++) {
    const started = performance.now();
    await spool.append(result(index), { droppable: true });
    latencies.push(performance.now() - started);
  }
  const sorted = latencies.toSorted((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.floor(share * sorted.length)] ?? 0).toFixed(2);
  console.log(`one at a time: append to synced p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`);
}

/** Appends, reads what was appended and acknowledges it, as an agent does. */
async function measureMany(spool: Spool, load: { readonly waiting: number; readonly seconds: number }): Promise<void> {
  await spool.startSending();
  const ends = performance.now() + load.seconds * 1000;
  const started = { at: performance.now(), main: threadCpuUsage(), all: process.cpuUsage() };
  let appended = 0;
  const lane = async (): Promise<void> => {
    while (performance.now() < ends) await spool.append(result(appended++), { droppable: true });
  };
  const appending = Promise.all(Array.from({ length: load.waiting }, lane));
  const sent = await send(spool, () => performance.now() < ends || sentAll());
  await appending;
  const seconds = (performance.now() - started.at) / 1000;
  const main = threadCpuUsage(started.main);
  const all = process.cpuUsage(started.all);
  const each = (usage: NodeJS.CpuUsage): string => ((usage.user + usage.system) / appended).toFixed(1);
  console.log(
    `${load.waiting} at a time: ${Math.round(appended / seconds)} appends/s, all synced, ${sent} read and acknowledged; ` +
      `CPU per append: main thread ${each(main)} µs, whole process ${each(all)} µs`,
  );

  function sentAll(): boolean {
    return spool.stats().depth > load.waiting;
  }
}

async function fill(spool: Spool, count: number): Promise<void> {
  for (let done = 0; done < count; done += 5000) {
    await Promise.all(
      Array.from({ length: 5000 }, (_, index) => spool.append(result(done + index), { droppable: true })),
    );
  }
}

async function measureStart(folder: string): Promise<void> {
  const started = performance.now();
  await using spool = await openSpool(folder);
  const opened = performance.now();
  const { depth, bytes } = spool.stats();
  await spool.startSending();
  let sent = 0;
  for (
    let some;
    (some = await spool.read('backlog', { maxBytes: 512 * 1024, maxCount: 2000 })).length > 0;
    sent += some.length
  ) {
    spool.acknowledge([[some[0]?.seq ?? 0, some.at(-1)?.seq ?? 0]]);
  }
  const rate = Math.round(sent / ((performance.now() - opened) / 1000));
  console.log(
    `${depth} waiting entries (${Math.round(bytes / 1024 ** 2)} MiB): open in ${Math.round(opened - started)} ms, ` +
      `read and acknowledged at ${rate}/s; ${spool.stats().depth} left; resident ${Math.round(process.memoryUsage.rss() / 1024 ** 2)} MiB`,
  );
}

async function send(spool: Spool, isOn: () => boolean): Promise<number> {
  let sent = 0;
  while (isOn()) {
    const entries = await spool.read('live', { maxBytes: 512 * 1024, maxCount: 2000 });
    const [first, last] = [entries[0], entries.at(-1)];
    if (!first || !last) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      continue;
    }
    spool.acknowledge([[first.seq, last.seq]]);
    sent += entries.length;
  }
  return sent;
}

function result(index: number): ResultItem {
  const now = Date.now();
  return {
    kind: 'result',
    taskId: '0193a5b0-7c1e-7d3a-9f00-3b1c5d7e9f11',
    monitorId: `web-${index % 1000}`,
    scheduledAt: now,
    startedAt: now,
    durationMs: 12.3,
    status: 'up',
    latencyMs: 11.875,
    metrics: { resolveMs: 0.1, connectMs: 0.4, firstByteMs: 9.2, transferMs: 0.3, bodyBytes: 612 },
    detail: { status: 200, address: '192.0.2.7' },
    message: '200 OK',
  };
}
