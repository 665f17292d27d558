import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Monitor, Result } from '../core/monitor.ts';
import { up } from '../core/outcome.ts';
import { firstRunAfter, scheduleOf, slotAfter } from '../core/schedule.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { testMonitor } from '../testing/monitors.ts';
import { Scheduler, type Turn } from './scheduler.ts';

interface Span {
  readonly id: string;
  readonly slot: number;
  readonly startedAt: number;
  endedAt?: number;
}

interface BenchOptions {
  /** How long a run of this monitor takes. */
  readonly takesMs?: (monitor: Monitor) => number;
  readonly limits?: Readonly<Record<string, number>>;
  readonly ignoresAbort?: boolean;
  readonly runsSoon?: boolean;
}

/** A scheduler on a fake clock whose runs take as long as the test says. */
function bench({ takesMs = () => 10, limits = {}, ignoresAbort = false, runsSoon = false }: BenchOptions = {}) {
  const clock = new FakeClock();
  const results: Result[] = [];
  const spans: Span[] = [];
  async function run(monitor: Monitor, { controller, scheduledAt }: Turn): Promise<Result> {
    const startedAt = clock.now();
    const span: Span = { id: monitor.id, slot: scheduledAt, startedAt };
    spans.push(span);
    await new Promise<void>((resolve) => {
      clock.after(takesMs(monitor), resolve);
      if (!ignoresAbort) controller.signal.addEventListener('abort', () => resolve(), { once: true });
    });
    span.endedAt = clock.now();
    return { ...up('ok'), monitor, scheduledAt, startedAt, durationMs: span.endedAt - startedAt };
  }
  const onResult = (result: Result): void => void results.push(result);
  const scheduler = new Scheduler({ clock, run, limits, onResult, runsSoon });
  return { clock, results, spans, scheduler };
}

function missedRuns(result: Result): number {
  return result.reason === 'missed' ? Number(result.detail['missedRuns']) : 0;
}

test('a slot that passed while the machine slept is missed, although the monitor is gone before anybody looks (simulator, seed 4)', () => {
  const clock = new FakeClock();
  const taken: Result[] = [];
  const scheduler = new Scheduler({
    clock,
    run: () => new Promise(() => {}),
    onResult: () => {},
    onTakenAway: (result) => taken.push(result),
  });
  const monitor = testMonitor();
  scheduler.reconcile([monitor]);
  const first = slotAfter(scheduleOf(monitor), clock.now());
  clock.stall(3 * monitor.intervalMs);
  scheduler.reconcile([]);
  assert.deepEqual(
    taken.map((result) => [result.scheduledAt, missedRuns(result)]),
    [[first, 3]],
  );
});

test('a clock that is set back right after the start holds nothing up (simulator, seed 2002)', async () => {
  const { clock, spans, scheduler } = bench();
  const monitor = testMonitor();
  scheduler.reconcile([monitor]);
  clock.stepWall(-3_600_000);
  await clock.advance(2 * monitor.intervalMs);
  assert.ok(spans.length >= 1);
  await scheduler.stop();
});

function many(type: string): readonly Monitor[] {
  return Array.from({ length: 120 }, (_, index) => testMonitor({ id: `${type}-${index}`, type }));
}

test('MU36: of traceroutes only as many run at once as their type allows', async () => {
  const { clock, spans, scheduler } = bench({ takesMs: () => 300_000 });
  scheduler.reconcile([...many('traceroute'), ...many('tcp')]);
  await clock.advance(60_000);
  const running = (type: string): number => spans.filter(({ id, endedAt }) => id.startsWith(type) && !endedAt).length;
  assert.deepEqual([running('traceroute'), running('tcp')], [50, 120]);
  await scheduler.stop();
});

