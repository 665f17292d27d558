import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, rmdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Entry } from '../../src/core/entry.ts';
import { AppError } from '../../src/core/errors.ts';
import { openSqliteStore } from '../../src/commands/serve/open-store.ts';
import type { Store } from '../../src/server/store/store.ts';

const start = Date.UTC(2026, 10, 2);
const diskBytes = 32 * 2 ** 20;

interface Disk extends AsyncDisposable {
  readonly path: string;
}

/** A file system of its own; undefined where none can be mounted. */
async function mountDisk(): Promise<Disk | undefined> {
  const path = await mkdtemp(join(tmpdir(), 'watchkeeper-disk-'));
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${diskBytes}`, 'tmpfs', path]);
  if (status !== 0) {
    await rmdir(path);
    return undefined;
  }
  return {
    path,
    async [Symbol.asyncDispose]() {
      spawnSync('umount', [path]);
      await rmdir(path);
    },
  };
}

/** A minute apart, with a detail that never repeats. */
function commit(store: Store, from: number): Promise<unknown> {
  const entries: Entry[] = Array.from({ length: 50 }, (_, n) => {
    const scheduledAt = start + (from + n) * 60_000;
    const times = { scheduledAt, startedAt: scheduledAt, durationMs: 5 };
    const detail = { text: `${from + n} `.repeat(100) };
    const outcome = { status: 'up', metrics: {}, detail, message: String(from + n) } as const;
    return { seq: from + n, item: { kind: 'result', taskId: 'task', monitorId: 'monitor', ...times, ...outcome } };
  });
  return store.commit({ agentId: 'agent', epoch: 'epoch', entries });
}

/** Commits until one is refused; returns the number it began with. */
async function commitUntilRefused(store: Store, from: number): Promise<number> {
  for (let next = from; ; next += 50) {
    try {
      await commit(store, next);
    } catch (error) {
      assert.ok(error instanceof AppError && error.code === 'unavailable', String(error));
      assert.match(error.message, /disk/);
      return next;
    }
  }
}

test('FC04: a full disk refuses commits by name, loses none that was acknowledged, and takes them again once there is room', async (t) => {
  await using disk = await mountDisk();
  if (disk === undefined) return t.skip('no file system can be mounted here: that needs root');
  const filler = join(disk.path, 'filler');
  await writeFile(filler, Buffer.alloc(diskBytes / 2, 1));
  let next: number;
  {
    await using store = await openSqliteStore({ folder: join(disk.path, 'data') });
    next = await commitUntilRefused(store, 1);
    assert.ok(next > 1, 'some were committed before');
    await assert.rejects(commit(store, next), { code: 'unavailable' });
    assert.deepEqual(await store.received('agent', 'epoch'), [[1, next - 1]]);
    await rm(filler);
    await commit(store, next);
    assert.deepEqual(await store.verify(), []);
    next = await commitUntilRefused(store, next + 50);
  }
  // Full, and opened again: what is there can be read.
  await using store = await openSqliteStore({ folder: join(disk.path, 'data') });
  assert.deepEqual(await store.received('agent', 'epoch'), [[1, next - 1]]);
  const kept = await store.results({ taskId: 'task', from: 0, to: Infinity, limit: 100_000 });
  assert.deepEqual(
    kept.map(({ message }) => Number(message)),
    Array.from({ length: next - 1 }, (_, index) => index + 1),
  );
});
