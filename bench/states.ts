// What it costs to work out states: of a result that changes nothing, and of one that does. Budgets: 2 µs and 50 µs.
import { StateBook } from '../src/core/state/state-book.ts';
import { monitorPolicy } from '../src/testing/monitor-policy.ts';

const monitors = 10_000;
const quietRounds = 50;
const changingRounds = 10;
const intervalMs = 10_000;
const agentId = 'berlin';

const book = new StateBook();
let now = Date.UTC(2026, 10, 28);
const ids = Array.from({ length: monitors }, (_, index) => `monitor-${index}`);
const notify = [{ notifier: 'mail', step: 0, afterMs: 0 }];
book.noteAgent({ id: agentId, name: agentId, status: 'well', message: '', at: now });
const policies = ids.map((id) => monitorPolicy({ id, agents: [agentId], confirmations: 1, degradedConfirmations: 1 }));
book.setPolicies({ monitors: policies, notify, windows: [] }, now);
round('up');

report('changes nothing', quietRounds, () => round('up'));
let isUp = true;
report('changes the state', changingRounds, () => {
  isUp = !isUp;
  return round(isUp ? 'up' : 'down');
});

/** One result of each monitor. @returns how many states changed */
function round(status: 'up' | 'down'): number {
  now += intervalMs;
  const reason = status === 'down' ? ('refused' as const) : undefined;
  for (const monitorId of ids) {
    const run = { monitorId, agentId, status, at: now, receivedAt: now, reason, message: status };
    if (!book.isQuiet(run)) book.takeRun(run);
  }
  return book.drain().transitions.length;
}

function report(what: string, rounds: number, work: () => number): void {
  const before = process.cpuUsage();
  let changes = 0;
  for (let n = 0; n < rounds; n++) changes += work();
  const { user, system } = process.cpuUsage(before);
  console.log(
    `a result that ${what}: ${((user + system) / (rounds * monitors)).toFixed(2)} µs of CPU, ${changes} changes of state`,
  );
}
