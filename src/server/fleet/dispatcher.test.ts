import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { MonitorSpec } from '../../core/monitor-spec.ts';
import { maxFrameBytes } from '../../protocol/frames.ts';
import type { ServerMessage } from '../../protocol/messages.ts';
import { TaskList, type TasksMessage } from '../../agent/task-list.ts';
import { AppError } from '../../core/errors.ts';
import { FakeClock } from '../../testing/fake-clock.ts';
import { Dispatcher, type Recipient } from './dispatcher.ts';
import { TaskTable } from './task-table.ts';

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

/** A dispatcher with its table, which knows these agents, and an assignment that can be made to fail. */
function dispatching(...names: readonly string[]) {
  const ids = new Map<string, string>();
  const disk = { isFull: false };
  const clock = new FakeClock();
  const table = new TaskTable({
    clock,
    async assignTasks(agentId, monitorIds) {
      if (disk.isFull) throw new AppError('unavailable', 'the disk is full');
      const tasks = monitorIds.map((monitorId) => ({
        id: ids.getOrInsertComputed(`${agentId} ${monitorId}`, () => crypto.randomUUID()),
        monitorId,
      }));
      return { tasks };
    },
  });
  for (const name of names) table.expect({ id: `id of ${name}`, name, isRevoked: false });
  return { table, disk, clock, dispatcher: new Dispatcher({ table, onSent: () => {} }) };
}

function namesOf({ wanted }: TaskTable): readonly string[] {
  return wanted.map(({ task }) => `${task.monitorName} on ${task.agentId}`).toSorted();
}

/** An agent that keeps its task list as the real one does. */
function agent(
  name: string,
): Recipient & { readonly list: TaskList; readonly messages: ServerMessage[]; names(): string[] } {
  const list = new TaskList();
  const messages: ServerMessage[] = [];
  return {
    agentId: `id of ${name}`,
    list,
    messages,
    names: () => list.tasks.map(({ monitorName }) => monitorName).toSorted(),
    async deliver(message) {
      messages.push(message);
      assert.notEqual(list.apply(message as TasksMessage), 'unfit', 'each change fits the revision before it');
    },
  };
}