describe('a monitor runs in its slots', () => {
  test('at phase + k × interval, without drift', async () => {
    const { clock, spans, scheduler } = bench();
    const monitor = testMonitor();
    const { phaseMs } = scheduleOf(monitor);
    scheduler.reconcile([monitor]);
    await clock.advance(100_000);
    assert.equal(spans.length, 10);
    for (const { startedAt, slot } of spans) {
      assert.equal(startedAt, slot);
      assert.equal((slot - phaseMs) % monitor.intervalMs, 0);
    }
    await scheduler.stop();
  });

  test('and in the same ones after a restart', async () => {
    const monitor = testMonitor();
    const { clock, scheduler, spans } = bench();
    scheduler.reconcile([monitor]);
    await clock.advance(25_000);
    await scheduler.stop();
    const before = spans.length;
    await clock.advance(3456);
    scheduler.reconcile([monitor]);
    await clock.advance(30_000);
    const phases = new Set(spans.map(({ startedAt }) => startedAt % monitor.intervalMs));
    assert.equal(phases.size, 1);
    assert.ok(spans.length > before);
    await scheduler.stop();
  });

  test('SF20: and where it is asked for, once soon after it was added: 20 at once, the rest spread over a minute', async () => {
    const { clock, spans, scheduler } = bench({ runsSoon: true });
    const monitors = Array.from({ length: 1000 }, (_, index) =>
      testMonitor({ id: `m${index}`, intervalMs: 3_600_000 }),
    );
    scheduler.reconcile(monitors);
    const startMs = clock.now();
    await clock.advance(60_000);
    const firstRuns = [...Map.groupBy(spans, ({ id }) => id).values()].flatMap(([first]) => first ?? []);
    assert.equal(firstRuns.length, 1000);
    assert.equal(firstRuns.filter(({ startedAt }) => startedAt === startMs).length, 20);
    for (let second = 1; second < 60; second++) {
      const within = firstRuns.filter(({ startedAt }) => Math.floor((startedAt - startMs) / 1000) === second);
      assert.ok(within.length < 45, `${within.length} start in second ${second}`);
    }
    await clock.advance(5_400_000);
    for (const monitor of monitors) {
      const [, inSlot] = spans.filter(({ id }) => id === monitor.id);
      assert.equal((inSlot?.startedAt ?? 0) % monitor.intervalMs, scheduleOf(monitor).phaseMs);
    }
    await scheduler.stop();
  });

  test('a slow one delays no other', async () => {
    const slow = testMonitor({ id: 'slow' });
    const quick = testMonitor({ id: 'quick', intervalMs: 1000 });
    const { clock, results, scheduler } = bench({ takesMs: ({ id }) => (id === 'slow' ? 9000 : 5) });
    scheduler.reconcile([slow, quick]);
    await clock.advance(60_000);
    assert.equal(results.filter(({ monitor }) => monitor.id === 'quick').length, 60);
    assert.ok(results.every(({ status }) => status === 'up'));
    await scheduler.stop();
  });
});

