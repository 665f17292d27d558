import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { z } from 'zod';
import type { Message } from '../../core/message.ts';
import type { NotifierPlan } from '../../notify/notifier-plan.ts';
import type { NotifierType, SendResult } from '../../notify/notifier.ts';
import { testContext } from '../../testing/context.ts';
import { FakeClock } from '../../testing/fake-clock.ts';
import { MemoryOutbox } from '../../testing/memory-outbox.ts';
import { rowOf } from '../store/outbox.contract.ts';
import type { NewOutboxRow } from '../store/outbox.ts';
import type { NotifierHealth } from './notifier-lane.ts';
import { OutboxWorker } from './outbox-worker.ts';

const startMs = Date.UTC(2026, 10, 28, 12);
const minuteMs = 60_000;
const hourMs = 3_600_000;

type Answer = SendResult | 'silence';

/** Notifiers of the test: what each was told, and what it answers. */
class Desk implements AsyncDisposable {
  readonly clock = new FakeClock(startMs, 100);
  readonly outbox = new MemoryOutbox(() => this.clock.now());
  readonly told: {
    readonly notifier: string;
    readonly atMs: number;
    readonly message: Message;
    readonly previous: unknown;
  }[] = [];
  readonly health: NotifierHealth[] = [];
  readonly answers = new Map<string, () => Answer>();
  readonly errors: unknown[] = [];
  random = 0.5;
  worker = this.#worker();
  #plans: readonly NotifierPlan[] = [];

  #worker(): OutboxWorker {
    return new OutboxWorker({
      outbox: this.outbox,
      net: testContext().net,
      clock: this.clock,
      random: () => this.random,
      onHealth: (health) => void this.health.push(health),
      onError: (error) => void this.errors.push(error),
    });
  }

  use(...plans: readonly NotifierPlan[]): void {
    this.#plans = plans;
    this.worker.use(plans);
  }

  plan(name: string, changes: Partial<NotifierPlan> & { readonly type?: Partial<NotifierType> } = {}): NotifierPlan {
    const type: NotifierType = {
      kind: 'desk',
      title: 'Desk',
      summary: '',
      notes: [],
      options: z.strictObject({}),
      rate: { burst: 100, perSecond: 100 },
      send: async ({ message, previous, signal }) => {
        this.told.push({ notifier: name, atMs: this.clock.now() - startMs, message, previous });
        const answer = this.answers.get(name)?.() ?? { outcome: 'delivered', receipt: { n: this.told.length } };
        if (answer !== 'silence') return answer;
        return await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
      },
      ...changes.type,
    };
    const { type: _type, ...others } = changes;
    return {
      name,
      channel: { type, options: {}, secrets: [], zone: 'UTC' },
      perMinute: 30,
      minimumSeverity: 'info',
      tags: [],
      ...others,
    };
  }

  async add(...rows: readonly NewOutboxRow[]): Promise<void> {
    await this.outbox.settle([], rows);
    this.worker.wake();
    await this.clock.advance(0);
  }

  /** The server is killed: nothing is said to the store, and another begins. */
  restart(): void {
    this.worker = this.#worker();
    this.worker.use(this.#plans);
  }

  outcomes(): readonly (string | undefined)[] {
    return this.outbox.rows
      .values()
      .map(({ finished }) => finished?.outcome)
      .toArray();
  }

  kinds(notifier = 'mail'): readonly string[] {
    return this.told.filter((one) => one.notifier === notifier).map(({ message }) => message.kind);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.worker[Symbol.asyncDispose]();
    assert.deepEqual(this.errors, []);
  }
}

const retry: Answer = { outcome: 'retry', text: '503' };
const broken: Answer = { outcome: 'broken', text: '401 Unauthorized' };

function ending(incident: string, changes: Partial<NewOutboxRow> = {}): NewOutboxRow {
  const row = rowOf(incident, { transition: 2, kind: 'recovery', ...changes });
  return { ...row, message: { ...row.message, state: 'up', severity: 'info' } };
}

