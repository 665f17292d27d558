import assert from 'node:assert/strict';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, test } from 'node:test';
import { openSqliteStore } from '../../../commands/serve/open-store.ts';
import type { Entry } from '../../../core/entry.ts';
import type { Cutoffs, Dropped, Store } from '../store.ts';
import { dayMs, hourMs } from '../summary.ts';
import { noPolicies } from '../../../core/state/policies.ts';
import { monitorPolicy } from '../../../testing/monitor-policy.ts';
import { removeFolder } from '../../../testing/remove-folder.ts';

/** Tables that retention leaves alone when everything was removed and all time has passed. */
const stays: Readonly<Record<string, string>> = {
  horizon: 'one row, which says what was decided',
  rooms: 'written in the configuration, or made and deleted through the interface',
  accounts: 'people stay until a person removes them',
  policies: 'one row, which is replaced',
};

const start = Date.now() - 20 * dayMs;
const [berlin, seat] = ['01998a00-0000-7000-8000-00000000000a', '01998a00-0000-7000-8000-00000000000b'];
const epoch = 'epoch-1';

const exam = { name: 'exam', by: 'Physics', otherDevices: 'alarm', otherPeers: 'notice', sensors: [] } as const;
const lab = { id: 'lab', name: 'lab', seats: [], places: {}, policies: [exam] };
const course = { startedAt: start, startedBy: 'Ada', until: start + hourMs };
const session = { id: 's1', roomId: 'lab', room: 'lab', policy: exam, seats: [], patterns: [], ...course };

interface Scene extends AsyncDisposable {
  readonly store: Store;
  /** Rows of each table of the schema. */
  readonly counts: () => Readonly<Record<string, number>>;
}

async function makeScene(): Promise<Scene> {
  const folder = await mkdtemp(join(tmpdir(), 'watchkeeper-leftovers-'));
  const store = await openSqliteStore({ folder });
  const counts = (): Record<string, number> => {
    using db = new DatabaseSync(join(folder, 'watchkeeper.db'), { readOnly: true });
    const tables = db
      .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
      .all()
      .map(({ name }) => String(name));
    return Object.fromEntries(
      tables.map((name) => [name, Number(db.prepare(`SELECT count(*) AS n FROM ${name}`).get()?.['n'])]),
    );
  };
  return {
    store,
    counts,
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      await removeFolder(folder);
    },
  };
}

function resultOf(taskId: string, seq: number, scheduledAt: number): Entry {
  const times = { scheduledAt, startedAt: scheduledAt, durationMs: 1 };
  const outcome = { status: 'up', metrics: {}, detail: {}, message: 'Open.' } as const;
  return { seq, item: { kind: 'result', taskId, monitorId: 'monitor-1', ...times, ...outcome } };
}

function recordOf(chain: string, seq: number, n: number) {
  const line = `line ${n} of ${chain}`;
  const record = { seq, chain, sensor: 'usb', n, at: start, event: 'usb-connected', line, hash: `h${n}` } as const;
  return { ...record, address: undefined, receivedAt: start };
}

/** Something in every table: an agent with a task that has sealed and recent results, a gap and a chain with an alarm. */
async function fill(store: Store): Promise<string> {
  for (const [id, name] of [
    [berlin, 'berlin'],
    [seat, 'seat'],
  ] as const)
    await store.saveAgent({ id, name, publicKey: `key of ${name}`, joinedAt: start });
  await store.saveAgentStates([{ agentId: berlin, state: { since: start } }]);
  await store.saveAbsence(berlin, { from: start, to: start + 1000, reason: 'unheard' });
  await store.createJoinToken({ id: 't', key: 'k', createdAt: start, expiresAt: start + hourMs, numbersNames: false });
  await store.saveMonitor({ id: 'monitor-1', definition: {} });
  await store.saveAccount({ id: 'ada', name: 'Ada', role: 'admin', passwordHash: '$', createdAt: start });
  await store.saveSignIn({ key: 's', accountId: 'ada', createdAt: start, expiresAt: start + hourMs });
  await store.setPaused('monitor-1', true);
  await store.setRooms('api', [lab]);
  await store.saveSession(session);
  const { tasks } = await store.assignTasks(berlin, ['monitor-1']);
  const taskId = tasks[0]?.id ?? '';
  const commit = (entries: readonly Entry[], receivedAt = start) =>
    store.commit({ agentId: berlin, epoch, entries, receivedAt });
  await commit([
    resultOf(taskId, 1, start),
    { seq: 2, item: { kind: 'gap', ranges: [[3, 4]], cause: 'overflow', at: start } },
  ]);
  await store.seal(start + dayMs);
  await commit([resultOf(taskId, 5, start + hourMs)]);
  await store.beginChain({ chain: 'c1', agentId: berlin, sensor: 'usb', key: 'k', head: 'h0', begunAt: start });
  const record = recordOf('c1', 6, 1);
  const item = { kind: 'record' as const, chain: 'c1', line: record.line };
  await store.commit({ agentId: berlin, epoch, entries: [{ seq: 6, item }], records: [record], receivedAt: start });
  const cursor = { n: 1, head: 'h1', key: 'k2' };
  const alarm = { chain: 'c1', n: 1, cause: 'edited', at: start, message: 'edited' } as const;
  await store.saveChains([{ chain: 'c1', cursor, anchor: undefined }], [alarm]);
  return taskId;
}

