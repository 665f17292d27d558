import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../testing/fake-clock.ts';
import { DiskWatch, diskSpace } from './disk-watch.ts';

test('SI10: the disk is told of before it is full, once at each step, and when there is room again', async () => {
  const clock = new FakeClock();
  const said: string[] = [];
  let freeBytes = 200e6;
  const watch = new DiskWatch({
    clock,
    say: (text, about) => said.push(`${about?.level ?? 'info'} ${about?.event}: ${text}`),
    space: () => ({ freeBytes, totalBytes: 1e9 }),
  });
  watch.start();
  for (freeBytes of [100e6, 99e6, 98e6, 101e6, 49e6, 60e6, 19e6, 0, 105e6, 111e6, 99e6]) await clock.advance(60_000);
  watch.stop();
  const next = 'When it is full, results wait in the agents; make room or shorten retention.';
  const low = (size: string, percent: string): string =>
    `warning disk-low: The disk is filling up: ${size} (${percent} %) of the disk of the data folder are free. ${next}`;
  assert.deepEqual(said, [
    low('99.0 MB', '9.9'),
    low('49.0 MB', '4.9'),
    low('19.0 MB', '1.9'),
    'info disk-room: There is room again: 111.0 MB (11.1 %) of the disk of the data folder are free.',
    low('99.0 MB', '9.9'),
  ]);
});

test('the disk of a folder has a size', () => {
  const { freeBytes, totalBytes } = diskSpace(import.meta.dirname);
  assert.ok(freeBytes >= 0 && totalBytes >= freeBytes);
});