describe('a message', () => {
  test('is handed over at once and finished', async () => {
    await using desk = new Desk();
    desk.use(desk.plan('mail'));
    await desk.add(rowOf('a'));
    assert.deepEqual([desk.told.map(({ atMs }) => atMs), desk.outcomes()], [[0], ['delivered']]);
  });

  test('of a later state gets the receipt of the first', async () => {
    await using desk = new Desk();
    desk.use(desk.plan('mail'));
    await desk.add(rowOf('a'));
    await desk.add(ending('a'));
    assert.deepEqual(
      desk.told.map(({ previous }) => previous),
      [undefined, { n: 1 }],
    );
  });

  test('for a notifier that nobody has is finished as such', async () => {
    await using desk = new Desk();
    desk.use(desk.plan('chat'));
    await desk.add(rowOf('a'));
    assert.deepEqual([desk.told, desk.outcomes()], [[], ['unknown-notifier']]);
  });

  test('that is due later waits until then', async () => {
    await using desk = new Desk();
    desk.use(desk.plan('mail'));
    await desk.add(rowOf('a', { dueAt: startMs + 10 * minuteMs }));
    await desk.clock.advance(10 * minuteMs - 1);
    assert.equal(desk.told.length, 0);
    await desk.clock.advance(1);
    assert.deepEqual(
      desk.told.map(({ atMs }) => atMs),
      [10 * minuteMs],
    );
  });

  test('below the severity, or without a tag, that a notifier wants is not sent, nor is its end', async () => {
    await using desk = new Desk();
    desk.use(desk.plan('mail', { minimumSeverity: 'critical' }), desk.plan('chat', { tags: ['db'] }));
    const warning = rowOf('a');
    await desk.add(
      { ...warning, message: { ...warning.message, severity: 'warning' } },
      rowOf('a', { notifier: 'chat' }),
    );
    await desk.add(ending('a'), ending('a', { notifier: 'chat' }));
    assert.deepEqual([desk.told, desk.outcomes()], [[], ['filtered', 'filtered', 'passed', 'passed']]);
  });

  test('that is refused is final, and the fallback gets it', async () => {
    await using desk = new Desk();
    desk.use(desk.plan('mail', { fallback: 'chat' }), desk.plan('chat'));
    desk.answers.set('mail', () => ({ outcome: 'refused', text: '400' }));
    await desk.add(rowOf('a'));
    await desk.clock.advance(hourMs);
    // The second time in its short form.
    assert.deepEqual([desk.kinds('mail').length, desk.kinds('chat').length], [2, 1]);
    assert.deepEqual(desk.outcomes(), ['refused', 'delivered']);
  });
});

