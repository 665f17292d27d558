// Commits to the store in argv[2] until it is killed, and says what was acknowledged: `agent from to`, one line each.
import type { Entry } from '../../src/core/entry.ts';
import { openSqliteStore } from '../../src/commands/serve/open-store.ts';

const agents = ['agent-1', 'agent-2', 'agent-3'];
const perBatch = 40;
const start = Date.UTC(2026, 10, 2);

const store = await openSqliteStore({ folder: process.argv[2] ?? '' });
await Promise.all([...agents.flatMap((agent) => [report(agent), resend(agent)]), sealAll()]);

/** One run a minute: an hour every other batch, so that sealing is killed as often as committing. */
function batchOf(agentId: string, from: number): Entry[] {
  return Array.from({ length: perBatch }, (_, n) => {
    const scheduledAt = start + (from + n) * 60_000;
    const times = { scheduledAt, startedAt: scheduledAt, durationMs: 5 };
    const outcome = { status: 'up', metrics: {}, detail: {}, message: `${agentId} ${from + n}` } as const;
    return {
      seq: from + n,
      item: { kind: 'result', taskId: `task of ${agentId}`, monitorId: 'm', ...times, ...outcome },
    };
  });
}

async function report(agentId: string): Promise<void> {
  const received = await store.received(agentId, 'epoch');
  for (let from = (received.at(-1)?.[1] ?? 0) + 1; ; from += perBatch) {
    await store.commit({ agentId, epoch: 'epoch', entries: batchOf(agentId, from) });
    process.stdout.write(`${agentId} ${from} ${from + perBatch - 1}\n`);
  }
}

/** An agent that never heard the acknowledgement sends again. */
async function resend(agentId: string): Promise<void> {
  for (;;) {
    const [, last] = (await store.received(agentId, 'epoch')).at(-1) ?? [0, 0];
    if (last >= perBatch)
      await store.commit({ agentId, epoch: 'epoch', entries: batchOf(agentId, last - perBatch + 1) });
  }
}

async function sealAll(): Promise<void> {
  for (;;) await store.seal(Infinity);
}
