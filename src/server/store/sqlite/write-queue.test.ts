import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { describe, test } from 'node:test';
import { systemClock as clock } from '../../../core/clock.ts';
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
      const queue = new WriteQueue(failingAtBegin(...errors), { clock, say, onRollback: () => {} });
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
    const queue = new WriteQueue(failingAtBegin(busy(), busy()), { clock, say: () => {}, onRollback: () => {} });
    assert.equal(await queue.add(() => 1), 1);
    queue.close();
  });
});

/** A queue on a real database whose one table refuses 0 at once and -1 at the COMMIT. */
function makeQueue() {
  const db = new DatabaseSync(':memory:');
  db.exec(`
    PRAGMA foreign_keys = ON;
    CREATE TABLE parents (id INTEGER PRIMARY KEY);
    CREATE TABLE numbers (n INTEGER CHECK (n <> 0), parent INTEGER REFERENCES parents DEFERRABLE INITIALLY DEFERRED);`);
  let undone = 0;
  const queue = new WriteQueue(db, { clock, say: () => {}, onRollback: () => undone++ });
  const add = (n: number): Promise<void> =>
    queue.add(() => void db.prepare('INSERT INTO numbers VALUES (?, ?)').run(n, n < 0 ? n : null));
  const kept = (): unknown[] =>
    db
      .prepare('SELECT n FROM numbers ORDER BY n')
      .all()
      .map(({ n }) => n);
  return { add, kept, undoneTimes: () => undone };
}

describe('MU52: whoever remembers what was written hears that it was undone', () => {
  test('once for each job that throws; the others of its transaction stay', async () => {
    const { add, kept, undoneTimes } = makeQueue();
    const settled = await Promise.allSettled([add(1), add(0), add(2), add(0), add(3)]);
    assert.deepEqual(
      settled.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled', 'rejected', 'fulfilled'],
    );
    assert.deepEqual(kept(), [1, 2, 3]);
    assert.equal(undoneTimes(), 2);
  });

  test('when the whole transaction is undone, and then every job of it is rejected', async () => {
    const { add, kept, undoneTimes } = makeQueue();
    const settled = await Promise.allSettled([add(1), add(-1), add(2)]);
    assert.deepEqual(
      settled.map(({ status }) => status),
      ['rejected', 'rejected', 'rejected'],
    );
    assert.deepEqual(kept(), []);
    assert.equal(undoneTimes(), 1);
    await add(4);
    assert.deepEqual(kept(), [4]);
    assert.equal(undoneTimes(), 1, 'nothing was undone since');
  });
});