describe('a provider that fails', () => {
  test('is tried after 5 s, 10 s, 20 s … 15 min, for a day; then the message has expired', async () => {
    await using desk = new Desk();
    desk.use(desk.plan('mail'));
    desk.answers.set('mail', () => retry);
    await desk.add(rowOf('a'));
    await desk.clock.advance(24.5 * hourMs);
    const waits = desk.told.map(({ atMs }, index) => atMs - (desk.told[index - 1]?.atMs ?? 0)).slice(1);
    assert.deepEqual(
      waits.slice(0, 9).map((wait) => wait / 1000),
      [5, 10, 20, 40, 80, 160, 320, 640, 900],
    );
    assert.ok(waits.slice(9).every((wait) => wait === 900_000));
    assert.deepEqual(desk.outcomes(), ['expired']);
    assert.ok((desk.told.at(-1)?.atMs ?? 0) > 23.7 * hourMs);
  });

  test('spreads its retries by half', async () => {
    for (const [random, wait] of [
      [0, 2500],
      [1, 7500],
    ] as const) {
      await using desk = new Desk();
      desk.random = random;
      desk.use(desk.plan('mail'));
      desk.answers.set('mail', () => retry);
      await desk.add(rowOf('a'));
      await desk.clock.advance(7500);
      assert.equal(desk.told[1]?.atMs, wait);
    }
  });

  test('that asks for a time gets it', async () => {
    await using desk = new Desk();
    desk.use(desk.plan('mail'));
    desk.answers.set('mail', () => ({ outcome: 'retry', text: '429', afterMs: 77_000 }));
    await desk.add(rowOf('a'));
    await desk.add(rowOf('b'));
    await desk.clock.advance(76_999);
    assert.equal(desk.told.length, 1);
    await desk.clock.advance(1);
    assert.equal(desk.told.length, 2);
  });

  for (const outage of [5000, 10 * minuteMs, 23 * hourMs])
    test(`FC18: after an outage of ${outage / 1000} s everything is told, in one digest`, async () => {
      await using desk = new Desk();
      desk.use(desk.plan('mail'));
      desk.answers.set('mail', () => (desk.clock.now() - startMs < outage ? retry : { outcome: 'delivered' }));
      await desk.add(rowOf('a'));
      await desk.add(rowOf('b'), rowOf('c'));
      await desk.add(ending('c'));
      await desk.clock.advance(outage + 30 * minuteMs);
      const news = desk.told.filter(({ atMs }) => atMs >= outage);
      assert.deepEqual(
        news.map(({ message }) => message.kind),
        ['digest'],
      );
      assert.equal(news[0]?.message.headline, 'DIGEST 2 down, 1 passed');
      assert.deepEqual(new Set(desk.outcomes()), new Set(['digested']));
      assert.deepEqual(
        desk.health.map(({ state }) => state),
        ['failing', 'working'],
      );
    });

  test('holds up no other', async () => {
    await using desk = new Desk();
    desk.use(desk.plan('mail'), desk.plan('chat'));
    desk.answers.set('mail', () => 'silence');
    await desk.add(rowOf('a'), rowOf('a', { notifier: 'chat' }), rowOf('b', { notifier: 'chat' }));
    assert.deepEqual([desk.kinds('mail').length, desk.kinds('chat').length], [1, 2]);
  });

  test('for two minutes hands on to its fallback, and tells the rest itself later', async () => {
    await using desk = new Desk();
    desk.use(desk.plan('mail', { fallback: 'chat' }), desk.plan('chat'));
    desk.answers.set('mail', () => retry);
    await desk.add(rowOf('a'));
    await desk.clock.advance(119_000);
    assert.equal(desk.kinds('chat').length, 0);
    await desk.clock.advance(10_000);
    await desk.add(rowOf('b'));
    await desk.clock.advance(1000);
    assert.deepEqual(
      desk.told.filter(({ notifier }) => notifier === 'chat').map(({ message }) => message.headline.slice(0, 18)),
      ['DOWN notifier mail', 'DOWN api.example.n', 'DOWN api.example.n'],
    );
    desk.answers.clear();
    await desk.clock.advance(hourMs);
    assert.deepEqual(desk.kinds('mail').slice(-1), ['digest']);
    assert.deepEqual(desk.kinds('chat'), ['problem', 'problem', 'problem', 'recovery']);
    assert.equal(desk.told.at(-1)?.message.headline, 'UP notifier mail');
  });

  test('in a circle of fallbacks ends nowhere', async () => {
    await using desk = new Desk();
    desk.use(desk.plan('mail', { fallback: 'chat' }), desk.plan('chat', { fallback: 'mail' }));
    for (const name of ['mail', 'chat']) desk.answers.set(name, () => retry);
    await desk.add(rowOf('a'));
    await desk.clock.advance(2 * hourMs);
    // The message and the news of the other's outage, at each.
    assert.equal(desk.outbox.rows.size, 6);
  });
});