describe('the dispatcher', () => {
  test('C4: a task has one id, created once, whatever happens to the connection', async () => {
    const { dispatcher } = dispatching('a');
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
    const { dispatcher } = dispatching('a');
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
    const { dispatcher, table } = dispatching('a', 'b');
    await dispatcher.reconcile([monitor('everywhere'), monitor('here', { agents: ['a'] })]);
    const [a, b] = [agent('a'), agent('b')];
    await Promise.all([dispatcher.connect(a), dispatcher.connect(b)]);
    assert.deepEqual(a.names(), ['everywhere', 'here']);
    assert.deepEqual(b.names(), ['everywhere']);
    assert.equal(table.wanted.length, 3);
  });

  test('an agent without a task is told so', async () => {
    const { dispatcher } = dispatching('a');
    const idle = agent('a');
    await dispatcher.connect(idle);
    assert.equal(idle.messages.length, 1);
  });

  test('ten thousand tasks go in frames of a bounded size', async () => {
    const { dispatcher } = dispatching('a');
    await dispatcher.reconcile(Array.from({ length: 10_000 }, (_, at) => monitor(`m${at}`)));
    const seat = agent('a');
    await dispatcher.connect(seat);
    assert.equal(seat.list.tasks.length, 10_000);
    for (const message of seat.messages) assert.ok(Buffer.byteLength(JSON.stringify(message)) < maxFrameBytes);
    assert.ok(seat.messages.length > 1);
  });

  test('MU46: every frame but the last is about as full as it may be', async () => {
    const { dispatcher } = dispatching('a');
    await dispatcher.reconcile(Array.from({ length: 10_000 }, (_, at) => monitor(`m${at}`)));
    const seat = agent('a');
    await dispatcher.connect(seat);
    const sizes = seat.messages.map((message) => Buffer.byteLength(JSON.stringify(message)));
    for (const size of sizes.slice(0, -1)) assert.ok(size > maxFrameBytes * 0.49, `${size} bytes`);
  });

  test('MU45: the end of an old connection does not end what the new one is told', async () => {
    const { dispatcher } = dispatching('a');
    await dispatcher.reconcile([monitor('web')]);
    const old = agent('a');
    await dispatcher.connect(old);
    const current = agent('a');
    await dispatcher.connect(current);
    dispatcher.disconnect(old);
    await dispatcher.reconcile([monitor('web'), monitor('mail')]);
    assert.deepEqual(current.names(), ['mail', 'web']);
    dispatcher.disconnect(current);
    await dispatcher.reconcile([monitor('web')]);
    assert.deepEqual(current.names(), ['mail', 'web'], 'one that is away is told nothing');
  });

  test('SE4: a list in several frames takes effect when its last has come', async () => {
    const { dispatcher } = dispatching('a');
    await dispatcher.reconcile(Array.from({ length: 10_000 }, (_, at) => monitor(`m${at}`)));
    const seat = agent('a');
    await dispatcher.connect(seat);
    const again = new TaskList([...seat.list.tasks]);
    const counts = seat.messages.map((message) => {
      const applied = again.apply(message as TasksMessage);
      return `${applied} ${again.tasks.length}`;
    });
    assert.ok(counts.length > 2);
    assert.deepEqual([...new Set(counts.slice(0, -1))], ['partial 10000'], 'the tasks it had stay until then');
    assert.equal(counts.at(-1), 'changed 10000');
    const cut = new TaskList([...seat.list.tasks]);
    cut.apply(seat.messages[0] as TasksMessage);
    await dispatcher.reconcile([monitor('m1')]);
    const { revision: _revision, ...first } = seat.messages[0] as TasksMessage;
    assert.equal(cut.apply({ ...first, revision: 1, more: false }), 'changed');
    assert.equal(cut.tasks.length, first.set.length, 'what came over a connection that ended is forgotten');
  });

  test('SE5: frames are counted in bytes, whatever the alphabet, and each task lies in one', async () => {
    const { dispatcher } = dispatching('a');
    const bodies = ['监'.repeat(500), '\u0000'.repeat(300), '\ud83d\ude00'.repeat(200)];
    const many = Array.from({ length: 3000 }, (_, at) =>
      monitor(`监${at}`, { options: { body: bodies[at % bodies.length] ?? '' } }),
    );
    const large = monitor('large', { options: { body: 'é'.repeat(380_000) } });
    await dispatcher.reconcile([...many, large, monitor('last')]);
    const seat = agent('a');
    await dispatcher.connect(seat);
    assert.equal(seat.list.tasks.length, 3002);
    for (const message of seat.messages) assert.ok(Buffer.byteLength(JSON.stringify(message)) <= maxFrameBytes);
  });

  test('SE5: tens of thousands of tasks that go, go in frames too', async () => {
    const { dispatcher } = dispatching('a');
    await dispatcher.reconcile(Array.from({ length: 30_000 }, (_, at) => monitor(`m${at}`)));
    const seat = agent('a');
    await dispatcher.connect(seat);
    await dispatcher.reconcile([monitor('m1'), monitor('new', { options: { body: 'x'.repeat(700_000) } })]);
    assert.deepEqual(seat.names(), ['m1', 'new']);
    for (const message of seat.messages) {
      assert.ok(Buffer.byteLength(JSON.stringify(message)) <= maxFrameBytes);
    }
  });

  test('SF5: tasks of agents that are away are known', async () => {
    const { dispatcher, table } = dispatching('a', 'b');
    await dispatcher.reconcile([monitor('web', { agents: ['a'] }), monitor('dns'), monitor('lost', { agents: ['c'] })]);
    assert.deepEqual(namesOf(table), ['dns on id of a', 'dns on id of b', 'web on id of a']);
    assert.deepEqual(
      table.withoutAgent.map(({ name }) => name),
      ['lost'],
    );
    table.expect({ id: 'id of a', name: 'a', isRevoked: true });
    assert.deepEqual(namesOf(table), ['dns on id of b']);
    assert.deepEqual(
      table.withoutAgent.map(({ name }) => name),
      ['web', 'lost'],
    );
  });

  test('AT14: it is known how many results the tasks of an agent make', async () => {
    const { table, dispatcher } = dispatching('a', 'b');
    await dispatcher.reconcile([
      monitor('m', { intervalMs: 1000 }),
      monitor('n', { intervalMs: 4000, agents: ['a'] }),
      monitor('o', { intervalMs: 1, paused: true }),
    ]);
    for (const name of ['a', 'b']) await dispatcher.refresh(`id of ${name}`);
    const rates = () => ['id of a', 'id of b', 'nobody'].map((id) => table.resultsPerSecond(id));
    assert.deepEqual(rates(), [1.25, 1, 0]);
    await dispatcher.reconcile([monitor('m', { intervalMs: 500 })]);
    assert.deepEqual(rates(), [2, 2, 0]);
  });

  test('SF8: monitors that cannot be assigned change nothing, and can be taken over later', async () => {
    const { dispatcher, table, disk } = dispatching('a');
    await dispatcher.reconcile([monitor('web')]);
    const seat = agent('a');
    await dispatcher.connect(seat);
    disk.isFull = true;
    await assert.rejects(dispatcher.reconcile([monitor('mail')]), /the disk is full/);
    assert.deepEqual([seat.names(), namesOf(table)], [['web'], ['web on id of a']]);
    disk.isFull = false;
    await dispatcher.reconcile([monitor('mail')]);
    assert.deepEqual([seat.names(), namesOf(table)], [['mail'], ['mail on id of a']]);
  });

  test('SE6: a monitor follows the name that the server gives an agent', async () => {
    const { dispatcher, table } = dispatching('a', 'b');
    await dispatcher.reconcile([monitor('web', { agents: ['a'] })]);
    const [a, b] = [agent('a'), agent('b')];
    await Promise.all([dispatcher.connect(a), dispatcher.connect(b)]);
    table.expect({ id: 'id of a', name: 'old', isRevoked: false });
    table.expect({ id: 'id of b', name: 'a', isRevoked: false });
    await Promise.all(['id of a', 'id of b'].map((id) => dispatcher.refresh(id)));
    assert.deepEqual([a.names(), b.names()], [[], ['web']]);
  });

  test('changes that come while another is worked out are all told', async () => {
    const { dispatcher } = dispatching('a');
    const seat = agent('a');
    await dispatcher.connect(seat);
    await Promise.all(
      [1, 2, 3].map((count) => dispatcher.reconcile(Array.from({ length: count }, (_, at) => monitor(`m${at}`)))),
    );
    assert.deepEqual(seat.names(), ['m0', 'm1', 'm2']);
  });
});