describe('the first run of a monitor that is added', () => {
  test('MU37: is never later than its first slot', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.integer({ min: 1000, max: 7 * 86_400_000 }),
        fc.nat(1000),
        (id, intervalMs, place) => {
          const schedule = scheduleOf({ id, intervalMs });
          const first = firstRunAfter(schedule, 1e12, place);
          assert.ok(first >= 1e12 && first <= slotAfter(schedule, 1e12) && first <= 1e12 + 60_000);
        },
      ),
    );
  });

  test('SF20: on agents a long interval has its first run within a minute, a short one in its slot', async () => {
    const { clock, spans, scheduler } = bench();
    const monitors = Array.from({ length: 500 }, (_, index) => [
      testMonitor({ id: `hourly${index}`, intervalMs: 3_600_000 }),
      testMonitor({ id: `brisk${index}`, intervalMs: 10_000 }),
    ]);
    scheduler.reconcile(monitors.flat());
    const startMs = clock.now();
    await clock.advance(60_000);
    const firstRuns = [...Map.groupBy(spans, ({ id }) => id)].map(
      ([id, [first]]) => [id, first?.startedAt ?? 0] as const,
    );
    assert.equal(firstRuns.length, 1000);
    for (const [id, startedAt] of firstRuns) {
      if (id.startsWith('brisk')) assert.equal(startedAt % 10_000, scheduleOf({ id, intervalMs: 10_000 }).phaseMs);
    }
    const ofSecond = (second: number): number =>
      firstRuns.filter(([, startedAt]) => Math.floor((startedAt - startMs) / 1000) === second).length;
    for (let second = 1; second < 60; second++)
      assert.ok(ofSecond(second) < 90, `${ofSecond(second)} in second ${second}`);
    await scheduler.stop();
  });

  test('SF20: short intervals are spread over the interval, and one that is added alone runs at once', async () => {
    const { clock, spans, scheduler } = bench({ runsSoon: true });
    const monitors = Array.from({ length: 200 }, (_, index) => testMonitor({ id: `m${index}`, intervalMs: 2000 }));
    scheduler.reconcile(monitors);
    await clock.advance(1000);
    assert.ok(spans.length > 80 && spans.length < 170, `${spans.length} in the first half of the interval`);
    const before = spans.length;
    scheduler.reconcile([...monitors, testMonitor({ id: 'late', intervalMs: 3_600_000 })]);
    await clock.advance(0);
    assert.ok(spans.slice(before).some(({ id }) => id === 'late'));
    await scheduler.stop();
  });

  test('is not repeated at once: the next run is half an interval later at least', async () => {
    const { clock, spans, scheduler } = bench({ runsSoon: true });
    scheduler.reconcile(Array.from({ length: 15 }, (_, index) => testMonitor({ id: `m${index}`, intervalMs: 10_000 })));
    await clock.advance(20_000);
    for (const [first, second] of Map.groupBy(spans, ({ id }) => id).values()) {
      const waited = (second?.startedAt ?? 0) - (first?.startedAt ?? 0);
      assert.ok(waited >= 5000 && waited <= 15_000, String(waited));
    }
    await scheduler.stop();
  });
});

describe('a slot that passes without a run is reported', () => {
  test('but not before the first run, however late this process begins', async () => {
    const { clock, results, scheduler } = bench({ runsSoon: true });
    scheduler.reconcile([testMonitor({ intervalMs: 1000 })]);
    clock.stall(5500);
    await clock.advance(1000);
    assert.ok(results.length > 0 && results.every(({ status }) => status === 'up'));
    await scheduler.stop();
  });

  test('when the previous run lasts past the next window', async () => {
    const { clock, results, scheduler } = bench({ takesMs: () => 25_000 });
    scheduler.reconcile([testMonitor()]);
    await clock.advance(60_000);
    const missed = results.filter(({ reason }) => reason === 'missed');
    assert.ok(missed.length >= 2);
    assert.equal(missed[0]?.status, 'unknown');
    assert.equal(missed[0]?.source, 'agent');
    assert.match(missed[0]?.message ?? '', /previous run was still under way/);
    await scheduler.stop();
  });

  test('when all places of its check type are taken for its whole window', async () => {
    const { clock, results, spans, scheduler } = bench({ takesMs: () => 30_000, limits: { tcp: 1 } });
    scheduler.reconcile([testMonitor({ id: 'a' }), testMonitor({ id: 'b' })]);
    await clock.advance(25_000);
    assert.equal(spans.length, 1);
    const missed = results.filter(({ message }) => message.startsWith('All 1 places for tcp checks were taken'));
    assert.ok(missed.length >= 1, results.map(({ message }) => message).join('\n'));
    await scheduler.stop();
  });

  test('a full check type holds back no other', async () => {
    const { clock, results, scheduler } = bench({
      takesMs: ({ type }) => (type === 'tcp' ? 1e6 : 10),
      limits: { tcp: 1 },
    });
    scheduler.reconcile([testMonitor({ id: 'a' }), testMonitor({ id: 'b' }), testMonitor({ id: 'c', type: 'icmp' })]);
    await clock.advance(50_000);
    assert.equal(results.filter(({ status }) => status === 'up').length, 5);
    await scheduler.stop();
  });

  for (const [what, leap] of [
    ['the machine slept or its clock was set forward', (clock: FakeClock) => clock.stepWall(3_600_000)],
    ['the process was stopped', (clock: FakeClock) => clock.stall(3_600_000)],
  ] as const) {
    test(`in one result however many they are, when ${what}`, async () => {
      const { clock, results, spans, scheduler } = bench();
      scheduler.reconcile([testMonitor()]);
      await clock.advance(50_000);
      leap(clock);
      await clock.advance(50_000);
      const missed = results.filter(({ reason }) => reason === 'missed');
      assert.equal(missed.length, 1);
      assert.match(missed[0]?.message ?? '', /No run could start for 36[01] slots/);
      assert.equal(spans.length + missedRuns(missed[0]!), 370);
      await scheduler.stop();
    });
  }

  test('a clock that leaps by fifty years is one result, at once', async () => {
    const { clock, results, scheduler } = bench();
    scheduler.reconcile([testMonitor()]);
    await clock.advance(10_000);
    clock.stepWall(50 * 365 * 86_400_000);
    await clock.advance(1000);
    assert.equal(results.filter(({ reason }) => reason === 'missed').length, 1);
    await scheduler.stop();
  });

  test('a clock that is set back does not silence anything for longer than an interval', async () => {
    const { clock, results, scheduler } = bench();
    scheduler.reconcile([testMonitor()]);
    await clock.advance(50_000);
    clock.stepWall(-3_600_000);
    await clock.advance(100_000);
    assert.equal(results.length, 15);
    assert.ok(results.every(({ status }) => status === 'up'));
    await scheduler.stop();
  });

  test('a clock that is set back by less than an interval runs no slot twice', async () => {
    const { clock, spans, scheduler } = bench();
    scheduler.reconcile([testMonitor()]);
    for (let round = 0; round < 10; round++) {
      await clock.advance(7000);
      clock.stepWall(-900);
    }
    assert.equal(new Set(spans.map(({ slot }) => slot)).size, spans.length);
    await scheduler.stop();
  });
});

