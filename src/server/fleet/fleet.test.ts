import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FakeClock } from '../../testing/fake-clock.ts';
import type { Heartbeat } from '../../protocol/messages.ts';
import { readAgentState, writeAgentState, type AgentState } from './agent-state.ts';
import { Fleet, type AgentView } from './fleet.ts';

const id = '0193a0de-0000-7000-8000-000000000001';

function heartbeat(clock: FakeClock, over: Partial<Heartbeat> = {}): Heartbeat {
  return {
    type: 'heartbeat',
    at: clock.now(),
    queue: { depth: 3, bytes: 900, oldestUnsentAt: clock.now() - 2000, lastSeq: 9 },
    health: { lagMs: 4, impaired: [] },
    tasks: 2,
    chains: [],
    sensors: [],
    ...over,
  };
}

function fleetOf(clock: FakeClock, kept = new Map<string, AgentState>()) {
  const changes: string[] = [];
  const absences: [from: number, to: number][] = [];
  const fleet = new Fleet({
    clock,
    onChange: (view, before) => changes.push(`${before} → ${view.status}`),
    onReturn: (_agentId, { from, to }) => absences.push([from, to]),
    keep: async (states) => {
      for (const state of states) kept.set(state.agentId, readAgentState(writeAgentState(state)) ?? state);
    },
  });
  fleet.expect({ id, name: 'seat-17', isRevoked: false });
  // The member was added above.
  return { fleet, changes, absences, view: (): AgentView => fleet.view(id)! };
}

describe('the status of an agent', () => {
  test('C2: is Online while it is heard, Reconnecting when its line breaks, Offline when it stays away', async () => {
    const clock = new FakeClock();
    const { fleet, changes } = fleetOf(clock);
    fleet.connected(id, { address: '192.0.2.1', version: '1' });
    fleet.heard(id, heartbeat(clock));
    fleet.disconnected(id);
    await clock.advance(20_000);
    fleet.connected(id, { address: '192.0.2.1', version: '1' });
    assert.deepEqual(changes, [
      'offline → online',
      'online → reconnecting',
      'reconnecting → offline',
      'offline → online',
    ]);
    await fleet.stop();
    assert.equal(clock.pending, 0);
  });

  test('of an agent that is not expected is not kept, whatever is told of it', () => {
    const clock = new FakeClock();
    const { fleet, changes, absences } = fleetOf(clock);
    fleet.connected('stranger', { address: '192.0.2.1', version: '1' });
    fleet.heard('stranger', heartbeat(clock));
    fleet.disconnected('stranger');
    assert.deepEqual([fleet.view('stranger'), fleet.views().length, changes, absences], [undefined, 1, [], []]);
  });

  test('SE2: an impaired agent confirms the clock like any other, one that is away does not', async () => {
    const clock = new FakeClock();
    const { fleet } = fleetOf(clock);
    fleet.connected(id, { address: '192.0.2.1', version: '1' });
    fleet.heard(id, heartbeat(clock, { health: { lagMs: 0, impaired: [{ part: 'gateway', message: 'no answer' }] } }));
    assert.equal(fleet.confirmsClock(), true);
    fleet.disconnected(id);
    assert.equal(fleet.confirmsClock(), false);
  });

  for (const [address, confirms] of [
    ['192.0.2.1', true],
    ['192.0.2.1:7412', true],
    ['[2001:db8::1]:7412', true],
    ['seat-17.example:7412', true],
    ['127.0.0.1', false],
    ['127.0.0.1:7412', false],
    ['localhost:7412', false],
    ['::1', false],
    ['[::1]:7412', false],
    // This machine's own, by which an agent on it reaches the server.
    ['192.0.2.9', false],
    ['192.0.2.9:7412', false],
    ['2001:db8::9', false],
    ['[2001:db8::9]:7412', false],
  ] as const)
    test(`SE2: an agent at ${address} ${confirms ? 'confirms' : 'cannot confirm'} the clock of the server`, () => {
      const clock = new FakeClock();
      const { fleet } = fleetOf(clock);
      fleet.connected(id, { address, version: '1' });
      fleet.heard(id, heartbeat(clock));
      assert.equal(fleet.confirmsClock(['192.0.2.9', '2001:db8::9']), confirms);
    });

  test('is Offline when it says nothing, although its line seems open', async () => {
    const clock = new FakeClock();
    const { fleet, view } = fleetOf(clock);
    fleet.connected(id, { address: '192.0.2.1', version: '1' });
    await clock.advance(14_000);
    assert.equal(view().status, 'online');
    await clock.advance(3000);
    assert.equal(view().status, 'offline');
    fleet.heard(id, heartbeat(clock));
    assert.equal(view().status, 'online');
    await fleet.stop();
  });

  test('is Impaired when its own self-test fails, and says what', () => {
    const clock = new FakeClock();
    const { fleet, view } = fleetOf(clock);
    fleet.connected(id, { address: '192.0.2.1', version: '1' });
    fleet.heard(
      id,
      heartbeat(clock, { health: { lagMs: 1, impaired: [{ part: 'resolver', message: 'no resolver answers' }] } }),
    );
    assert.equal(view().status, 'impaired');
    assert.deepEqual(view().impaired, ['no resolver answers']);
    void fleet.stop();
  });

  test('is Revoked once it is revoked, whatever it says', () => {
    const clock = new FakeClock();
    const { fleet, view } = fleetOf(clock);
    fleet.expect({ id, name: 'seat-17', isRevoked: true });
    fleet.heard(id, heartbeat(clock));
    assert.equal(view().status, 'revoked');
    void fleet.stop();
  });
});

