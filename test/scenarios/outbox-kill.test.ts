import assert from 'node:assert/strict';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { z } from 'zod';
import { openSqliteStore } from '../../src/commands/serve/open-store.ts';
import { systemClock, type Cancel, type Clock } from '../../src/core/clock.ts';
import type { NotifierPlan } from '../../src/notify/notifier-plan.ts';
import type { NotifierType } from '../../src/notify/notifier.ts';
import { OutboxWorker } from '../../src/server/outbox/outbox-worker.ts';
import { rowOf } from '../../src/server/store/outbox.contract.ts';
import type { Store } from '../../src/server/store/store.ts';
import type { Outbox } from '../../src/server/store/outbox.ts';
import { testContext } from '../../src/testing/context.ts';
import { eventually } from '../../src/testing/eventually.ts';
import { removeFolder } from '../../src/testing/remove-folder.ts';

const { net } = testContext();

/** The server dies with the call of this number: it, and all that follow, never come back. */
function dyingAt(
  outbox: Outbox,
  death: number,
  isAfter: boolean,
): { readonly outbox: Outbox; readonly died: () => boolean } {
  let calls = 0;
  const never = new Promise<never>(() => {});
  const step = async <Answer>(call: () => Promise<Answer>): Promise<Answer> => {
    calls += 1;
    if (calls > death || (calls === death && !isAfter)) return await never;
    try {
      const answer = await call();
      return calls >= death ? await never : answer;
    } catch (error) {
      // Whatever the store says to the dead is not heard.
      if (calls >= death) return await never;
      throw error;
    }
  };
  return {
    died: () => calls >= death,
    outbox: {
      waiting: () => step(() => outbox.waiting()),
      claim: (wanted) => step(() => outbox.claim(wanted)),
      settle: (changes, added) => step(() => outbox.settle(changes, added)),
      receipt: (incident, notifier) => step(() => outbox.receipt(incident, notifier)),
      told: (incident, notifier) => step(() => outbox.told(incident, notifier)),
      standing: (incident) => step(() => outbox.standing(incident)),
    },
  };
}

function planTelling(name: string, told: string[]): NotifierPlan {
  const type: NotifierType = {
    kind: 'test',
    title: 'Test',
    summary: '',
    notes: [],
    options: z.strictObject({}),
    rate: { burst: 100, perSecond: 100 },
    async send({ message }) {
      told.push(message.id);
      return { outcome: 'delivered' };
    },
  };
  return {
    name,
    channel: { type, options: {}, secrets: [], zone: 'UTC' },
    perMinute: 100,
    minimumSeverity: 'info',
    tags: [],
  };
}

/** The timers of whoever was killed end with it. */
class MortalClock implements Clock {
  readonly #cancels: Cancel[] = [];

  now(): number {
    return systemClock.now();
  }

  monotonic(): number {
    return systemClock.monotonic();
  }

  after(delayMs: number, callback: () => void): Cancel {
    const cancel = systemClock.after(delayMs, callback);
    this.#cancels.push(cancel);
    return cancel;
  }

  [Symbol.dispose](): void {
    for (const cancel of this.#cancels) cancel();
  }
}

interface Server {
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly plan: NotifierPlan;
}

function onError(error: unknown): void {
  assert.fail(String(error));
}

function start({ outbox, clock, plan }: Server): OutboxWorker {
  const worker = new OutboxWorker({ outbox, net, clock, random: Math.random, onHealth: () => {}, onError });
  worker.use([plan]);
  return worker;
}

interface Death {
  readonly call: number;
  /** The call was done, and its answer not heard. */
  readonly isAfter: boolean;
}

/** What was told by a server that died, and by the next one; undefined if it had nothing more to do before it would have died. */
async function killed(store: Store, { call, isAfter }: Death): Promise<readonly string[] | undefined> {
  const notifier = `mail-${call}-${isAfter}`;
  const isDone = async (): Promise<boolean> => (await store.waiting()).every((row) => row.notifier !== notifier);
  const told: string[] = [];
  const plan = planTelling(notifier, told);
  await store.settle([], [rowOf(notifier, { notifier })]);
  using clock = new MortalClock();
  const dying = dyingAt(store, call, isAfter);
  const first = start({ outbox: dying.outbox, clock, plan });
  await eventually('it died, or is done', async () => dying.died() || (await isDone()));
  if (!dying.died()) {
    await first[Symbol.asyncDispose]();
    return undefined;
  }
  const next = start({ outbox: store, clock: systemClock, plan });
  await eventually('the next server has told all', isDone);
  await next[Symbol.asyncDispose]();
  return told;
}

/** How often each death lets the message be told. */
async function deaths(store: Store, isAfter: boolean): Promise<readonly number[]> {
  const counts: number[] = [];
  for (let call = 1; ; call++) {
    const told = await killed(store, { call, isAfter });
    if (!told) return counts;
    assert.equal(new Set(told).size, 1, 'a second delivery has the same id');
    counts.push(told.length);
  }
}

test('FC16, FC19: a server that is killed at any step between the commit and the send tells once or twice, never not at all', async () => {
  await using opened = new AsyncDisposableStack();
  const folder = opened.adopt(await mkdtemp(join(tmpdir(), 'watchkeeper-outbox-')), removeFolder);
  const store = opened.use(await openSqliteStore({ folder }));
  const counts = [...(await deaths(store, false)), ...(await deaths(store, true))];
  assert.ok(counts.length >= 6, 'each call of the worker was a death');
  assert.deepEqual(new Set(counts), new Set([1, 2]), 'a death between the send and its commit tells twice');
});
