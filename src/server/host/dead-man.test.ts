import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FakeClock } from '../../testing/fake-clock.ts';
import { DeadMan } from './dead-man.ts';
import { ResultFlow } from './result-flow.ts';

class Stand {
  readonly clock = new FakeClock();
  readonly said: string[] = [];
  readonly asked: string[] = [];
  problem: string | undefined;
  fault: string | undefined;
  readonly deadMan = new DeadMan({
    clock: this.clock,
    say: (text) => this.said.push(text),
    problem: () => this.problem,
    ping: (url) => {
      this.asked.push(url);
      return Promise.resolve(this.fault);
    },
  });
}

describe("the dead man's URL", () => {
  test('A11: is asked for at once and each interval, until there is a problem, and again after it', async () => {
    const { deadMan, clock, asked, said, ...stand } = new Stand();
    deadMan.follow({ url: 'https://a/', intervalMs: 60_000 });
    await clock.advance(120_000);
    assert.deepEqual(asked, ['https://a/', 'https://a/', 'https://a/']);
    assert.deepEqual([said, stand.problem], [[], undefined]);
  });

  test('A11: nothing is asked for while the server does not do its work, and why is said once', async () => {
    const stand = new Stand();
    stand.problem = 'results are not being kept';
    stand.deadMan.follow({ url: 'https://a/', intervalMs: 60_000 });
    await stand.clock.advance(600_000);
    assert.deepEqual(stand.asked, []);
    stand.problem = undefined;
    await stand.clock.advance(60_000);
    assert.equal(stand.asked.length, 1);
    assert.deepEqual(stand.said, [
      "The dead-man's URL is not asked for: results are not being kept.",
      "The dead-man's URL is asked for again.",
    ]);
  });

  test('one that does not answer is asked for again, and another plan takes its place', async () => {
    const stand = new Stand();
    stand.fault = 'refused';
    stand.deadMan.follow({ url: 'https://a/', intervalMs: 60_000 });
    await stand.clock.advance(60_000);
    assert.deepEqual(stand.asked, ['https://a/', 'https://a/']);
    assert.equal(stand.said.length, 1);
    stand.deadMan.follow({ url: 'https://b/', intervalMs: 30_000 });
    await stand.clock.advance(30_000);
    assert.deepEqual(stand.asked.slice(2), ['https://b/', 'https://b/']);
    stand.deadMan.follow(undefined);
    await stand.clock.advance(600_000);
    assert.equal(stand.asked.length, 4);
    assert.equal(stand.clock.pending, 0);
  });
});

describe('results flow', () => {
  const task = { id: '1', monitorId: 'm', monitorName: 'm', agentId: 'a', type: 'tcp', target: 't', options: {} };
  const wanted = (intervalMs: number, paused = false) => ({
    task: { ...task, intervalMs, timeoutMs: 1000, paused },
    sinceMs: 0,
  });

  test('as long as any comes in two intervals of the most frequent and a half minute; none need come where none are wanted', async () => {
    const clock = new FakeClock();
    let all = [wanted(10_000), wanted(3_600_000)];
    const flow = new ResultFlow({ clock, wanted: () => all });
    await clock.advance(50_000);
    assert.equal(flow.problem(), undefined);
    await clock.advance(1);
    assert.equal(flow.problem(), 'no result has come for 50s');
    all = [wanted(10_000, true)];
    assert.equal(flow.problem(), undefined);
  });
});
