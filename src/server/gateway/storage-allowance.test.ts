import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FakeClock } from '../../testing/fake-clock.ts';
import { StorageAllowance } from './storage-allowance.ts';

const [kiB, miB, giB] = [2 ** 10, 2 ** 20, 2 ** 30];

function allowanceOf(rates: Readonly<Record<string, number>>) {
  const clock = new FakeClock();
  const told: string[] = [];
  const allowance = new StorageAllowance({
    clock,
    resultsPerSecond: (agentId) => rates[agentId] ?? 0,
    onUsedUp: (agentId) => told.push(agentId),
  });
  return { clock, told, allowance };
}

describe('AT14: no agent fills the disk', () => {
  test('a backlog of 2 GiB passes at once, and what comes then as fast as the tasks make it', async () => {
    const { clock, told, allowance } = allowanceOf({ busy: 32 });
    for (let sent = 0; sent < 2 * giB; sent += miB) assert.equal(allowance.take('busy', miB), 0);
    assert.deepEqual(told, []);
    // 64 KiB and 32 results of 2 KiB a second.
    assert.equal(allowance.take('busy', 128 * kiB), 1000);
    assert.deepEqual(told, ['busy']);
    await clock.advance(1000);
    assert.equal(allowance.take('busy', 0), 0);
    assert.equal(allowance.take('busy', 64 * kiB), 500);
    assert.equal(allowance.take('other', giB), 0, 'each has its own');
  });

  test('an agent without tasks that sends as fast as it may keeps 2 GiB and 64 KiB a second', async () => {
    const { clock, allowance } = allowanceOf({});
    let sent = 0;
    for (const end = clock.monotonic() + 86_400_000; clock.monotonic() < end;) {
      sent += 8 * miB;
      await clock.advance(Math.max(1000, allowance.take('liar', 8 * miB)));
    }
    assert.ok(sent < 2 * giB + 86_400 * 64 * kiB + 16 * miB, `${sent} bytes in a day`);
  });

  test('it never saves up more than a backlog', async () => {
    const { clock, allowance } = allowanceOf({});
    assert.equal(allowance.take('a', 1), 0);
    await clock.advance(30 * 86_400_000);
    assert.equal(allowance.take('a', 2 * giB + 64 * kiB), 1000);
  });
});
