import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diskError } from '../../testing/simulated-disk.ts';
import type { EvidenceDisk, EvidenceFile } from './evidence-disk.ts';
import { deleteOldFiles, type RetentionOptions } from './retention.ts';

const mib = 1024 * 1024;
const dayMs = 86_400_000;
const now = Date.UTC(2026, 11, 2);

const unused = (): Promise<never> => Promise.reject(new Error('deleting reads and writes nothing'));

/** A disk of which only the sizes and times of files matter, in days before now. */
function diskOf(files: Readonly<Record<string, readonly [bytes: number, ageDays: number]>>): EvidenceDisk & {
  readonly names: () => string[];
} {
  const kept = new Map<string, EvidenceFile>(
    Object.entries(files).map(([name, [bytes, days]]) => [name, { name, bytes, changedAt: now - days * dayMs }]),
  );
  return {
    names: () => [...kept.keys()],
    list: () => Promise.resolve([...kept.values()]),
    remove: (name) => Promise.resolve(void kept.delete(name)),
    read: unused,
    write: unused,
    replace: unused,
  };
}

const [first, second, third] = ['2026-10-01', '2026-11-01', '2026-12-01'].map((day) => `${day}T00-00-00-000Z`) as [
  string,
  string,
  string,
];
const options: RetentionOptions = { classOfData: 'devices', now, current: `${third}.jsonl` };

test('too much is deleted oldest first, each file of lines with its text', async () => {
  const disk = diskOf({
    'chain.json': [200, 0],
    [`${third}.jsonl`]: [mib, 0],
    [`${second}.jsonl`]: [150 * mib, 1],
    [`${second}.log`]: [50 * mib, 1],
    [`${first}.jsonl`]: [50 * mib, 2],
    [`${first}.log`]: [50 * mib, 2],
  });
  assert.deepEqual(await deleteOldFiles(disk, options), [`${first}.jsonl`]);
  assert.deepEqual(disk.names(), ['chain.json', `${third}.jsonl`, `${second}.jsonl`, `${second}.log`]);
});

test('traffic is kept for 30 days, devices for 180, the file that is being written always', async () => {
  const files = {
    [`${first}.jsonl`]: [1, 31],
    [`${second}.jsonl`]: [1, 29],
    [`${third}.jsonl`]: [999 * mib, 29],
  } as const;
  const [small, large] = [diskOf({ ...files, [`${third}.jsonl`]: [1, 400] }), diskOf(files)];
  assert.deepEqual(await deleteOldFiles(small, { ...options, classOfData: 'traffic' }), [`${first}.jsonl`]);
  assert.deepEqual(await deleteOldFiles(small, options), []);
  assert.deepEqual(await deleteOldFiles(large, options), [`${first}.jsonl`, `${second}.jsonl`]);
  assert.deepEqual(large.names(), [`${third}.jsonl`]);
});

test('a disk that refuses to delete is asked again another time', async () => {
  const disk = {
    ...diskOf({ [`${first}.jsonl`]: [1, 999] }),
    remove: () => Promise.reject(diskError('EROFS', 'unlink')),
  };
  assert.deepEqual(await deleteOldFiles(disk, options), []);
});