describe('a broken notifier', () => {
  test('is told of once, hands on after two minutes, and is asked again each 15 min', async () => {
    await using desk = new Desk();
    desk.use(desk.plan('mail', { fallback: 'chat' }), desk.plan('chat'));
    desk.answers.set('mail', () => broken);
    await desk.add(rowOf('a'));
    await desk.clock.advance(119_999);
    assert.equal(desk.kinds('chat').length, 0);
    await desk.clock.advance(1);
    assert.equal(desk.kinds('chat').length, 2);
    await desk.clock.advance(hourMs);
    assert.equal(desk.kinds('chat').length, 2);
    assert.deepEqual(
      desk.told.filter(({ notifier }) => notifier === 'mail').map(({ atMs }) => atMs / minuteMs),
      [0, 15, 30, 45, 60],
    );
    assert.deepEqual(
      desk.health.map(({ state, since }) => [state, since]),
      [['broken', startMs]],
    );
  });

  test('that is mended in the configuration is asked at once', async () => {
    await using desk = new Desk();
    desk.use(desk.plan('mail'));
    desk.answers.set('mail', () => broken);
    await desk.add(rowOf('a'));
    desk.answers.clear();
    desk.use(desk.plan('mail', { perMinute: 31 }));
    await desk.clock.advance(0);
    assert.deepEqual(desk.outcomes(), ['delivered']);
  });

  test('that has not changed in a reload stays as it was', async () => {
    await using desk = new Desk();
    const plan = desk.plan('mail');
    desk.use(plan);
    desk.answers.set('mail', () => broken);
    await desk.add(rowOf('a'));
    desk.use({ ...plan });
    await desk.clock.advance(minuteMs);
    assert.equal(desk.told.length, 1);
  });
});

describe('many messages', () => {
  test('A5: 500 incidents at once are one digest', async () => {
    await using desk = new Desk();
    desk.use(desk.plan('mail'));
    await desk.add(...Array.from({ length: 500 }, (_, index) => rowOf(`i${index}`)));
    assert.deepEqual(desk.kinds(), ['digest']);
    const [{ message } = assert.fail()] = desk.told;
    assert.equal(message.headline, 'DIGEST 500 down');
    assert.deepEqual(message.facts.at(-1), { label: 'and', text: '470 more' });
  });

  test('over the cap a digest a minute tells the rest', async () => {
    await using desk = new Desk();
    desk.use(desk.plan('mail', { perMinute: 3 }));
    for (let count = 0; count < 40; count++) {
      await desk.add(rowOf(`i${count}`, { dueAt: desk.clock.now() }));
      await desk.clock.advance(2000);
    }
    await desk.clock.advance(2 * minuteMs);
    const perMinute = Map.groupBy(desk.told, ({ atMs }) => Math.floor(atMs / minuteMs));
    for (const told of perMinute.values()) assert.ok(told.length <= 6, `${told.length}`);
    assert.ok(desk.kinds().includes('digest'));
    assert.ok(desk.outcomes().every((outcome) => outcome === 'delivered' || outcome === 'digested'));
  });

  test('keep the pace of the provider, and each reaches a tracker of incidents', async () => {
    await using desk = new Desk();
    desk.use(desk.plan('mail', { perMinute: 1000, type: { tracksIncidents: true, rate: { burst: 2, perSecond: 1 } } }));
    await desk.add(...Array.from({ length: 6 }, (_, index) => rowOf(`i${index}`)));
    await desk.clock.advance(minuteMs);
    assert.deepEqual(
      desk.told.map(({ atMs }) => atMs / 1000),
      [0, 0, 1, 2, 3, 4],
    );
    assert.ok(desk.kinds().every((kind) => kind === 'problem'));
  });

  test('of one incident that wait together are one', async () => {
    await using desk = new Desk();
    desk.use(desk.plan('mail'));
    await desk.add(rowOf('a'), rowOf('a', { transition: 2, kind: 'update' }));
    assert.deepEqual([desk.kinds(), desk.outcomes()], [['update'], ['superseded', 'delivered']]);
  });

  test('a problem that is over before it was told is a line that says so, never a recovery alone', async () => {
    await using desk = new Desk();
    desk.use(desk.plan('mail'));
    await desk.add(rowOf('a'), ending('a'));
    assert.deepEqual(desk.kinds(), ['digest']);
    assert.equal(desk.told[0]?.message.facts[1]?.label, 'happened and passed');
  });
});

function warning(incident: string): NewOutboxRow {
  const row = rowOf(incident);
  return { ...row, message: { ...row.message, severity: 'warning' } };
}

