import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { messageIdOf, threadOf, type MessageKey } from '../../core/message.ts';
import { problem } from '../../testing/messages.ts';
import type { NewOutboxRow, Outbox } from './outbox.ts';

const startMs = Date.UTC(2026, 10, 28, 12);
const leaseMs = 60_000;

interface OpenOutbox extends AsyncDisposable {
  readonly outbox: Outbox;
}

/** A row of incident `incident`, due at the start. */
export function rowOf(incident: string, changes: Partial<NewOutboxRow> = {}): NewOutboxRow {
  const key: MessageKey = { incident, transition: 1, kind: 'problem', step: 0, ...changes };
  const message = problem({ id: messageIdOf(key), thread: threadOf(incident), kind: key.kind, subject: incident });
  return { notifier: 'mail', dueAt: startMs, message, ...changes, ...key };
}

function claimAt(outbox: Outbox, now: number, limit = 100) {
  return outbox.claim({ notifier: 'mail', now, leaseMs, limit });
}

/** What every outbox keeps, on every implementation of the port. Each `open` gives an empty one. */
export function outboxContract(name: string, open: () => Promise<OpenOutbox>): void {
  describe(`the outbox of ${name}`, () => {
    test('a row of one key is added once, whatever else differs', async () => {
      await using opened = await open();
      const { outbox } = opened;
      await outbox.settle([], [rowOf('a'), rowOf('a', { dueAt: startMs - 1 })]);
      await outbox.settle([], [rowOf('a'), rowOf('a', { notifier: 'chat' }), rowOf('a', { step: 1 })]);
      assert.equal((await claimAt(outbox, startMs)).length, 2);
      assert.deepEqual((await outbox.waiting()).map(({ notifier }) => notifier).toSorted(), ['chat', 'mail']);
    });

    test('rows are claimed by due time, as they were written, and no sooner than they are due', async () => {
      await using opened = await open();
      const { outbox } = opened;
      const rows = [
        rowOf('late', { dueAt: startMs + 5 }),
        rowOf('b', { repeatMs: 7 }),
        rowOf('a', { dueAt: startMs - 5 }),
      ];
      await outbox.settle([], rows);
      const claimed = await claimAt(outbox, startMs);
      assert.deepEqual(
        claimed.map(({ incident }) => incident),
        ['a', 'b'],
      );
      const [, second] = claimed;
      assert.deepEqual(
        { ...second, id: 0, addedAt: 0 },
        { ...rowOf('b', { repeatMs: 7 }), id: 0, addedAt: 0, attempts: 0 },
      );
    });

    test('no more rows are claimed than asked for, and only those of the notifier', async () => {
      await using opened = await open();
      const { outbox } = opened;
      await outbox.settle(
        [],
        ['a', 'b', 'c'].map((incident) => rowOf(incident)),
      );
      await outbox.settle([], [rowOf('a', { notifier: 'chat' })]);
      assert.equal((await claimAt(outbox, startMs, 2)).length, 2);
      assert.equal((await claimAt(outbox, startMs, 5)).length, 1);
    });

    test('a claimed row is claimed again only after its lease', async () => {
      await using opened = await open();
      const { outbox } = opened;
      await outbox.settle([], [rowOf('a')]);
      assert.equal((await claimAt(outbox, startMs)).length, 1);
      assert.equal((await claimAt(outbox, startMs + leaseMs - 1)).length, 0);
      assert.deepEqual(await outbox.waiting(), [{ notifier: 'mail', dueAt: startMs + leaseMs }]);
      assert.equal((await claimAt(outbox, startMs + leaseMs)).length, 1);
    });

    test('a finished row is gone, and its key stays taken', async () => {
      await using opened = await open();
      const { outbox } = opened;
      await outbox.settle([], [rowOf('a')]);
      const [row] = await claimAt(outbox, startMs);
      assert.ok(row);
      await outbox.settle([{ id: row.id, outcome: 'delivered', at: startMs + 1 }]);
      await outbox.settle([{ id: row.id, dueAt: startMs, attempts: 1 }], [rowOf('a')]);
      assert.deepEqual(await outbox.waiting(), []);
      assert.deepEqual(await claimAt(outbox, startMs + 10 * leaseMs), []);
    });

    test('a row that is put off keeps its attempts, its first try and why it is held', async () => {
      await using opened = await open();
      const { outbox } = opened;
      await outbox.settle([], [rowOf('a')]);
      const [row] = await claimAt(outbox, startMs);
      assert.ok(row);
      const change = { attempts: 3, triedAt: startMs, held: 'quiet hours', dueAt: startMs + 100 };
      await outbox.settle([{ id: row.id, ...change, text: '429' }]);
      assert.deepEqual(await claimAt(outbox, startMs + 99), []);
      const [again] = await claimAt(outbox, startMs + 100);
      assert.deepEqual({ ...again }, { ...again, ...row, ...change });
    });

    test('the receipt is that of the first message delivered, a notifier each', async () => {
      await using opened = await open();
      const { outbox } = opened;
      await outbox.settle([], [rowOf('a'), rowOf('a', { transition: 2, kind: 'recovery' })]);
      assert.equal(await outbox.receipt('a', 'mail'), undefined);
      const [first, second] = await claimAt(outbox, startMs);
      assert.ok(first && second);
      await outbox.settle([{ id: first.id, outcome: 'delivered', at: startMs, receipt: { ts: '1.5' } }]);
      await outbox.settle([{ id: second.id, outcome: 'delivered', at: startMs, receipt: { ts: '2.5' } }]);
      assert.deepEqual(await outbox.receipt('a', 'mail'), { ts: '1.5' });
      assert.equal(await outbox.receipt('a', 'chat'), undefined);
      assert.equal(await outbox.receipt('b', 'mail'), undefined);
    });

    test('the gravest severity that was told is kept, a notifier each', async () => {
      await using opened = await open();
      const { outbox } = opened;
      const rows = (['warning', 'critical', 'info'] as const).map((severity, transition) =>
        rowOf('a', { transition, message: problem({ severity }) }),
      );
      await outbox.settle([], rows);
      assert.equal(await outbox.told('a', 'mail'), undefined);
      const found: unknown[] = [];
      const outcomes = ['delivered', 'filtered', 'digested'] as const;
      for (const [index, { id }] of (await claimAt(outbox, startMs)).entries()) {
        await outbox.settle([{ id, outcome: outcomes[index] ?? 'delivered', at: startMs }]);
        found.push(await outbox.told('a', 'mail'));
      }
      assert.deepEqual(found, ['warning', 'warning', 'warning']);
      assert.equal(await outbox.told('a', 'chat'), undefined);
    });

    test('there is nothing to say of an incident that is not known', async () => {
      await using opened = await open();
      assert.equal(await opened.outbox.standing('none'), undefined);
    });
  });
}
