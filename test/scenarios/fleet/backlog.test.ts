import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { openSpool } from '../../../src/commands/agent/open-spool.ts';
import type { ResultItem } from '../../../src/core/entry.ts';
import { eventually } from '../../../src/testing/eventually.ts';
import { accountsOf, assertSound } from '../../../src/testing/fleet-account.ts';
import { Fleet, type FleetAgent } from '../../../src/testing/fleet.ts';

const monitorsPerAgent = 20;
/** Of each monitor, a millisecond apart: as much as an hour of real ones. */
const backlogPerMonitor = 3600;
/** The goal is two seconds at p99; a machine that is busy with other tests gets three times that. */
const freshMs = 6000;
const fromBacklog = 'from the backlog';

test('D9, FC33: while a long backlog drains live results stay fresh; it completes the history and is nobody’s latest state', async (t) => {
  await using fleet = await Fleet.open({ agents: 1, monitorsPerAgent });
  const [agent] = fleet.agents as [FleetAgent];
  await eventually('every monitor has run', async () => (await fleet.latest()).length === monitorsPerAgent);
  const tasks = (await fleet.latest()).map(({ taskId, monitorId }) => ({ taskId, monitorId }));
  await agent.program.stop();
  await fillSpool(agent.folder, tasks);

  const restartedAt = Date.now();
  agent.program.start();
  await eventually('live results come again', async () =>
    (await fleet.latest()).every(({ startedAt }) => Date.parse(startedAt) >= restartedAt),
  );
  const ages: number[] = [];
  let becameState = false;
  await eventually('all but a little is handed over', async () => {
    const latest = await fleet.latest();
    becameState ||= latest.some(isBacklog);
    ages.push(...latest.map(({ startedAt }) => Date.now() - Date.parse(startedAt)));
    return fleet.status(agent).queue.depth < backlogPerMonitor;
  });
  const seconds = (Date.now() - restartedAt) / 1000;
  const total = backlogPerMonitor * monitorsPerAgent;
  const oldest = Math.max(...ages);
  t.diagnostic(
    `${total} waiting results in ${seconds.toFixed(1)} s, start included; meanwhile no latest result was older than ${Math.round(oldest)} ms`,
  );
  assert.equal(becameState, false, 'what is late became the state again');
  // Behind the backlog it would be as old as handing that over takes, which is long on a machine that is busy.
  assert.ok(oldest < Math.max(freshMs, (seconds * 1000) / 3), `a latest result was ${oldest} ms old`);

  await fleet.settle();
  const accounts = await accountsOf(fleet);
  for (const { monitor, results } of accounts.flatMap(({ monitors }) => monitors)) {
    const late = results.filter(isBacklog);
    assert.equal(late.length, backlogPerMonitor, monitor);
  }
  assertSound(accounts, () => 2);
});

function isBacklog({ message }: { readonly message: string }): boolean {
  return message === fromBacklog;
}

type TaskIds = Pick<ResultItem, 'taskId' | 'monitorId'>;

/** As if the agent had measured this while it had no server. */
async function fillSpool(folder: string, tasks: readonly TaskIds[]): Promise<void> {
  await using spool = await openSpool(join(folder, 'spool'));
  const start = Math.ceil(Date.now());
  for (let result = 0; result < backlogPerMonitor; result++) {
    const scheduledAt = start + result;
    const times = { scheduledAt, startedAt: scheduledAt, durationMs: 1 };
    // The oracle was asked for none of them.
    const outcome = { status: 'unknown', reason: 'missed', metrics: {}, detail: {}, message: fromBacklog } as const;
    const appended = tasks.map((ids) =>
      spool.append({ kind: 'result', ...ids, ...times, ...outcome }, { droppable: true }),
    );
    if (result % 100 === 99) await Promise.all(appended);
  }
  await eventually('its time is over', () => Date.now() > start + backlogPerMonitor);
}