describe('quiet hours', () => {
  const quietHours = { from: 12 * 60, to: 14 * 60, zone: 'UTC' };

  test('delay, and end with one digest of what is so then', async () => {
    await using desk = new Desk();
    desk.use(desk.plan('mail', { quietHours }));
    await desk.add(warning('a'), warning('b'));
    await desk.clock.advance(hourMs);
    await desk.add(ending('b', { dueAt: desk.clock.now() }));
    assert.equal(desk.told.length, 0);
    await desk.clock.advance(hourMs);
    assert.deepEqual(
      desk.told.map(({ atMs, message }) => [atMs, message.kind, message.headline]),
      [[2 * hourMs, 'digest', 'DIGEST 1 down, 1 passed']],
    );
    assert.equal(desk.told[0]?.message.facts[0]?.text, 'quiet hours');
  });

  test('let critical messages pass, and the end of what was critical', async () => {
    await using desk = new Desk();
    desk.use(desk.plan('mail', { quietHours }));
    await desk.add(rowOf('a'));
    await desk.add(ending('a'));
    assert.deepEqual(desk.kinds(), ['problem', 'recovery']);
  });

  test('a restart in them changes nothing: the end does not overtake its beginning', async () => {
    await using desk = new Desk();
    desk.use(desk.plan('mail', { quietHours }));
    await desk.add(warning('a'));
    await desk.clock.advance(minuteMs);
    desk.restart();
    await desk.add(ending('a', { dueAt: desk.clock.now() }));
    await desk.clock.advance(3 * hourMs);
    assert.deepEqual(desk.kinds(), ['digest']);
    assert.equal(desk.told[0]?.message.headline, 'DIGEST 1 passed');
  });
});

describe('reminders and escalations', () => {
  test('a reminder follows each time after its interval, as long as nobody has the incident', async () => {
    await using desk = new Desk();
    desk.use(desk.plan('mail'));
    desk.outbox.incidents.set('a', { isOpen: true, isAcknowledged: false });
    await desk.add(rowOf('a', { repeatMs: hourMs }));
    await desk.clock.advance(2 * hourMs);
    assert.deepEqual(desk.kinds(), ['problem', 'reminder', 'reminder']);
    assert.equal(new Set(desk.told.map(({ message }) => message.id)).size, 3);
    desk.outbox.incidents.set('a', { isOpen: true, isAcknowledged: true });
    await desk.clock.advance(5 * hourMs);
    assert.deepEqual([desk.told.length, desk.outcomes().at(-1)], [3, 'cancelled']);
  });

  test('none follows after the end', async () => {
    await using desk = new Desk();
    desk.use(desk.plan('mail'));
    await desk.add(rowOf('a', { repeatMs: hourMs }));
    await desk.add(ending('a'));
    desk.outbox.incidents.set('a', { isOpen: false, isAcknowledged: false });
    await desk.clock.advance(5 * hourMs);
    assert.deepEqual(desk.kinds(), ['problem', 'recovery']);
    assert.deepEqual(desk.outcomes(), ['delivered', 'cancelled', 'delivered']);
  });

  test('a restart brings none before its time', async () => {
    await using desk = new Desk();
    desk.use(desk.plan('mail'));
    desk.outbox.incidents.set('a', { isOpen: true, isAcknowledged: false });
    await desk.add(rowOf('a', { repeatMs: hourMs }));
    desk.restart();
    await desk.add(rowOf('b'));
    await desk.clock.advance(hourMs - 1);
    assert.deepEqual(desk.kinds(), ['problem', 'problem']);
    await desk.clock.advance(1);
    assert.deepEqual(desk.kinds(), ['problem', 'problem', 'reminder']);
  });

  test('an escalation is not sent once somebody has the incident', async () => {
    await using desk = new Desk();
    desk.use(desk.plan('phone'));
    desk.outbox.incidents.set('a', { isOpen: true, isAcknowledged: true });
    await desk.add(rowOf('a', { notifier: 'phone', kind: 'escalation', step: 1 }));
    assert.deepEqual([desk.told, desk.outcomes()], [[], ['cancelled']]);
  });
});

