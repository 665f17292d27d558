import assert from 'node:assert/strict';
import type { DatabaseSync } from 'node:sqlite';
import { describe, test } from 'node:test';
import { WriteQueue } from './write-queue.ts';

/** As node:sqlite throws: with SQLite's result code. */
function sqliteError(errcode: number, message: string): Error {
  return Object.assign(new Error(message), { errcode });
}

const busy = (): Error => sqliteError(5, 'database is locked');
const ioError = (): Error => sqliteError(10, 'disk I/O error');

/** A database whose BEGIN fails with these errors, one after the other, and then works. */
function failingAtBegin(...errors: readonly Error[]): DatabaseSync {
  const left = [...errors];
  const db = {
    isTransaction: false,
    exec(sql: string): void {
      if (!sql.startsWith('BEGIN')) return;
      const error = left.shift();
      if (error) throw error;
    },
  };
  // Nothing else of it is used here.
  return db as unknown as DatabaseSync;
}

describe('SE9: the writer goes on', () => {
  for (const [what, errors] of [
    ['a lock, then another error', [busy(), ioError()]],
    ['an error at once', [ioError()]],
    ['a lock, an error, a lock again', [busy(), ioError(), busy()]],
  ] as const)
    test(`after ${what}`, async () => {
      const notices: string[] = [];
      const say = ({ event }: { readonly event: string }): void => void notices.push(event);
      const queue = new WriteQueue(failingAtBegin(...errors), { say, onRollback: () => {} });
      await assert.rejects(
        queue.add(() => 1),
        { code: 'unavailable' },
      );
      assert.equal(await queue.add(() => 2), 2);
      assert.equal(await queue.add(() => 3), 3);
      const told = notices.filter((event) => event === 'waiting-for-lock').length;
      assert.equal(notices.filter((event) => event === 'lock-gained').length, told > 0 ? 1 : 0, 'the end is told once');
      queue.close();
    });

  test('after a lock that is let go of', async () => {
    const queue = new WriteQueue(failingAtBegin(busy(), busy()), { say: () => {}, onRollback: () => {} });
    assert.equal(await queue.add(() => 1), 1);
    queue.close();
  });
});