test("SE10: a step of the server's wall clock makes nobody silent, and keeps nobody who is", async () => {
  const clock = new FakeClock();
  const { fleet, view } = fleetOf(clock);
  fleet.connected(id, { address: '192.0.2.1', version: '1' });
  fleet.heard(id, heartbeat(clock));
  clock.stepWall(20_000);
  await clock.advance(2000);
  assert.equal(view().status, 'online');
  clock.stepWall(-3_600_000);
  await clock.advance(14_000);
  assert.equal(view().status, 'offline');
  await fleet.stop();
});

describe('SE3: a clock that is off is a state of the agent that people see', () => {
  for (const [offsetMs, impaired] of [
    [4900, []],
    [-4900, []],
    [3_600_000, ["its clock is 1h ahead of the server's: one of the two is wrong"]],
    [-90_000, ["its clock is 90s behind the server's: one of the two is wrong"]],
  ] as const)
    test(`by ${offsetMs} ms`, () => {
      const clock = new FakeClock();
      const { fleet, view } = fleetOf(clock);
      fleet.connected(id, { address: '192.0.2.1', version: '1' });
      fleet.heard(id, heartbeat(clock, { at: clock.now() + offsetMs }));
      assert.deepEqual(view().impaired, impaired);
      assert.equal(view().status, impaired.length > 0 ? 'impaired' : 'online');
      void fleet.stop();
    });

  test('but a heartbeat that was long on its way says nothing of the clock', () => {
    const clock = new FakeClock();
    const { fleet, view } = fleetOf(clock);
    fleet.connected(id, { address: '192.0.2.1', version: '1' });
    for (const delayMs of [10, 9000, 6000]) fleet.heard(id, heartbeat(clock, { at: clock.now() - delayMs }));
    assert.deepEqual([view().status, view().clockOffsetMs], ['online', -10]);
    void fleet.stop();
  });
});

