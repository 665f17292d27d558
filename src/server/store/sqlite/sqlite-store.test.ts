import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { copyFile, mkdtemp, open, readdir, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, test } from 'node:test';
import type { Entry } from '../../../core/entry.ts';
import { accountsContract } from '../accounts.contract.ts';
import { storeContract } from '../store.contract.ts';
import type { Store } from '../store.ts';
import { hourMs } from '../summary.ts';
import { migrate } from './migrate.ts';
import { migrations } from './schema.ts';
import { openSqliteStore } from '../../../commands/serve/open-store.ts';
import type { Notice } from './sqlite-store.ts';
import { removeFolder } from '../../../testing/remove-folder.ts';

interface Folder extends AsyncDisposable {
  readonly path: string;
  readonly file: string;
}

async function makeFolder(): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), 'watchkeeper-store-'));
  return {
    path,
    file: join(path, 'watchkeeper.db'),
    [Symbol.asyncDispose]: () => removeFolder(path),
  };
}

for (const contract of [storeContract, accountsContract])
  contract('SQLite', async () => {
    const folder = await makeFolder();
    return { open: () => openSqliteStore({ folder: folder.path }), [Symbol.asyncDispose]: folder[Symbol.asyncDispose] };
  });

const start = Date.UTC(2026, 10, 2, 8);

function entries(from: number, to: number): Entry[] {
  return Array.from({ length: to - from + 1 }, (_, n) => {
    const scheduledAt = start + (from + n) * 1000;
    const times = { scheduledAt, startedAt: scheduledAt, durationMs: 5 };
    const outcome = {
      status: 'up',
      metrics: {},
      detail: { text: 'x'.repeat(200) },
      message: `Run ${from + n}.`,
    } as const;
    return { seq: from + n, item: { kind: 'result', taskId: 'task', monitorId: 'monitor', ...times, ...outcome } };
  });
}

function commit(store: Store, from: number, to: number): Promise<unknown> {
  return store.commit({ agentId: 'agent', epoch: 'epoch', entries: entries(from, to) });
}

async function countOf(store: Store): Promise<number> {
  const kept = await store.results({ taskId: 'task', from: 0, to: start + 1000 * hourMs, limit: 100_000 });
  assert.equal(new Set(kept.map(({ message }) => message)).size, kept.length, 'each once');
  return kept.length;
}

/** A store whose notices can be waited for and read back. */
async function openListening(
  folder: string,
  maxWaitingBytes?: number,
): Promise<{ store: Store; heard: Notice[]; notices: EventEmitter }> {
  const heard: Notice[] = [];
  const notices = new EventEmitter();
  const say = (notice: Notice): void => {
    heard.push(notice);
    notices.emit(notice.event);
  };
  const store = await openSqliteStore({ folder, say, ...(maxWaitingBytes === undefined ? {} : { maxWaitingBytes }) });
  return { store, heard, notices };
}

describe('a database that someone else locks', () => {
  test('FC01: commits wait for the lock, and none is lost', async () => {
    await using folder = await makeFolder();
    const { store, heard, notices } = await openListening(folder.path);
    await using _ = store;
    using other = new DatabaseSync(folder.file);
    const waiting = once(notices, 'waiting-for-lock');
    other.exec('BEGIN EXCLUSIVE');
    const commits = Array.from({ length: 50 }, (_, n) => commit(store, 10 * n + 1, 10 * n + 10));
    await waiting;
    assert.equal(await countOf(store), 0);
    other.exec('ROLLBACK');
    await Promise.all(commits);
    assert.equal(await countOf(store), 500);
    assert.deepEqual(
      heard.map(({ event }) => event),
      ['waiting-for-lock', 'lock-gained'],
    );
  });

  test('what may wait is bounded: more is refused, and welcome later', async () => {
    await using folder = await makeFolder();
    const { store } = await openListening(folder.path, 100_000);
    await using _ = store;
    using other = new DatabaseSync(folder.file);
    other.exec('BEGIN IMMEDIATE');
    const commits = await startCommits(store, 40);
    const refused = commits.filter(({ state }) => state === 'refused').length;
    assert.ok(refused > 0 && refused < 40, `${refused} of 40 were refused`);
    other.exec('ROLLBACK');
    await Promise.all(commits.map(({ settled }) => settled));
    assert.equal(await countOf(store), (40 - refused) * 10);
    await commit(store, 1, 400);
    assert.equal(await countOf(store), 400);
  });

  test('closing rejects what could not be written', async () => {
    await using folder = await makeFolder();
    const { store, notices } = await openListening(folder.path);
    using other = new DatabaseSync(folder.file);
    other.exec('BEGIN IMMEDIATE');
    const waiting = once(notices, 'waiting-for-lock');
    const refused = assert.rejects(commit(store, 1, 10), { code: 'unavailable', message: /lock/ });
    await waiting;
    await store[Symbol.asyncDispose]();
    await refused;
  });
});

