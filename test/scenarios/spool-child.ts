// An agent's spool in a process of its own, for tests that kill it. It appends and sends at once, and says on its output
// what was recorded (`recorded SEQ TICKET`) and what it sends (`sent SEQ JSON`); its input brings what the server committed (`ack SEQ`).
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { openSpool } from '../../src/commands/agent/open-spool.ts';
import type { Spool } from '../../src/agent/spool/spool.ts';
import type { ResultItem } from '../../src/core/entry.ts';
import type { Lane } from '../../src/protocol/messages.ts';

const { values } = parseArgs({
  options: {
    folder: { type: 'string', default: '' },
    name: { type: 'string', default: '' },
    /** How many to append; then it sends what is left and ends. */
    count: { type: 'string', default: '1000000' },
    /** How many appends may wait for their sync. */
    waiting: { type: 'string', default: '20' },
  },
});

const spool = await openSpool(values.folder);
say(`opened ${spool.recovered.epoch}`);
await spool.startSending();
const acknowledged = createInterface({ input: process.stdin });
acknowledged.on('line', (line) => {
  const seq = Number(line.replace('ack ', ''));
  spool.acknowledge([[seq, seq]]);
});
let next = 0;
const appended = new AbortController();
const sending = send(spool, appended.signal);
await Promise.all(Array.from({ length: Number(values.waiting) }, append));
appended.abort();
await sending;
await spool.close();
acknowledged.close();
process.stdin.destroy();

async function append(): Promise<void> {
  while (next < Number(values.count)) {
    const ticket = `${values.name}-${next++}`;
    const seq = await spool.append(result(ticket), { droppable: true });
    say(`recorded ${seq} ${ticket}`);
  }
}

async function send(spool: Spool, appended: AbortSignal): Promise<void> {
  while (!appended.aborted || spool.stats().depth > 0) {
    const sent = (await sendLane(spool, 'live')) + (await sendLane(spool, 'backlog'));
    if (sent === 0) await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

async function sendLane(spool: Spool, lane: Lane): Promise<number> {
  const entries = await spool.read(lane, { maxBytes: 64 * 1024, maxCount: 50 });
  for (const { seq, json } of entries) say(`sent ${seq} ${json}`);
  return entries.length;
}

/** A write to a pipe is made at once, so a kill cannot take back what was said. */
function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function result(ticket: string): ResultItem {
  const times = { scheduledAt: 0, startedAt: 0, durationMs: 1 };
  return {
    kind: 'result',
    taskId: ticket,
    monitorId: 'm',
    ...times,
    status: 'up',
    metrics: {},
    detail: {},
    message: 'x'.repeat(200),
  };
}