test('B3: an agent shows how much waits in its queue, since when, and how far its clock is off', async () => {
  const clock = new FakeClock();
  const { fleet, view } = fleetOf(clock);
  fleet.connected(id, { address: '192.0.2.1', version: '1' });
  fleet.heard(id, heartbeat(clock, { at: clock.now() + 1500 }));
  assert.deepEqual(view().queue, { depth: 3, bytes: 900, oldestUnsentAt: clock.now() - 2000, at: clock.now() });
  assert.equal(view().clockOffsetMs, 1500);
  assert.equal(view().address, '192.0.2.1');
  await fleet.stop();
});

describe('SF5, SI3: what was known of an agent outlives a restart of the server', () => {
  const address = '192.0.2.1';

  test('of one that is away: since when, its address, tasks and queue, with the age of its word', async () => {
    const clock = new FakeClock();
    const kept = new Map<string, AgentState>();
    const before = fleetOf(clock, kept);
    before.fleet.connected(id, { address, version: '1' });
    before.fleet.heard(id, heartbeat(clock, { at: clock.now() + 7000 }));
    before.fleet.disconnected(id);
    await clock.advance(60_000);
    const { since, queue } = before.view();
    assert.equal(queue?.at, since - 16_000);
    await before.fleet.stop();
    await clock.advance(3_600_000);
    const after = fleetOf(clock, kept);
    after.fleet.restore([...kept.values()]);
    assert.deepEqual(after.view(), before.view());
    await clock.advance(60_000);
    assert.deepEqual([after.view().status, after.view().since], ['offline', since]);
    await after.fleet.stop();
  });

  test('of one that was there: it may be back in a moment, and is away if it does not come', async () => {
    const clock = new FakeClock();
    const kept = new Map<string, AgentState>();
    const before = fleetOf(clock, kept);
    before.fleet.connected(id, { address, version: '1' });
    before.fleet.heard(id, heartbeat(clock));
    await before.fleet.stop();
    const heardAt = clock.now();
    await clock.advance(10_000);
    const after = fleetOf(clock, kept);
    after.fleet.restore([...kept.values()]);
    const { status, since, tasks, queue } = after.view();
    assert.deepEqual([status, since, tasks, queue?.depth, queue?.at], ['reconnecting', heardAt, 2, 3, heardAt]);
    await clock.advance(16_000);
    assert.equal(after.view().status, 'offline');
    await after.fleet.stop();
  });

  test('is kept when the status changes, else every 30 s, and again if the store refused', async () => {
    const clock = new FakeClock();
    let refusals = 1;
    const times: number[] = [];
    const fleet = new Fleet({
      clock,
      onChange: () => {},
      onReturn: () => {},
      keep: async () => {
        times.push(Math.round(clock.monotonic() / 1000));
        if (refusals-- > 0) throw new Error('the disk is full');
      },
    });
    fleet.expect({ id, name: 'seat-17', isRevoked: false });
    const startedS = Math.round(clock.monotonic() / 1000);
    fleet.connected(id, { address, version: '1' });
    for (let beat = 0; beat < 13; beat++) {
      fleet.heard(id, heartbeat(clock));
      await clock.advance(5000);
    }
    assert.deepEqual(
      times.map((at) => at - startedS),
      [1, 31, 61],
    );
    await fleet.stop();
  });

  test('an agent that never told has no queue, not an empty one', async () => {
    const { fleet, view } = fleetOf(new FakeClock());
    assert.equal(view().queue, undefined);
    await fleet.stop();
  });
});

test('SI5: an agent that is back was not heard since its last word; a line that broke for a moment is nothing', async () => {
  const clock = new FakeClock();
  const { fleet, absences } = fleetOf(clock);
  const comes = (): void => fleet.connected(id, { address: '192.0.2.1', version: '1' });
  comes();
  fleet.disconnected(id);
  await clock.advance(5000);
  comes();
  assert.deepEqual(absences, []);
  const from = clock.now();
  fleet.disconnected(id);
  await clock.advance(60_000);
  comes();
  assert.deepEqual(absences, [[from, from + 60_000]]);
  await fleet.stop();
});