/** Commits of ten entries each, and which of them were refused at once. */
async function startCommits(store: Store, count: number) {
  const commits = Array.from({ length: count }, (_, n) => {
    const started = { state: 'waiting', settled: Promise.resolve() };
    started.settled = commit(store, 10 * n + 1, 10 * n + 10).then(
      () => void (started.state = 'done'),
      (error: unknown) => {
        assert.equal((error as { code?: string }).code, 'unavailable');
        started.state = 'refused';
      },
    );
    return started;
  });
  // A refusal is the next microtask's; what waits for the disk takes longer.
  await new Promise((resolve) => setImmediate(resolve));
  return commits;
}

describe('a file that cannot be used', () => {
  const damages: Readonly<Record<string, (file: string) => Promise<void>>> = {
    'has no SQLite header': (file) => writeFile(file, 'not a database, but longer than its header is: '.repeat(10)),
    'is cut short': (file) => truncate(file, 3 * 16_384),
    'has a page overwritten': (file) => overwrite(file, 2 * 16_384, Buffer.alloc(16_384, 0x5a)),
  };
  for (const [how, damage] of Object.entries(damages)) {
    test(`FC02: a file that ${how} is put aside and said so, and a new one begun`, async () => {
      await using folder = await makeFolder();
      {
        await using store = await openSqliteStore({ folder: folder.path });
        await commit(store, 1, 2000);
      }
      await damage(folder.file);
      const { store, heard } = await openListening(folder.path);
      await using _ = store;
      const [notice] = heard;
      assert.equal(notice?.event, 'quarantined');
      assert.match(notice.file, /watchkeeper\.db\.unreadable-2/);
      assert.ok(notice.reason.length > 0);
      const names = await readdir(folder.path);
      assert.equal(names.filter((name) => name.includes('unreadable')).length, 1);
      await commit(store, 1, 10);
      assert.equal(await countOf(store), 10);
    });
  }

  test('FC13: a damaged hour is said once, found by verify, and holds up neither queries nor the sealing of others', async () => {
    await using folder = await makeFolder();
    {
      await using store = await openSqliteStore({ folder: folder.path });
      await commit(store, 1, 3 * 3600);
      assert.equal(await store.seal(start + 2 * hourMs), 2);
    }
    damageChunk(folder.file, start / hourMs);
    const { store, heard } = await openListening(folder.path);
    await using _ = store;
    assert.equal(await countOf(store), 2 * 3600 + 1);
    // Late for both sealed hours.
    const late = [...entries(1, 1), ...entries(3601, 3601)];
    const others = late.map(({ seq, item }) => ({ seq, item: { ...item, durationMs: 99 } }));
    await store.commit({ agentId: 'agent', epoch: 'late', entries: others });
    assert.equal(await store.seal(start + 4 * hourMs), 3);
    assert.equal(await store.seal(start + 4 * hourMs), 0);
    assert.deepEqual(
      heard.map((notice) => notice.event === 'damaged-hour' && [notice.taskId, notice.from]),
      [['task', start]],
    );
    const problems = await store.verify();
    assert.equal(problems.length, 1);
    assert.match(
      problems[0] ?? '',
      /^task task, the hour from 2026-11-02T08:00:00.000Z: Stored results cannot be unpacked/,
    );
  });

  test('SF19: results that are sound and cannot be packed are told as a fault of the program, once, and stay', async () => {
    await using folder = await makeFolder();
    {
      await using store = await openSqliteStore({ folder: folder.path });
      await commit(store, 1, 3 * 3600);
    }
    {
      // Its time is none that the format has a place for.
      using db = new DatabaseSync(folder.file);
      db.exec(`UPDATE results SET at = 9007199254740991 WHERE slot = ${start / 10_000 + 5}`);
    }
    const { store, heard } = await openListening(folder.path);
    await using _ = store;
    assert.equal(await store.seal(start + 4 * hourMs), 3);
    assert.equal(await store.seal(start + 4 * hourMs), 0);
    assert.deepEqual(
      heard.map((notice) => 'reason' in notice && [notice.event, /to store, got/.test(notice.reason)]),
      [['unsealable-hour', true]],
    );
    assert.equal(await countOf(store), 3 * 3600 - 10, 'but for those ten');
  });

  test('data of a newer version is refused and left alone', async () => {
    await using folder = await makeFolder();
    await (await openSqliteStore({ folder: folder.path }))[Symbol.asyncDispose]();
    using db = new DatabaseSync(folder.file);
    db.exec('PRAGMA user_version = 99');
    await assert.rejects(openSqliteStore({ folder: folder.path }), {
      code: 'usage',
      message: /newer Watchkeeper \(schema 99/,
    });
    assert.equal(db.prepare('PRAGMA user_version').get()?.['user_version'], 99);
  });

  test('a migration that fails leaves everything as it was, and one that succeeds keeps the data', () => {
    using db = new DatabaseSync(':memory:');
    migrate(db, migrations);
    db.exec("INSERT INTO monitors (id, definition) VALUES ('m', '{}')");
    const added = 'ALTER TABLE monitors ADD COLUMN note TEXT';
    assert.throws(() => migrate(db, [...migrations, added, 'DROP TABLE nothing']), /nothing/);
    assert.equal(db.prepare('PRAGMA user_version').get()?.['user_version'], migrations.length);
    assert.equal(db.prepare('SELECT * FROM monitors').columns().length, 3);
    assert.equal(migrate(db, [...migrations, added]), migrations.length);
    assert.equal(db.prepare('SELECT * FROM monitors').all()[0]?.['id'], 'm');
  });
});

/** One bit of the packed results: a page that SQLite takes for sound. */
function damageChunk(file: string, hour: number): void {
  using db = new DatabaseSync(file);
  const row = db.prepare('SELECT runs FROM chunks WHERE hour = ?').get(hour);
  const runs = Buffer.from(row?.['runs'] as Uint8Array);
  runs.writeUInt8(runs.readUInt8(runs.length >> 1) ^ 1, runs.length >> 1);
  db.prepare('UPDATE chunks SET runs = ? WHERE hour = ?').run(runs, hour);
}

async function overwrite(file: string, at: number, bytes: Buffer): Promise<void> {
  await using handle = await open(file, 'r+');
  await handle.write(bytes, 0, bytes.length, at);
}

describe('a backup', () => {
  test('made while agents report holds all that was committed before, and opens as a store', async () => {
    await using folder = await makeFolder();
    await using restored = await makeFolder();
    const file = join(restored.path, 'copy');
    {
      await using store = await openSqliteStore({ folder: folder.path });
      await commit(store, 1, 5000);
      await store.seal(start + hourMs);
      const copied = new AbortController();
      // Several, for a copy that is taken in an unlucky moment is what must not fail.
      const copying = (async () => {
        for (let copy = 0; copy < 20; copy++) await store.backup(copy === 0 ? file : `${file}-${copy}`);
      })().finally(() => copied.abort());
      for (let seq = 5001; !copied.signal.aborted; seq += 20) {
        await Promise.all(Array.from({ length: 20 }, (_, index) => commit(store, seq + index, seq + index)));
      }
      await copying;
      await assert.rejects(store.backup(file), { code: 'usage', message: /is there already/ });
    }
    await copyFile(file, restored.file);
    await using store = await openSqliteStore({ folder: restored.path });
    assert.ok((await countOf(store)) >= 5000);
    assert.deepEqual(await store.verify(), []);
  });
});
