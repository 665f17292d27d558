import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { agentView, monitorSpec, ServerStatus } from '../../testing/server-status.ts';

async function status(agents = [agentView('a'), agentView('b')]): Promise<ServerStatus> {
  const status = new ServerStatus();
  await status.set({ agents, monitors: [monitorSpec('web')] });
  status.states.start();
  return status;
}

function told({ changes }: ServerStatus): readonly string[] {
  return changes.splice(0).map(({ wanted, before, state, message }) => {
    const { monitorName, agentId } = wanted.task;
    return `${monitorName} on ${agentId}: ${before} → ${state}: ${message}`;
  });
}

describe('the state of a task', () => {
  test('SI8: changes with a result of another status, and is told once', async () => {
    const server = await status();
    for (const outcome of ['up', 'up', 'down', 'down', 'up'] as const) {
      server.result('web', 'a', { status: outcome, message: `it is ${outcome}` });
      server.states.noteResult('id of a', 'web on id of a');
    }
    assert.deepEqual(told(server), [
      'web on id of a: unknown → up: it is up',
      'web on id of a: up → down: it is down',
      'web on id of a: down → up: it is up',
    ]);
    server.states.stop();
  });

  test('is unknown once no results come, without anybody asking, and known again with the next', async () => {
    const server = await status();
    server.result('web', 'a');
    server.states.noteResult('id of a', 'web on id of a');
    told(server);
    // Two intervals of 10 s and 30 s of grace; then within ten looks.
    await server.clock.advance(49_000);
    assert.deepEqual(told(server), []);
    await server.clock.advance(12_000);
    assert.deepEqual(told(server), ['web on id of a: up → unknown: no results come']);
    server.result('web', 'a');
    server.states.noteResult('id of a', 'web on id of a');
    assert.deepEqual(told(server), ['web on id of a: unknown → up: fine']);
    server.states.stop();
  });

  test('is unknown while its agent is away and while it is paused, of this agent alone', async () => {
    const server = await status();
    for (const agent of ['a', 'b']) {
      server.result('web', agent, { status: 'down', message: 'refused' });
      server.states.noteResult(`id of ${agent}`, `web on id of ${agent}`);
    }
    told(server);
    await server.set({
      agents: [agentView('a', { status: 'offline' }), agentView('b')],
      monitors: [monitorSpec('web')],
    });
    server.states.noteAgent('id of a');
    assert.deepEqual(told(server), ['web on id of a: down → unknown: its agent is away']);
    await server.set({ agents: [agentView('a'), agentView('b')], monitors: [monitorSpec('web', { paused: true })] });
    await server.clock.advance(10_000);
    assert.deepEqual(told(server), ['web on id of b: down → unknown: it is paused']);
    server.states.stop();
  });

  test('of many tasks all are looked at within ten looks, each once', async () => {
    const names = Array.from({ length: 37 }, (_, index) => `m${index}`);
    const server = new ServerStatus();
    await server.set({ agents: [agentView('a')], monitors: names.map((name) => monitorSpec(name)) });
    for (const name of names) server.result(name, 'a');
    server.states.start();
    await server.clock.advance(50_000 + 12_000);
    const gone = server.changes.splice(0).map(({ wanted }) => wanted.task.monitorName);
    assert.deepEqual(gone.toSorted(), names.toSorted());
    server.states.stop();
  });

  test('of a task that is gone is forgotten; what a start finds is no change', async () => {
    const server = new ServerStatus();
    await server.set({ agents: [agentView('a')], monitors: [monitorSpec('web')] });
    server.result('web', 'a');
    server.states.start();
    assert.deepEqual(told(server), []);
    await server.set({ agents: [agentView('a')], monitors: [] });
    await server.clock.advance(10_000);
    await server.set({ agents: [agentView('a')], monitors: [monitorSpec('web')] });
    server.states.noteAgent('id of a');
    assert.deepEqual(told(server), ['web on id of a: unknown → up: fine']);
    server.states.stop();
  });
});
