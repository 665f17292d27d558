import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SimulatedDisk } from '../../testing/simulated-disk.ts';
import { SimulatedEvidenceDisk } from '../../testing/simulated-evidence-disk.ts';
import type { EvidenceFile } from './evidence-disk.ts';
import { deleteFiles, oldFiles, type RetentionOptions } from './retention.ts';

const mib = 1024 * 1024;
const dayMs = 86_400_000;
const now = Date.UTC(2026, 11, 2);

/** Files of which only the sizes and times matter, in days before now. */
function listOf(files: Readonly<Record<string, readonly [bytes: number, ageDays: number]>>): readonly EvidenceFile[] {
  return Object.entries(files).map(([name, [bytes, days]]) => ({ name, bytes, changedAt: now - days * dayMs }));
}

const [first, second, third] = ['2026-10-01', '2026-11-01', '2026-12-01'].map((day) => `${day}T00-00-00-000Z`) as [
  string,
  string,
  string,
];
const options: RetentionOptions = { classOfData: 'devices', now, current: `${third}.jsonl` };

test('too much is deleted oldest first, each file of lines with its text', () => {
  const files = listOf({
    'chain.json': [200, 0],
    [`${third}.jsonl`]: [mib, 0],
    [`${second}.jsonl`]: [150 * mib, 1],
    [`${second}.log`]: [50 * mib, 1],
    [`${first}.jsonl`]: [50 * mib, 2],
    [`${first}.log`]: [50 * mib, 2],
  });
  assert.deepEqual(oldFiles(files, options), [`${first}.jsonl`]);
});

test('traffic is kept for 30 days, devices for 180, the file that is being written always', () => {
  const files = {
    [`${first}.jsonl`]: [1, 31],
    [`${second}.jsonl`]: [1, 29],
    [`${third}.jsonl`]: [999 * mib, 29],
  } as const;
  const [small, large] = [listOf({ ...files, [`${third}.jsonl`]: [1, 400] }), listOf(files)];
  assert.deepEqual(oldFiles(small, { ...options, classOfData: 'traffic' }), [`${first}.jsonl`]);
  assert.deepEqual(oldFiles(small, options), []);
  assert.deepEqual(oldFiles(large, options), [`${first}.jsonl`, `${second}.jsonl`]);
});

test('a file of lines goes with its text, and nothing else does', async () => {
  const disk = new SimulatedDisk();
  for (const name of ['chain.json', `${first}.jsonl`, `${second}.jsonl`, `${second}.log`]) disk.create(name);
  await deleteFiles(new SimulatedEvidenceDisk(disk), [`${first}.jsonl`, `${second}.jsonl`]);
  assert.deepEqual(
    disk.list().map(({ name }) => name),
    ['chain.json'],
  );
});
