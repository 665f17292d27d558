import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SimulatedDisk } from '../../testing/simulated-disk.ts';
import { Reserve } from './reserve.ts';

const mebibyte = 1024 * 1024;

function diskWith(freeBytes: number): SimulatedDisk {
  const disk = new SimulatedDisk();
  disk.capacityBytes = freeBytes;
  return disk;
}

describe('the reserve', () => {
  for (const [freeMib, held, why] of [
    [64, 4, 'a sixteenth of a small disk'],
    [320, 10, 'what was asked for'],
  ] as const) {
    test(`MU10: of ${freeMib} MiB it holds ${held} MiB: ${why}`, () => {
      const disk = diskWith(freeMib * mebibyte);
      new Reserve(disk, 10 * mebibyte).look();
      assert.equal(disk.usedBytes, held * mebibyte);
    });
  }

  test('MU10: it takes nothing of a disk that has less than twice its size left', () => {
    const disk = diskWith(160 * mebibyte);
    const others = disk.create('others');
    others.write(Buffer.alloc(141 * mebibyte), 0);
    new Reserve(disk, 10 * mebibyte).look();
    assert.equal(disk.usedBytes, 141 * mebibyte);
  });

  test('it is given up once, says so, and is taken again when there is room', () => {
    const disk = diskWith(320 * mebibyte);
    const reserve = new Reserve(disk, 10 * mebibyte);
    reserve.look();
    assert.equal(reserve.giveUp(), 10 * mebibyte);
    assert.equal(reserve.giveUp(), 0);
    assert.match(reserve.warning ?? '', /reserve is in use/);
    reserve.look();
    assert.equal(disk.usedBytes, 10 * mebibyte);
    assert.equal(reserve.isGivenUp, false);
  });
});