async function deliverAll(store: Store): Promise<void> {
  const rows = await store.claim({ notifier: 'mail', now: Date.now(), leaseMs: 1, limit: 100 });
  await store.settle(rows.map(({ id, dueAt }) => ({ id, outcome: 'delivered', at: dueAt })));
}

/** A monitor that failed, somebody who was told, and results that were not taken yet. */
async function fillStates(store: Store, taskId: string): Promise<void> {
  const monitor = monitorPolicy({ id: 'monitor-1', agents: [berlin] });
  await store.setPolicies(
    { monitors: [monitor], notify: [{ notifier: 'mail', step: 0, afterMs: 0 }], windows: [] },
    start,
  );
  const schedule = { kind: 'once', from: start, to: start + 1 } as const;
  await store.saveAlertWindow({ id: 'w', kind: 'silence', name: 'w', monitors: ['*'], schedule }, start);
  await store.noteAgents([{ id: berlin, name: 'berlin', status: 'well', message: '', at: start }]);
  const fail = (seq: number): Promise<unknown> => {
    const at = start + 2 * hourMs + seq * 1000;
    const { item } = resultOf(taskId, seq, at);
    const entry = { seq, item: { ...item, status: 'down' as const } } as Entry;
    return store.commit({ agentId: berlin, epoch, entries: [entry], receivedAt: at });
  };
  for (const seq of [7, 8]) await fail(seq);
  await store.evaluate({ now: start + 2 * hourMs + 8000, steppedMs: 0 });
  await store.evaluate({ now: start + 2 * hourMs + 12_000, steppedMs: 0 });
  await deliverAll(store);
  await store.commit({
    agentId: berlin,
    epoch,
    entries: [resultOf(taskId, 9, start + 3 * hourMs)],
    receivedAt: start + 3 * hourMs,
  });
}

/** All that came before this time is too old. */
function before(at: number, more: Partial<Cutoffs> = {}): Cutoffs {
  const cutoffs = { decidedAt: at, resultsBefore: at, hoursBefore: at, daysBefore: at };
  return { ...cutoffs, recordsBefore: { usb: at, mounts: at, traffic: at }, ...more };
}

