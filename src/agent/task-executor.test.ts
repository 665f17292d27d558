import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ResultItem } from '../core/entry.ts';
import { failed } from '../core/outcome.ts';
import type { Task } from '../core/task.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { TaskExecutor } from './task-executor.ts';

function task(id: string, over: Partial<Task> = {}): Task {
  const what = { type: 'tcp', target: '127.0.0.1:9', options: { host: '127.0.0.1', port: 9 } };
  const times = { intervalMs: 10_000, timeoutMs: 5000 };
  return { id, monitorId: `monitor ${id}`, monitorName: id, ...what, ...times, paused: false, ...over };
}

/** An executor whose runs end when they are aborted, and not before. */
function executing() {
  const clock = new FakeClock();
  const results: ResultItem[] = [];
  const executor = new TaskExecutor({
    clock,
    async run(monitor, { controller, scheduledAt }) {
      await new Promise((resolve) => controller.signal.addEventListener('abort', resolve, { once: true }));
      return { ...failed('cancelled', 'stopped'), monitor, scheduledAt, startedAt: clock.now(), durationMs: 0 };
    },
    onResult: (item) => results.push(item),
  });
  const told = (): readonly string[] => results.map(({ taskId, status, reason }) => `${taskId} ${status} ${reason}`);
  return { clock, executor, told };
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
