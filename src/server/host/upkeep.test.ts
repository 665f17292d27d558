import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { FakeClock } from '../../testing/fake-clock.ts';
import { Health } from './health.ts';
import { Upkeep } from './upkeep.ts';

const nothing = { tasks: [], agents: [] };
const unused = { monitorIds: () => [], onDropped: () => {} };
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('FC13: a store that cannot be tidied makes the server unwell within a round, and is tried again until it can', async (t) => {
  const clock = new FakeClock();
  const health = new Health({
    clock,
    wanted: () => [],
    withoutAgent: () => [],
    measuredMs: () => undefined,
    agentName: (agentId) => agentId,
  });
  let isBroken = true;
  const said: string[] = [];
  const upkeep = new Upkeep({
    clock,
    store: {
      seal: async () => (isBroken ? await Promise.reject(new Error('the disk is full')) : 0),
      retain: async () => nothing,
      decidedAt: async () => undefined,
    },
    clientLogs: { drop: async () => {} },
    ...unused,
    retention: undefined,
    isClockConfirmed: () => false,
    acceptsClock: false,
    say: (text) => said.push(text),
    health,
  });
  t.after(() => upkeep.stop());
  upkeep.start();
  await settle();
  assert.deepEqual(health.report().problems, ['the store is not being tidied: the disk is full']);
  assert.match(said[0] ?? '', /tried again in 10 minutes: the disk is full/);
  isBroken = false;
  await clock.advance(600_000);
  await settle();
  assert.deepEqual(health.report(), { isWell: true, problems: [], warnings: [] });
});

const dayMs = 86_400_000;

interface Keeping {
  readonly decidedAt?: number;
  readonly isClockConfirmed?: () => boolean;
  readonly acceptsClock?: boolean;
}

/** An upkeep that keeps results for 400 days, and the times by which it decided. */
function keeping(t: TestContext, clock: FakeClock, { decidedAt, ...trust }: Keeping = {}) {
  const decided: number[] = [];
  const said: string[] = [];
  const upkeep = new Upkeep({
    clock,
    store: {
      seal: async () => 0,
      decidedAt: async () => decidedAt,
      async retain(cutoffs) {
        decided.push(cutoffs.decidedAt);
        return nothing;
      },
    },
    clientLogs: { drop: async () => {} },
    ...unused,
    retention: { results: 400 * dayMs, hours: 1200 * dayMs, days: 3650 * dayMs, devices: dayMs, traffic: dayMs },
    isClockConfirmed: () => false,
    acceptsClock: false,
    ...trust,
    say: (text) => said.push(text),
    health: { noteUpkeep: () => {} },
  });
  t.after(() => upkeep.stop());
  return { upkeep, decided, said };
}

describe('SE2: retention believes no clock that leaps', () => {
  test('at the start, two years ahead of where it last decided: nothing is older than it was, and that is said once', async (t) => {
    const clock = new FakeClock();
    const decidedAt = clock.now() - 730 * dayMs;
    const { upkeep, decided, said } = keeping(t, clock, { decidedAt });
    upkeep.start();
    await clock.advance(0);
    await clock.advance(600_000);
    assert.deepEqual(decided, [decidedAt, decidedAt + 600_000], 'it goes on by the monotonic clock');
    assert.equal(said.length, 1);
    assert.match(
      said[0] ?? '',
      /^Nothing is deleted by the clock of this machine, which is 730d later than expected: .*--accept-clock/,
    );
  });

  test('while it runs', async (t) => {
    const clock = new FakeClock();
    const start = clock.now();
    const { upkeep, decided } = keeping(t, clock);
    upkeep.start();
    await clock.advance(0);
    clock.stepWall(730 * dayMs);
    await clock.advance(600_000);
    clock.stepWall(-730 * dayMs);
    await clock.advance(600_000);
    assert.deepEqual(decided, [start, start + 600_000, start + 1_200_000]);
  });

  test('a clock that was set back moves nothing back', async (t) => {
    const clock = new FakeClock();
    const start = clock.now();
    const { upkeep, decided } = keeping(t, clock);
    upkeep.start();
    await clock.advance(0);
    clock.stepWall(-3_600_000);
    await clock.advance(600_000);
    assert.deepEqual(decided, [start, start]);
  });

  for (const [who, trust] of [
    ['an agent elsewhere agrees', { isClockConfirmed: () => true }],
    ['the administrator says so', { acceptsClock: true }],
  ] as const)
    test(`unless ${who}`, async (t) => {
      const clock = new FakeClock();
      const { upkeep, decided, said } = keeping(t, clock, { decidedAt: clock.now() - 3 * dayMs, ...trust });
      upkeep.start();
      await clock.advance(0);
      assert.deepEqual([decided, said], [[clock.now()], []]);
    });
});
