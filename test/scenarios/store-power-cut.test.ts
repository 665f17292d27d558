import assert from 'node:assert/strict';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import type { Entry } from '../../src/core/entry.ts';
import { openSqliteStore } from '../../src/commands/serve/open-store.ts';
import type { Store } from '../../src/server/store/store.ts';
import { removeFolder } from '../../src/testing/remove-folder.ts';

const perBatch = 20;
const frameHeaderBytes = 24;
const walHeaderBytes = 32;
const randomCuts = Number(process.env['WATCHKEEPER_POWER_CUTS'] ?? 150);

/** The log had this length when the acknowledgement came: the store had synced all of it. */
interface Acknowledged {
  readonly batches: number;
  readonly walBytes: number;
}

/** What a power cut can leave: the database as of the last checkpoint, and of the log what was synced, then anything. */
interface Recording {
  readonly database: string;
  readonly wal: Buffer;
  /** What the file held before: the log is written anew from its beginning, over what it held. */
  readonly oldWal: Buffer;
  readonly acknowledged: readonly Acknowledged[];
}

function batch(number: number): Entry[] {
  return Array.from({ length: perBatch }, (_, index) => {
    const seq = (number - 1) * perBatch + index + 1;
    const times = { scheduledAt: seq * 1000, startedAt: seq * 1000, durationMs: 5 };
    const outcome = { status: 'up', metrics: {}, detail: {}, message: `run ${seq}` } as const;
    return { seq, item: { kind: 'result', taskId: 'task', monitorId: 'm', ...times, ...outcome } };
  });
}

async function commit(store: Store, number: number): Promise<void> {
  await store.commit({ agentId: 'agent', epoch: 'epoch', entries: batch(number) });
}

/** Commits before a checkpoint and after it; the log is read while the store is open, for closing would remove it. */
async function record(folder: string): Promise<Recording> {
  const file = join(folder, 'watchkeeper.db');
  await using store = await openSqliteStore({ folder });
  for (let number = 1; number <= 15; number++) await commit(store, number);
  {
    using other = new DatabaseSync(file);
    assert.equal(other.prepare('PRAGMA wal_checkpoint(FULL)').get()?.['busy'], 0);
  }
  const database = join(folder, 'as-of-the-checkpoint');
  await copyFile(file, database);
  const oldWal = await readFile(`${file}-wal`);
  const acknowledged: Acknowledged[] = [];
  for (let number = 16; number <= 35; number++) {
    await commit(store, number);
    acknowledged.push({ batches: number, walBytes: validBytes(await readFile(`${file}-wal`)) });
  }
  return { database, wal: await readFile(`${file}-wal`), oldWal, acknowledged };
}

/** Up to the last frame of this life of the log: each carries the salt of the header (SQLite, "The WAL File Format"). */
function validBytes(wal: Buffer): number {
  const salt = wal.subarray(16, 24);
  const frameBytes = frameHeaderBytes + wal.readUInt32BE(8);
  let end = walHeaderBytes;
  while (end + frameBytes <= wal.length && salt.equals(wal.subarray(end + 8, end + 16))) end += frameBytes;
  return end;
}

/** Which batches are there after a power cut that left `cut` bytes of the log; none may be there in part. */
async function batchesAfter(image: string, { database, wal, oldWal }: Recording, cut: number): Promise<number> {
  const rest = cut % 2 === 0 ? oldWal.subarray(cut) : Buffer.alloc(0);
  await copyFile(database, image);
  await writeFile(`${image}-wal`, Buffer.concat([wal.subarray(0, cut), rest]));
  await rm(`${image}-shm`, { force: true });
  using db = new DatabaseSync(image);
  assert.equal(db.prepare('PRAGMA quick_check').get()?.['quick_check'], 'ok');
  const ranges: unknown = JSON.parse(String(db.prepare('SELECT ranges FROM epochs').get()?.['ranges']));
  const kept = Number(db.prepare('SELECT count(*) AS kept FROM results').get()?.['kept']);
  assert.deepEqual(ranges, [[1, kept]], `cut at ${cut}`);
  assert.equal(kept % perBatch, 0, `cut at ${cut}`);
  return kept / perBatch;
}

test('FC03: after a power cut all that was acknowledged is there, and nothing in part, wherever the log was cut or torn', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'watchkeeper-power-cut-'));
  t.after(() => removeFolder(folder));
  const recording = await record(folder);
  const { acknowledged, wal } = recording;
  const end = validBytes(wal);
  const frameBytes = frameHeaderBytes + wal.readUInt32BE(8);
  const boundaries = Array.from(
    { length: (end - walHeaderBytes) / frameBytes },
    (_, at) => walHeaderBytes + at * frameBytes,
  );
  const anywhere = Array.from({ length: randomCuts }, () => Math.floor(Math.random() * end));
  const image = join(folder, 'image.db');
  for (const cut of [...boundaries, ...anywhere, end]) {
    const found = await batchesAfter(image, recording, cut);
    const promised = acknowledged.findLast(({ walBytes }) => walBytes <= cut)?.batches ?? 15;
    assert.ok(found >= promised, `cut at ${cut}: ${promised} batches were acknowledged, ${found} are there`);
  }
  // What was not synced may be lost, so the cuts above do cut; a byte less than what was synced loses the last batch.
  const [first] = acknowledged as [Acknowledged, ...Acknowledged[]];
  assert.equal(await batchesAfter(image, recording, first.walBytes - 1), 15);
  assert.equal(await batchesAfter(image, recording, first.walBytes), 16);
  t.diagnostic(`${boundaries.length + anywhere.length + 1} power cuts`);
});
