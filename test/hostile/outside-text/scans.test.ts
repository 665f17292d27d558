import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { cpuMsOf, leastOf, maxCpuMs } from './cpu-time.ts';
import { otherLoops, scans, type Scan } from './scans.ts';
import { scanSources } from './sources.ts';

/** Milliseconds of processor time that the longest turn takes. */
function costOf({ read }: Scan): number {
  let turns: Iterator<unknown> | undefined;
  const turn = (): boolean => {
    try {
      turns ??= read()[Symbol.iterator]();
      return turns.next().done ?? false;
    } catch {
      // A text that is refused has been read.
      return true;
    }
  };
  let costMs = 0;
  let isLast: boolean;
  do {
    isLast = true;
    costMs = Math.max(
      costMs,
      cpuMsOf(() => (isLast = turn())),
    );
  } while (!isLast);
  return costMs;
}

describe('CA1: every loop over outside text in src, on 1 MiB of its worst text', () => {
  test(`takes at most ${maxCpuMs} ms of processor time`, () => {
    const slow = scans
      .map((scan) => ({ about: scan.about, ms: leastOf(() => costOf(scan)) }))
      .filter(({ ms }) => ms > maxCpuMs);
    assert.deepEqual(slow, []);
  });

  const listed = [...scans.flatMap(({ files }) => files), ...Object.values(otherLoops).flat()];
  const { filesWithLoops } = scanSources();

  test('is in a file that the list of scans, or of other loops, names', () => {
    const unlisted = filesWithLoops.filter((file) => !listed.includes(file));
    assert.deepEqual(unlisted, [], 'add its worst text to scans, or its reason to otherLoops');
  });

  test('the lists name no file without a loop', () => {
    assert.deepEqual(
      [...new Set(listed)].filter((file) => !filesWithLoops.includes(file)),
      [],
    );
  });
});
