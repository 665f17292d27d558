import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FakeClock } from '../../testing/fake-clock.ts';
import type { Heartbeat } from '../../protocol/messages.ts';
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

function fleetOf(clock: FakeClock): { fleet: Fleet; changes: string[]; view: () => AgentView } {
  const changes: string[] = [];
  const fleet = new Fleet({ clock, onChange: (view, before) => changes.push(`${before} → ${view.status}`) });
  fleet.expect({ id, name: 'seat-17', isRevoked: false });
  // The member was added above.
  return { fleet, changes, view: () => fleet.view(id)! };
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
    fleet.stop();
    assert.equal(clock.pending, 0);
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
    fleet.stop();
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
    fleet.stop();
  });

  test('is Revoked once it is revoked, whatever it says', () => {
    const clock = new FakeClock();
    const { fleet, view } = fleetOf(clock);
    fleet.expect({ id, name: 'seat-17', isRevoked: true });
    fleet.heard(id, heartbeat(clock));
    assert.equal(view().status, 'revoked');
    fleet.stop();
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
  fleet.stop();
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
      fleet.stop();
    });

  test('but a heartbeat that was long on its way says nothing of the clock', () => {
    const clock = new FakeClock();
    const { fleet, view } = fleetOf(clock);
    fleet.connected(id, { address: '192.0.2.1', version: '1' });
    for (const delayMs of [10, 9000, 6000]) fleet.heard(id, heartbeat(clock, { at: clock.now() - delayMs }));
    assert.deepEqual([view().status, view().clockOffsetMs], ['online', -10]);
    fleet.stop();
  });
});

test('B3: an agent shows how much waits in its queue, since when, and how far its clock is off', async () => {
  const clock = new FakeClock();
  const { fleet, view } = fleetOf(clock);
  fleet.connected(id, { address: '192.0.2.1', version: '1' });
  fleet.heard(id, heartbeat(clock, { at: clock.now() + 1500 }));
  assert.deepEqual(view().queue, { depth: 3, bytes: 900, oldestUnsentAt: clock.now() - 2000 });
  assert.equal(view().clockOffsetMs, 1500);
  assert.equal(view().address, '192.0.2.1');
  fleet.stop();
});
