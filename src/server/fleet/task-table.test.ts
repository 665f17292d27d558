import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FakeClock } from '../../testing/fake-clock.ts';
import { monitorSpec } from '../../testing/server-status.ts';
import { TaskTable } from './task-table.ts';

function tableOf() {
  const clock = new FakeClock();
  const table = new TaskTable({
    clock,
    assignTasks: async (agentId, monitorIds) => ({
      tasks: monitorIds.map((monitorId) => ({ id: `${monitorId} on ${agentId}`, monitorId })),
    }),
  });
  return { clock, table };
}

const seat = (id: string, isRevoked = false) => ({ id, name: `name of ${id}`, isRevoked });

describe('the table of tasks', () => {
  test('has a task for each agent that runs a monitor, and knows whose it is', async () => {
    const { table } = tableOf();
    table.expect(seat('a'));
    table.expect(seat('b'));
    table.expect(seat('c', true));
    await table.replace([monitorSpec('web'), monitorSpec('dns', { agents: ['name of b'] })]);
    assert.deepEqual(
      table.wanted.map(({ task }) => task.id),
      ['web on a', 'web on b', 'dns on b'],
    );
    assert.ok(table.isTaskOf({ taskId: 'dns on b', monitorId: 'dns' }, 'b'));
    for (const [taskId, monitorId, agentId] of [
      ['dns on b', 'web', 'b'],
      ['dns on b', 'dns', 'a'],
      ['none', 'dns', 'b'],
    ] as const)
      assert.ok(!table.isTaskOf({ taskId, monitorId }, agentId), `${taskId} ${monitorId} ${agentId}`);
    assert.deepEqual(
      [table.agentOf('dns on b'), table.agentOf('dns on a'), table.agentOf('none')],
      ['b', undefined, undefined],
    );
  });

  test('results of a task that was taken away may still come, until it is forgotten', async () => {
    const { table } = tableOf();
    table.expect(seat('a'));
    await table.replace([monitorSpec('web')]);
    await table.replace([]);
    assert.deepEqual([table.wanted, table.agentOf('web on a'), table.isKnown('web on a')], [[], undefined, true]);
    assert.ok(table.isTaskOf({ taskId: 'web on a', monitorId: 'web' }, 'a'));
    table.forgetTasks(['web on a', 'never known']);
    assert.equal(table.isKnown('web on a'), false);
    await table.replace([monitorSpec('web')]);
    assert.equal(table.wanted.length, 1, 'a monitor that comes back gets a task again');
  });

  test('a monitor that nobody runs is told, and whoever is revoked runs none', async () => {
    const { table } = tableOf();
    table.expect(seat('a'));
    await table.replace([monitorSpec('web'), monitorSpec('dns', { agents: ['nobody'] })]);
    assert.deepEqual(
      table.withoutAgent.map(({ id }) => id),
      ['dns'],
    );
    table.expect(seat('a', true));
    assert.deepEqual([table.wanted, table.tasksOf('a').size], [[], 0]);
    assert.deepEqual(
      table.withoutAgent.map(({ id }) => id),
      ['web', 'dns'],
    );
  });

  test('counts what the tasks of an agent make in a second, without those that are paused', async () => {
    const { table } = tableOf();
    table.expect(seat('a'));
    await table.replace([
      monitorSpec('one', { intervalMs: 1000 }),
      monitorSpec('ten', { intervalMs: 10_000 }),
      monitorSpec('paused', { intervalMs: 1000, paused: true }),
    ]);
    assert.deepEqual([table.resultsPerSecond('a'), table.resultsPerSecond('nobody')], [1.1, 0]);
    await table.replace([monitorSpec('one', { intervalMs: 1000 })]);
    assert.equal(table.resultsPerSecond('a'), 1);
  });

  test('since when results are expected begins anew with another interval and after a pause, and not with another option', async () => {
    const { clock, table } = tableOf();
    table.expect(seat('a'));
    const since = (): number | undefined => table.wanted[0]?.sinceMs;
    await table.replace([monitorSpec('web')]);
    await clock.advance(1000);
    await table.replace([monitorSpec('web', { options: { host: 'x' } })]);
    assert.equal(since(), 0);
    await table.replace([monitorSpec('web', { intervalMs: 5000 })]);
    assert.equal(since(), 1000);
    await clock.advance(1000);
    await table.replace([monitorSpec('web', { intervalMs: 5000, paused: true })]);
    await clock.advance(1000);
    await table.replace([monitorSpec('web', { intervalMs: 5000 })]);
    assert.equal(since(), 3000);
    await clock.advance(1000);
    table.expect(seat('a'));
    assert.equal(since(), 3000, 'what is said again changes nothing');
  });

  test('an id that was given before is given again', async () => {
    const { table } = tableOf();
    table.load([{ id: 'old', agentId: 'a', monitorId: 'web' }]);
    table.expect(seat('a'));
    await table.replace([monitorSpec('web')]);
    assert.deepEqual(
      table.wanted.map(({ task }) => task.id),
      ['old'],
    );
    table.forget('a');
    assert.deepEqual([table.wanted, table.tasksOf('a').size], [[], 0]);
  });
});