describe('reconcile', () => {
  test('adds, removes and changes, and leaves the rest alone', async () => {
    const { clock, results, spans, scheduler } = bench({ takesMs: () => 4000 });
    const [kept, changed, removed] = ['kept', 'changed', 'removed'].map((id) => testMonitor({ id }));
    scheduler.reconcile([kept!, changed!, removed!]);
    await clock.advance(40_000);
    results.length = 0;
    spans.length = 0;
    scheduler.reconcile([{ ...kept! }, { ...changed!, target: 'elsewhere:1' }, testMonitor({ id: 'added' })]);
    await clock.advance(40_000);
    const seen = new Map(results.map(({ monitor }) => [monitor.id, monitor.target]));
    assert.deepEqual([...seen.keys()].toSorted(), ['added', 'changed', 'kept']);
    assert.equal(seen.get('changed'), 'elsewhere:1');
    await scheduler.stop();
  });

  test('a run under way of an unchanged monitor goes on', async () => {
    const { clock, results, scheduler } = bench({ takesMs: () => 5000 });
    const monitor = testMonitor();
    scheduler.reconcile([monitor]);
    await clock.advance(slotAfter(scheduleOf(monitor), clock.now()) - clock.now() + 1);
    scheduler.reconcile([{ ...monitor }, testMonitor({ id: 'other' })]);
    await clock.advance(5000);
    assert.equal(results.find(({ monitor: { id } }) => id === monitor.id)?.durationMs, 5000);
    await scheduler.stop();
  });

  test('a monitor that is removed and added again never has two runs at once', async () => {
    const { clock, spans, scheduler } = bench({ takesMs: () => 7000, ignoresAbort: true });
    const monitor = testMonitor({ intervalMs: 5000 });
    scheduler.reconcile([monitor]);
    for (let round = 0; round < 10; round++) {
      await clock.advance(2300);
      scheduler.reconcile([]);
      await clock.advance(300);
      scheduler.reconcile([monitor]);
      await clock.advance(4000);
    }
    assertNoOverlap(spans);
  });
});

