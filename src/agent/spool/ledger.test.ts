import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SeqRange } from '../../core/entry.ts';
import { SimulatedCrash, SimulatedDisk } from '../../testing/simulated-disk.ts';
import { randomFrom } from '../../testing/random-from.ts';
import { Ledger, type LedgerPage } from './ledger.ts';

/** Long enough for several sectors, and each its own, so that a mixture of two is neither. */
function page(nextSeq: number): LedgerPage {
  const settled = Array.from({ length: 500 }, (_, index): SeqRange => [nextSeq + 3 * index, nextSeq + 3 * index + 1]);
  return { series: 7, epoch: 7, nextSeq, sentBelow: nextSeq, settled };
}

test('MU6: a power cut in the middle of a page leaves the page before it', () => {
  for (let seed = 0; seed < 200; seed++) {
    const disk = new SimulatedDisk();
    const { ledger } = Ledger.read(disk);
    ledger.write(page(100));
    ledger.write(page(200));
    disk.onOperation = (operation) => {
      if (operation === 'sync') throw new SimulatedCrash('before the sync');
    };
    assert.throws(() => ledger.write(page(300)), SimulatedCrash);
    disk.powerCut(randomFrom(seed));
    const found = Ledger.read(disk).page;
    assert.ok(found && [200, 300].includes(found.nextSeq), `seed ${seed}: found ${found?.nextSeq}`);
  }
});

test('a page is the newest of the two, also after the ledger was opened again', () => {
  const disk = new SimulatedDisk();
  for (const nextSeq of [2, 3, 4, 5]) {
    const { ledger } = Ledger.read(disk);
    ledger.write(page(nextSeq));
    ledger.close();
    assert.equal(Ledger.read(disk).page?.nextSeq, nextSeq);
  }
});

test('more ranges than a page holds are kept in part, and that is said', () => {
  const disk = new SimulatedDisk();
  const settled = Array.from({ length: 5000 }, (_, index): SeqRange => [2 * index + 1, 2 * index + 1]);
  assert.equal(Ledger.read(disk).ledger.write({ series: 1, epoch: 1, nextSeq: 20_000, sentBelow: 1, settled }), false);
  const kept = Ledger.read(disk).page?.settled ?? [];
  assert.ok(kept.length > 4000, `${kept.length} ranges were kept`);
  assert.deepEqual(kept, settled.slice(0, kept.length));
});