describe('SF15: what belongs to nothing any more goes after its time', () => {
  test('every table is empty when everything was removed and all time has passed, or says why not', async () => {
    await using scene = await makeScene();
    const { store, counts } = scene;
    const taskId = await fill(store);
    await fillStates(store, taskId);
    const filled = counts();
    assert.deepEqual(
      Object.keys(filled).filter((table) => filled[table] === 0),
      [],
      'this test puts a row into every table: fill a new one too, and give it a rule in leftovers.ts or a reason here',
    );
    await store.deleteMonitor('monitor-1', start);
    await store.setPolicies(noPolicies, start + 4 * hourMs);
    await deliverAll(store);
    for (const agentId of [berlin, seat]) assert.equal(await store.removeAgent(agentId, start + hourMs), true);
    const future = Date.now() + 10 * dayMs;
    const dropped = await store.retain(before(future, { monitorIds: [] }));
    assert.deepEqual(dropped, { tasks: [taskId], agents: [berlin, seat] } satisfies Dropped);
    const left = Object.entries(counts()).filter(([table, count]) => count > 0 && stays[table] === undefined);
    assert.deepEqual(left, []);
    assert.deepEqual(await store.retain(before(future + 1, { monitorIds: [] })), { tasks: [], agents: [] });
  });

  test('nothing goes while its monitor and its agent are there, however old: the agent goes on where it was', async () => {
    await using scene = await makeScene();
    const { store, counts } = scene;
    const taskId = await fill(store);
    const future = Date.now() + 10 * dayMs;
    const dropped = await store.retain(before(future, { monitorIds: ['monitor-1'] }));
    assert.deepEqual(dropped, { tasks: [], agents: [] });
    const { agents, monitors, tasks, assignments, epochs, chains, paused } = counts();
    assert.deepEqual(
      { agents, monitors, tasks, assignments, epochs, chains, paused },
      {
        agents: 2,
        monitors: 1,
        tasks: 1,
        assignments: 1,
        epochs: 1,
        chains: 1,
        paused: 1,
      },
    );
    const entries = [resultOf(taskId, 1, future), resultOf(taskId, 7, future)];
    const { added } = await store.commit({ agentId: berlin, epoch, entries, receivedAt: future });
    assert.deepEqual(added, [[7, 7]], 'number 1 was received before');
    const found = await store.results({ taskId, from: 0, to: future + 1, limit: 10 });
    assert.equal(found.length, 1);
  });

  test('a removed agent stays as long as anything of it is kept', async () => {
    await using scene = await makeScene();
    const { store, counts } = scene;
    const taskId = await fill(store);
    await store.removeAgent(berlin, start + hourMs);
    assert.equal(await store.removeAgent(berlin, start + 2 * hourMs), false, 'once');
    assert.equal(await store.removeAgent('nobody', start), false);
    const [agent] = await store.agents();
    assert.deepEqual([agent?.revokedAt, agent?.removedAt], [start + hourMs, start + hourMs]);
    // Its results are too old; their summaries by day are not.
    const soon = start + 2 * dayMs;
    const { agents } = await store.retain(before(soon, { daysBefore: start - dayMs, monitorIds: ['monitor-1'] }));
    assert.deepEqual(agents, []);
    assert.equal((await store.summaries({ taskId, from: 0, to: soon, resolution: 'day' })).length, 1);
    assert.equal(counts()['tasks'], 1);
    const late = await store.retain(before(soon, { monitorIds: ['monitor-1'] }));
    assert.deepEqual(late, { tasks: [taskId], agents: [berlin] });
  });

  test('a removed agent that is invited again is there as before', async () => {
    await using scene = await makeScene();
    const { store } = scene;
    await fill(store);
    await store.removeAgent(berlin, start + hourMs);
    const agent = { id: berlin, name: 'berlin', publicKey: 'key of berlin', joinedAt: start };
    assert.equal(await store.joinAgent(agent), 'accepted');
    assert.deepEqual((await store.agents())[0], agent);
    const { agents } = await store.retain(before(Date.now() + dayMs, { monitorIds: ['monitor-1'] }));
    assert.deepEqual(agents, []);
  });

  test('a task without a result goes with its monitor, but not in the days in which one may still come', async () => {
    await using scene = await makeScene();
    const { store } = scene;
    await store.saveAgent({ id: berlin, name: 'berlin', publicKey: 'key', joinedAt: start });
    const { tasks } = await store.assignTasks(berlin, ['gone', 'there']);
    const [gone] = tasks;
    const retain = async (at: number, monitorIds: readonly string[]): Promise<readonly string[]> =>
      (await store.retain(before(at, { monitorIds }))).tasks;
    assert.deepEqual(await retain(Date.now() - hourMs, ['there']), [], 'made after that');
    assert.deepEqual(await retain(Date.now() + hourMs, ['there', 'gone']), [], 'its monitor is there');
    assert.deepEqual(await retain(Date.now() + hourMs, ['there']), [gone?.id]);
    const again = await store.assignTasks(berlin, ['gone', 'there']);
    assert.notEqual(again.tasks[0]?.id, gone?.id);
    assert.equal(again.tasks[1]?.id, tasks[1]?.id);
  });

  test('a task is listed as long as there is a summary of it, also when its clock was ahead and was corrected', async () => {
    await using scene = await makeScene();
    const { store } = scene;
    const taskId = await fill(store);
    const ahead = start + 300 * dayMs;
    const commit = (seq: number, at: number) =>
      store.commit({ agentId: berlin, epoch, entries: [resultOf(taskId, seq, at)], receivedAt: start });
    await commit(7, ahead);
    await commit(8, start + 2 * hourMs);
    await store.seal(ahead + dayMs);
    await store.retain(before(start + 100 * dayMs, { monitorIds: [] }));
    const days = await store.summaries({ taskId, from: 0, to: ahead + dayMs, resolution: 'day' });
    assert.deepEqual([days.length, (await store.measured()).map(({ id }) => id)], [1, [taskId]]);
    const { tasks } = await store.retain(before(ahead + 2 * dayMs, { monitorIds: [] }));
    assert.deepEqual([tasks, await store.measured()], [[taskId], []]);
  });

  test('an epoch goes when its agent has a later one and results of its time are no longer taken', async () => {
    await using scene = await makeScene();
    const { store, counts } = scene;
    const taskId = await fill(store);
    await store.retain(before(start + 2 * dayMs, { daysBefore: start + 2 * dayMs }));
    assert.equal(counts()['epochs'], 1, 'the only one of its agent');
    const entries = [resultOf(taskId, 1, start + 3 * dayMs)];
    await store.commit({ agentId: berlin, epoch: 'epoch-2', entries, receivedAt: start + 3 * dayMs });
    await store.retain(before(start - hourMs));
    assert.equal(counts()['epochs'], 2);
    await store.retain(before(start + 2 * dayMs));
    assert.deepEqual([await store.received(berlin, epoch), await store.received(berlin, 'epoch-2')], [[], [[1, 1]]]);
  });

  test('an old chain goes when another took its place, the newest stays', async () => {
    await using scene = await makeScene();
    const { store } = scene;
    await fill(store);
    const second = {
      chain: 'c2',
      agentId: berlin,
      sensor: 'usb',
      key: 'k',
      head: 'h0',
      begunAt: start + dayMs,
    } as const;
    await store.beginChain(second);
    const chains = async (): Promise<readonly string[]> => (await store.chains()).map(({ chain }) => chain);
    await store.retain(before(start + hourMs));
    assert.deepEqual(await chains(), ['c1', 'c2'], 'it was followed by the second only later');
    await store.retain(before(start + 2 * dayMs, { recordsBefore: { traffic: start + 2 * dayMs } }));
    assert.deepEqual(await chains(), ['c1', 'c2'], 'of another sensor');
    await store.retain(before(start + 2 * dayMs));
    assert.deepEqual(await chains(), ['c2']);
    assert.deepEqual(await store.alarms({ limit: 9 }), []);
  });

  test('results that are too old are told in one gap a batch, by its oldest time and the time it came', async () => {
    await using scene = await makeScene();
    const { store } = scene;
    const taskId = await fill(store);
    await store.retain(before(start + 2 * dayMs, { daysBefore: start }));
    const entries = [7, 8, 9, 12].map((seq) => resultOf(taskId, seq, start - seq * hourMs));
    const receivedAt = start + 3 * dayMs;
    const { tooOld } = await store.commit({ agentId: berlin, epoch, entries, receivedAt });
    const ranges = [
      [7, 9],
      [12, 12],
    ];
    assert.deepEqual(tooOld, ranges);
    const gap = { epoch, ranges, cause: 'too-old', at: start - 12 * hourMs, receivedAt };
    assert.deepEqual((await store.gaps(berlin)).at(-1), gap);
    await store.retain(before(start + 2 * dayMs));
    assert.deepEqual(await store.gaps(berlin), [gap], 'what was told later is kept');
  });

  test('an expired token is known for a day', async () => {
    await using scene = await makeScene();
    const { store } = scene;
    await fill(store);
    await store.retain(before(start + hourMs + dayMs));
    assert.ok(await store.joinToken('t'));
    await store.retain(before(start + hourMs + dayMs + 1));
    assert.equal(await store.joinToken('t'), undefined);
  });
});