describe('stop', () => {
  test('ends what is under way, reports none of it, and leaves no timer', async () => {
    const { clock, results, scheduler } = bench({ takesMs: () => 9000 });
    const monitor = testMonitor();
    scheduler.reconcile([monitor]);
    await clock.advance(slotAfter(scheduleOf(monitor), clock.now()) - clock.now() + 1);
    await scheduler.stop();
    assert.equal(results.length, 0);
    // The abandoned wait of the bench's own run.
    assert.equal(clock.pending, 1);
  });

  test('within a second even if a run does not end, and says what it waits for', async () => {
    const { clock, scheduler } = bench({ takesMs: () => 60_000, ignoresAbort: true });
    const monitor = testMonitor();
    scheduler.reconcile([monitor]);
    await clock.advance(10_000);
    const waitedFor: string[] = [];
    let isStopped = false;
    const stopped = scheduler.stop((monitors) => waitedFor.push(...monitors.map(({ name }) => name)));
    void stopped.then(() => (isStopped = true));
    await clock.advance(1000);
    assert.ok(isStopped);
    assert.deepEqual(waitedFor, [monitor.name]);
  });
});

const scenarios = fc.record({
  monitors: fc.uniqueArray(
    fc.record({
      id: fc.string({ minLength: 1, maxLength: 5 }),
      intervalMs: fc.integer({ min: 1000, max: 8000 }),
      takesMs: fc.integer({ min: 0, max: 20_000 }),
      type: fc.constantFrom('tcp', 'dns'),
    }),
    { selector: ({ id }) => id, minLength: 1, maxLength: 6 },
  ),
  limit: fc.integer({ min: 1, max: 3 }),
  events: fc.array(
    fc.record({
      kind: fc.constantFrom('pass', 'stall', 'stepWall'),
      ms: fc.integer({ min: 1, max: 30_000 }),
    }),
    { minLength: 1, maxLength: 12 },
  ),
});

test('whatever happens, runs of a monitor never overlap, and each slot is either run or missed, once', async () => {
  await fc.assert(
    fc.asyncProperty(scenarios, async ({ monitors, limit, events }) => {
      const takes = new Map(monitors.map(({ id, takesMs }) => [id, takesMs]));
      const { clock, results, spans, scheduler } = bench({
        takesMs: ({ id }) => takes.get(id) ?? 0,
        limits: { tcp: limit, dns: limit },
      });
      const configured = monitors.map(({ id, intervalMs, type }) => testMonitor({ id, intervalMs, type }));
      const since = clock.now();
      scheduler.reconcile(configured);
      for (const { kind, ms } of events) {
        if (kind === 'pass') await clock.advance(ms);
        else clock[kind](ms);
      }
      // Long enough for every timer that is late to fire, and for the next wake of the scheduler.
      await clock.advance(1000);
      assertNoOverlap(spans);
      for (const monitor of configured) assertEachSlotOnce(monitor, { since, until: clock.now(), spans, results });
      await scheduler.stop();
    }),
    { numRuns: 200 },
  );
});

function assertNoOverlap(spans: readonly Span[]): void {
  for (const id of new Set(spans.map((span) => span.id))) {
    const own = spans.filter((span) => span.id === id);
    for (const [index, span] of own.slice(1).entries()) {
      const before = own[index];
      assert.ok(before?.endedAt !== undefined && before.endedAt <= span.startedAt, `${id} runs twice at once`);
    }
  }
}

interface History {
  readonly since: number;
  readonly until: number;
  readonly spans: readonly Span[];
  readonly results: readonly Result[];
}

function assertEachSlotOnce(monitor: Monitor, { since, until, spans, results }: History): void {
  const schedule = scheduleOf(monitor);
  const run = spans.filter(({ id }) => id === monitor.id).map(({ slot }) => slot);
  const missed = results
    .filter((result) => result.monitor.id === monitor.id && result.reason === 'missed')
    .flatMap((result) =>
      Array.from({ length: missedRuns(result) }, (_, index) => result.scheduledAt + index * monitor.intervalMs),
    );
  const accounted = [...run, ...missed].toSorted((a, b) => a - b);
  const expected: number[] = [];
  for (let slot = slotAfter(schedule, since); slot <= until; slot += monitor.intervalMs) expected.push(slot);
  // The last slot may still wait: its window is open.
  if (accounted.length === expected.length - 1) expected.pop();
  assert.deepEqual(accounted, expected);
}
