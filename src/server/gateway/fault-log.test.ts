import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FakeClock } from '../../testing/fake-clock.ts';
import { FaultLog } from './fault-log.ts';

function faultLog(): { log: FaultLog; clock: FakeClock; lines: string[] } {
  const clock = new FakeClock();
  const lines: string[] = [];
  return { clock, lines, log: new FaultLog({ clock, event: 'fault', say: (text) => lines.push(text) }) };
}

describe('the fault log', () => {
  test('says a fault once, and ten minutes later how often it happened', async () => {
    const { log, clock, lines } = faultLog();
    for (let i = 0; i < 1000; i++) log.tell('a bad-frame', 'a bad frame');
    log.tell('b bad-frame', 'another');
    assert.deepEqual(lines, ['a bad frame', 'another']);
    await clock.advance(600_000);
    log.tell('a bad-frame', 'a bad frame');
    assert.equal(lines.at(-1), 'a bad frame (and 999 times since this was last said)');
  });

  test('stays short however many speak wrongly, and takes up new ones later', async () => {
    const { log, clock, lines } = faultLog();
    for (let i = 0; i < 10_000; i++) log.tell(`${i}`, `fault of ${i}`);
    assert.equal(lines.length, 500);
    await clock.advance(600_000);
    log.tell('late', 'fault of a late one');
    assert.equal(lines.at(-1), 'fault of a late one');
  });
});