describe('a restart', () => {
  test('FC14: 200 restarts with 50 told incidents send nothing again', async () => {
    await using desk = new Desk();
    desk.use(desk.plan('mail', { perMinute: 1000 }));
    await desk.add(...Array.from({ length: 50 }, (_, index) => rowOf(`i${index}`)));
    while (desk.outcomes().includes(undefined)) await desk.clock.advance(1);
    assert.equal(desk.told.length, 50);
    for (let count = 0; count < 200; count++) {
      desk.restart();
      await desk.clock.advance(500);
    }
    assert.equal(desk.told.length, 50);
  });

  test('in the middle of a send sends once more, with the same id', async () => {
    await using desk = new Desk();
    desk.use(desk.plan('mail'));
    desk.answers.set('mail', () => 'silence');
    await desk.add(rowOf('a'));
    const killed = desk.worker;
    desk.answers.clear();
    desk.restart();
    await desk.clock.advance(2 * minuteMs);
    await killed[Symbol.asyncDispose]();
    assert.equal(new Set(desk.told.map(({ message }) => message.id)).size, 1);
    assert.deepEqual([desk.told.length, desk.outcomes()], [2, ['delivered']]);
  });

  test('that is orderly frees what was being sent', async () => {
    await using desk = new Desk();
    desk.use(desk.plan('mail'));
    desk.answers.set('mail', () => 'silence');
    await desk.add(rowOf('a'));
    await desk.worker[Symbol.asyncDispose]();
    desk.answers.clear();
    desk.restart();
    await desk.clock.advance(0);
    assert.deepEqual(desk.outcomes(), ['delivered']);
    assert.equal(desk.clock.pending <= 1, true);
  });

  test('of the clock by a day loses and doubles nothing', async () => {
    for (const byMs of [24 * hourMs, -24 * hourMs]) {
      await using desk = new Desk();
      desk.use(desk.plan('mail'));
      await desk.add(rowOf('a'));
      desk.clock.stepWall(byMs);
      await desk.add(rowOf('b', { dueAt: desk.clock.now() }));
      await desk.clock.advance(minuteMs);
      assert.deepEqual(desk.outcomes(), ['delivered', 'delivered']);
    }
  });
});

for (const byMs of [24 * hourMs, -24 * hourMs])
  test(`a clock that is set by ${byMs / hourMs} h delays no retry, and ends none`, async () => {
    await using desk = new Desk();
    desk.use(desk.plan('mail'));
    let isOut = true;
    desk.answers.set('mail', () => (isOut ? retry : { outcome: 'delivered' }));
    await desk.add(rowOf('a'));
    await desk.clock.advance(minuteMs);
    desk.clock.stepWall(byMs);
    isOut = false;
    await desk.clock.advance(2 * minuteMs);
    assert.deepEqual(desk.outcomes(), ['delivered']);
  });

test('a restart in an outage ends it once: the fallback hears of both', async () => {
  await using desk = new Desk();
  desk.use(desk.plan('mail', { fallback: 'chat' }), desk.plan('chat'));
  desk.answers.set('mail', () => retry);
  await desk.add(rowOf('a'));
  await desk.clock.advance(10 * minuteMs);
  desk.restart();
  await desk.clock.advance(minuteMs);
  desk.restart();
  desk.answers.clear();
  await desk.clock.advance(hourMs);
  assert.deepEqual(desk.kinds('chat'), ['problem', 'problem', 'recovery']);
});

test('a bug in a notifier stops neither it nor the others', async () => {
  const desk = new Desk();
  desk.use(desk.plan('mail'), desk.plan('chat'));
  let isBug = true;
  desk.answers.set('mail', () => {
    if (isBug) throw new TypeError('a bug');
    return { outcome: 'delivered' };
  });
  await desk.add(rowOf('a'), rowOf('a', { notifier: 'chat' }));
  isBug = false;
  await desk.clock.advance(minuteMs);
  assert.deepEqual(desk.outcomes(), ['delivered', 'delivered']);
  assert.equal(desk.errors.length, 1);
  await desk.worker[Symbol.asyncDispose]();
});
