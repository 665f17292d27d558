import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Entry, ResultItem } from '../../core/entry.ts';
import { AppError } from '../../core/errors.ts';
import { rangesOf } from '../../core/ranges.ts';
import { serverAgentId } from '../../core/task.ts';
import { FakeClock } from '../../testing/fake-clock.ts';
import type { WantedTask } from '../fleet/task-table.ts';
import { Heartbeats } from './heartbeats.ts';

const key = 'a-key-of-20-letters-';
const success = { signal: { kind: 'success' }, tail: '', address: '192.0.2.1' } as const;
const minute = 60_000;

/** A server's heartbeats on a store that survives it. */
class Stand {
  readonly clock = new FakeClock();
  readonly kept: Entry[] = [];
  readonly tasks = new Map<string, WantedTask>();
  isStoreBroken = false;
  heartbeats = this.#made();

  constructor() {
    this.define('1');
  }

  define(
    id: string,
    { period = '1h', paused = false, ...options }: { period?: string; paused?: boolean; key?: string } = {},
  ): void {
    const common = { type: 'heartbeat', target: '', intervalMs: 10_000, timeoutMs: 1000, paused };
    const task = { id, monitorId: id, monitorName: id, agentId: serverAgentId, ...common };
    this.tasks.set(id, { task: { ...task, options: { key, period, grace: '10m', ...options } }, sinceMs: 0 });
  }

  async restart(awayMs: number): Promise<void> {
    this.heartbeats.stop();
    await this.clock.advance(awayMs);
    this.heartbeats = this.#made();
    await this.heartbeats.start();
  }

  get results(): readonly ResultItem[] {
    return this.kept.flatMap(({ item }) => (item.kind === 'result' ? [item] : []));
  }

  last(taskId = '1'): ResultItem {
    const found = this.results.findLast((item) => item.taskId === taskId);
    assert.ok(found);
    return found;
  }

  #made(): Heartbeats {
    return new Heartbeats({
      clock: this.clock,
      tasks: () => this.tasks,
      latest: (taskId) => this.results.findLast((item) => item.taskId === taskId),
      received: () => Promise.resolve(rangesOf(this.kept.map(({ seq }) => seq)).ranges),
      commit: (entries) => {
        if (this.isStoreBroken) return Promise.reject(new AppError('unavailable', 'the disk is full'));
        this.kept.push(...entries);
        return Promise.resolve();
      },
    });
  }
}

async function started(): Promise<Stand> {
  const stand = new Stand();
  await stand.heartbeats.start();
  return stand;
}

describe('what jobs tell becomes results of the server', () => {
  test('each interval one, at once where something is told or late; numbered without a gap, also over a restart', async () => {
    const stand = await started();
    await stand.clock.advance(minute);
    assert.equal(stand.results.length, 7);
    assert.equal(await stand.heartbeats.take(key, success), 'kept');
    assert.equal(stand.last().status, 'up');
    await stand.clock.advance(70 * minute);
    assert.equal(stand.last().status, 'down');
    assert.equal(stand.last().reason, 'timeout');
    await stand.restart(minute);
    assert.equal(stand.last().status, 'down', 'what was late before stays late');
    assert.deepEqual(
      stand.kept.map(({ seq }) => seq),
      stand.kept.map((_, index) => index + 1),
    );
    assert.equal(new Set(stand.results.map(({ scheduledAt }) => scheduledAt)).size, stand.results.length);
  });

  test('after a restart nothing is down before its grace has passed, and what may have been missed is unknown', async () => {
    const stand = await started();
    await stand.heartbeats.take(key, success);
    await stand.restart(2 * 60 * minute);
    assert.equal(stand.last().status, 'up');
    await stand.clock.advance(9 * minute);
    assert.equal(stand.last().status, 'up');
    await stand.clock.advance(2 * minute);
    assert.equal(stand.last().status, 'unknown');
    assert.match(stand.last().message, /was away until .* and may have missed one/);
    await stand.heartbeats.take(key, success);
    assert.equal(stand.last().status, 'up');
    assert.ok(!stand.results.some(({ status }) => status === 'down'));
  });

  test('a machine that sleeps, or a clock that is set, makes nothing late', async () => {
    for (const step of [
      (clock: FakeClock) => clock.suspend(24 * 60 * minute),
      (clock: FakeClock) => clock.stepWall(24 * 60 * minute),
    ]) {
      const stand = await started();
      await stand.heartbeats.take(key, success);
      await stand.clock.advance(5000);
      step(stand.clock);
      await stand.clock.advance(30 * minute);
      assert.ok(!stand.results.some(({ status }) => status === 'down'));
      await stand.clock.advance(60 * minute);
      assert.equal(stand.last().status, 'down', 'the one after it is expected as always');
    }
  });

  test('a store that takes nothing now: the job is told so, and what it said is kept later', async () => {
    const stand = await started();
    stand.isStoreBroken = true;
    await assert.rejects(stand.heartbeats.take(key, success), { code: 'unavailable' });
    stand.isStoreBroken = false;
    await stand.clock.advance(20_000);
    assert.equal(stand.last().status, 'up');
    assert.deepEqual(
      stand.kept.map(({ seq }) => seq),
      stand.kept.map((_, index) => index + 1),
    );
  });

  test('a paused one is never late, and counts again from when it is resumed', async () => {
    const stand = await started();
    await stand.heartbeats.take(key, success);
    stand.define('1', { paused: true });
    await stand.clock.advance(5 * 60 * minute);
    stand.define('1');
    await stand.clock.advance(69 * minute);
    assert.ok(!stand.results.some(({ status }) => status === 'down'));
    await stand.clock.advance(2 * minute);
    assert.equal(stand.last().status, 'down');
  });

  test('two monitors may have one key; one that is gone has none', async () => {
    const stand = await started();
    stand.define('2', { period: '2h' });
    assert.equal(await stand.heartbeats.take(key, success), 'kept');
    assert.deepEqual([stand.last('1').status, stand.last('2').status], ['up', 'up']);
    stand.tasks.clear();
    assert.equal(await stand.heartbeats.take(key, success), 'unknown');
  });
});

describe('keys are secrets', () => {
  test('guesses of one address are slowed down, and hold up no right key', async () => {
    const stand = await started();
    const guesses = await Promise.all(
      Array.from({ length: 50 }, (_, n) => stand.heartbeats.take(`guess-${n}`, success)),
    );
    assert.equal(guesses.filter((verdict) => verdict === 'unknown').length, 20);
    assert.equal(guesses.filter((verdict) => verdict === 'too-fast').length, 30);
    assert.equal(await stand.heartbeats.take(key, success), 'kept');
    assert.equal(await stand.heartbeats.take('guess', { ...success, address: '192.0.2.2' }), 'unknown');
  });

  test('a job that does not stop telling is slowed down, and goes on later', async () => {
    const stand = await started();
    const verdicts = await Promise.all(Array.from({ length: 100 }, () => stand.heartbeats.take(key, success)));
    assert.equal(verdicts.filter((verdict) => verdict === 'kept').length, 60);
    await stand.clock.advance(1000);
    assert.equal(await stand.heartbeats.take(key, success), 'kept');
  });

  test('none is kept with what a job wrote', async () => {
    const stand = await started();
    await stand.heartbeats.take(key, { ...success, signal: { kind: 'failure' }, tail: `curl https://watch/hb/${key}` });
    assert.ok(!JSON.stringify(stand.kept).includes(key));
    assert.equal(stand.last().detail['tail'], 'curl https://watch/hb/***');
  });
});
