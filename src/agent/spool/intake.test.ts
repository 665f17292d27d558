import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Intake, type Pending } from './intake.ts';

function entry(seq: number, { droppable, jsonBytes = 100 }: { droppable: boolean; jsonBytes?: number }): Pending {
  return { seq, at: 0, json: 'x'.repeat(jsonBytes), jsonBytes, droppable, isGap: false, ticket: seq };
}

describe('entries that wait for the disk', () => {
  test('MU5: when memory is full the oldest plain results go, and what must not be lost stays', () => {
    const intake = new Intake(1000);
    for (let seq = 1; seq <= 11; seq++) intake.add(entry(seq, { droppable: seq % 2 === 0 }));
    assert.ok(intake.isOverfull);
    intake.makeRoom();
    const kept = intake.waiting.map(({ seq }) => seq);
    assert.deepEqual(
      kept.filter((seq) => seq % 2 === 1),
      [1, 3, 5, 7, 9, 11],
    );
    // 1,100 bytes are brought to three quarters of 1,000: four of the five droppable ones go, the oldest first.
    assert.deepEqual(
      kept.filter((seq) => seq % 2 === 0),
      [10],
    );
    assert.deepEqual(intake.takeRefused(), [
      [2, 2],
      [4, 4],
      [6, 6],
      [8, 8],
    ]);
  });

  test('the newest is refused where nothing may be dropped', () => {
    const intake = new Intake(250);
    for (let seq = 1; seq <= 3; seq++) intake.add(entry(seq, { droppable: false }));
    intake.makeRoom();
    assert.deepEqual(
      intake.waiting.map(({ seq }) => seq),
      [1, 2],
    );
    assert.deepEqual(intake.takeRefused(), [[3, 3]]);
    assert.deepEqual(intake.takeReceipts(), [{ ticket: 3 }]);
  });

  test('MU12: what was recorded or refused takes no memory any more', () => {
    const intake = new Intake(1000);
    for (let round = 0; round < 100; round++) {
      for (let index = 0; index < 6; index++) intake.add(entry(round * 6 + index, { droppable: true }));
      assert.ok(!intake.isOverfull, `round ${round}`);
      intake.take(5);
      intake.refuseNewest();
    }
  });
});
