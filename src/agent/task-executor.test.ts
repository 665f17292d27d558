import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ResultItem } from '../core/entry.ts';
import { failed } from '../core/outcome.ts';
import type { Task } from '../core/task.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { usualRules, type LocalRules } from './local-rules.ts';
import { TaskExecutor } from './task-executor.ts';

function task(id: string, over: Partial<Task> = {}): Task {
  const what = { type: 'tcp', target: '127.0.0.1:9', options: { host: '127.0.0.1', port: 9 } };
  const times = { intervalMs: 10_000, timeoutMs: 5000 };
  return { id, monitorId: `monitor ${id}`, monitorName: id, ...what, ...times, paused: false, ...over };
}

/** An executor whose runs end when they are aborted, and not before. */
function executing(rules: Partial<LocalRules> = {}) {
  const clock = new FakeClock();
  const results: ResultItem[] = [];
  const executor = new TaskExecutor({
    clock,
    rules: { ...usualRules, ...rules },
    async run(monitor, { controller, scheduledAt }) {
      await new Promise((resolve) => controller.signal.addEventListener('abort', resolve, { once: true }));
      return { ...failed('cancelled', 'stopped'), monitor, scheduledAt, startedAt: clock.now(), durationMs: 0 };
    },
    onResult: (item) => results.push(item),
  });
  const told = (): readonly string[] => results.map(({ taskId, status, reason }) => `${taskId} ${status} ${reason}`);
  return { clock, executor, told, results };
}

describe('SE4: a run that is taken away is a result', () => {
  for (const [what, next] of [
    ['its task is removed', []],
    ['its task is paused', [task('web', { paused: true })]],
    ['its task is changed', [task('web', { timeoutMs: 1000 })]],
  ] as const)
    test(`when ${what}`, async () => {
      const { clock, executor, told } = executing();
      executor.reconcile([task('web')]);
      await clock.advance(10_000);
      executor.reconcile(next);
      await clock.advance(0);
      assert.deepEqual(told(), ['web unknown cancelled']);
    });

  test('and so is a slot that still waited for the run before', async () => {
    const { clock, executor, told } = executing();
    executor.reconcile([task('web')]);
    await clock.advance(20_000);
    executor.reconcile([]);
    await clock.advance(0);
    assert.deepEqual(told(), ['web unknown missed', 'web unknown cancelled']);
  });

  test('a list that changes nothing takes nothing away', async () => {
    const { clock, executor, told } = executing();
    executor.reconcile([task('web')]);
    await clock.advance(10_000);
    executor.reconcile([task('web'), task('other')]);
    await clock.advance(0);
    assert.deepEqual(told(), []);
    await executor.stop();
  });
});

describe('AT10: what the administrator of the machine does not allow', () => {
  for (const [what, rules, over, message] of [
    ['its check type', { checks: ['http', 'icmp'] }, {}, /allows the checks http, icmp \(--allow-checks\), not tcp$/],
    ['any check', { checks: [] }, {}, /allows the checks none/],
    ['its interval', { minIntervalMs: 60_000 }, {}, /at least 1m \(--min-interval\), not 10s$/],
    ['one task more', { maxTasks: 0 }, {}, /allows 0 tasks \(--max-tasks\), and this is one more$/],
    ['a type nobody knows', { checks: ['http'] }, { type: 'exec' }, /--allow-checks/],
  ] as const)
    test(`is answered in each slot, with a result that says so: ${what}`, async () => {
      const { clock, executor, told, results } = executing(rules);
      executor.reconcile([task('web', over)]);
      await clock.advance(20_000);
      assert.ok(told().length >= 2);
      for (const line of told()) assert.equal(line, 'web unknown denied');
      assert.match(results[0]?.message ?? '', message);
      const answer = executor.runNow('web');
      assert.ok('scheduledAt' in answer, 'asked for, it is answered in the same way');
      await executor.stop();
    });

  test('leaves the tasks before it as they are', async () => {
    const { clock, executor, told } = executing({ maxTasks: 1 });
    executor.reconcile([task('first'), task('second')]);
    await clock.advance(10_000);
    assert.deepEqual([...new Set(told())], ['second unknown denied']);
    await executor.stop();
  });
});

describe('AT10: runs that are asked for', () => {
  test('are one at a time of each task', async () => {
    const { executor } = executing();
    executor.reconcile([task('web', { paused: true })]);
    assert.ok('scheduledAt' in executor.runNow('web'));
    for (let at = 0; at < 1000; at++)
      assert.deepEqual(executor.runNow('web'), {
        refusal: 'web is running already: its result comes when the run ends',
      });
    await executor.stop();
  });

  test('do not begin beside a run of the schedule', async () => {
    const { clock, executor } = executing();
    executor.reconcile([task('web')]);
    await clock.advance(10_000);
    assert.ok('refusal' in executor.runNow('web'));
    await executor.stop();
  });

  test('are a hundred at a time of all tasks', async () => {
    const { executor } = executing();
    const tasks = Array.from({ length: 500 }, (_, at) => task(`t${at}`, { paused: true }));
    executor.reconcile(tasks);
    const answers = tasks.map(({ id }) => executor.runNow(id));
    assert.equal(answers.filter((answer) => 'scheduledAt' in answer).length, 100);
    assert.match(JSON.stringify(answers.at(-1)), /100 runs that were asked for are under way/);
    await executor.stop();
  });
});
