import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { MonitorSpec } from '../../core/monitor-spec.ts';
import { maxFrameBytes } from '../../protocol/frames.ts';
import type { ServerMessage } from '../../protocol/messages.ts';
import { TaskList, type TasksMessage } from '../../agent/task-list.ts';
import { Dispatcher, type Recipient } from './dispatcher.ts';

function monitor(id: string, over: Partial<MonitorSpec> = {}): MonitorSpec {
  return {
    id,
    name: id,
    type: 'tcp',
    target: `${id}:80`,
    options: {},
    intervalMs: 10_000,
    timeoutMs: 5000,
    paused: false,
    ...over,
  };
}

/** Gives each pair of agent and monitor one id for ever. */
function assignments() {
  const ids = new Map<string, string>();
  return {
    async assignTasks(agentId: string, monitorIds: readonly string[]) {
      const tasks = monitorIds.map((monitorId) => {
        const pair = `${agentId} ${monitorId}`;
        if (!ids.has(pair)) ids.set(pair, crypto.randomUUID());
        return { id: ids.get(pair) ?? '', monitorId };
      });
      return { tasks };
    },
    onSent: () => {},
  };
}

/** An agent that keeps its task list as the real one does. */
function agent(
  name: string,
): Recipient & { readonly list: TaskList; readonly messages: ServerMessage[]; names(): string[] } {
  const list = new TaskList();
  const messages: ServerMessage[] = [];
  return {
    agentId: `id of ${name}`,
    name,
    list,
    messages,
    names: () => list.tasks.map(({ monitorName }) => monitorName).toSorted(),
    async deliver(message) {
      messages.push(message);
      assert.ok(list.apply(message as TasksMessage), 'each change fits the revision before it');
    },
  };
}

describe('the dispatcher', () => {
  test('C4: a task has one id, created once, whatever happens to the connection', async () => {
    const dispatcher = new Dispatcher(assignments());
    await dispatcher.reconcile([monitor('web')]);
    const first = agent('a');
    await dispatcher.connect(first);
    dispatcher.disconnect(first);
    const second = agent('a');
    await dispatcher.connect(second);
    assert.deepEqual(
      second.list.tasks.map(({ id }) => id),
      first.list.tasks.map(({ id }) => id),
    );
  });

  test('tells a connected agent only what changed', async () => {
    const dispatcher = new Dispatcher(assignments());
    await dispatcher.reconcile([monitor('web'), monitor('mail')]);
    const seat = agent('a');
    await dispatcher.connect(seat);
    await dispatcher.reconcile([monitor('web', { intervalMs: 20_000 }), monitor('dns')]);
    assert.deepEqual(seat.names(), ['dns', 'web']);
    const change = seat.messages[1] as TasksMessage;
    assert.deepEqual([change.base, change.set.length, change.remove.length], [1, 2, 1]);
    await dispatcher.reconcile([monitor('web', { intervalMs: 20_000 }), monitor('dns')]);
    assert.equal(seat.messages.length, 2, 'what has not changed is not told');
  });

  test('hands a monitor to the agents it names, and to all when it names none', async () => {
    const dispatcher = new Dispatcher(assignments());
    await dispatcher.reconcile([monitor('everywhere'), monitor('here', { agents: ['a'] })]);
    const [a, b] = [agent('a'), agent('b')];
    await Promise.all([dispatcher.connect(a), dispatcher.connect(b)]);
    assert.deepEqual(a.names(), ['everywhere', 'here']);
    assert.deepEqual(b.names(), ['everywhere']);
    assert.equal(dispatcher.tasks().length, 3);
  });

  test('an agent without a task is told so', async () => {
    const dispatcher = new Dispatcher(assignments());
    const idle = agent('a');
    await dispatcher.connect(idle);
    assert.equal(idle.messages.length, 1);
  });

  test('ten thousand tasks go in frames of a bounded size', async () => {
    const dispatcher = new Dispatcher(assignments());
    await dispatcher.reconcile(Array.from({ length: 10_000 }, (_, at) => monitor(`m${at}`)));
    const seat = agent('a');
    await dispatcher.connect(seat);
    assert.equal(seat.list.tasks.length, 10_000);
    for (const message of seat.messages) assert.ok(JSON.stringify(message).length < maxFrameBytes);
    assert.ok(seat.messages.length > 1);
  });

  test('changes that come while another is worked out are all told', async () => {
    const dispatcher = new Dispatcher(assignments());
    const seat = agent('a');
    await dispatcher.connect(seat);
    await Promise.all(
      [1, 2, 3].map((count) => dispatcher.reconcile(Array.from({ length: count }, (_, at) => monitor(`m${at}`)))),
    );
    assert.deepEqual(seat.names(), ['m0', 'm1', 'm2']);
  });
});
