import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { QueryAnswer, QueryChannel } from '../../core/network.ts';
import { FakeClock } from '../../testing/fake-clock.ts';
import { LiveTrace } from './live-trace.ts';

const target = '192.0.2.9';

function liveTrace(limits: { readonly maxHops?: number } = {}) {
  const clock = new FakeClock();
  const sent: { readonly sequence: number; readonly hop: number }[] = [];
  const channel: QueryChannel = {
    address: { ip: target, family: 4 },
    resolveMs: 0,
    via: 'raw',
    send: (sequence, hop = 0) => void sent.push({ sequence, hop }),
    [Symbol.dispose]() {},
  };
  const trace = new LiveTrace(channel, { firstHop: 1, maxHops: 30, interval: 1000, wait: 500, ...limits }, clock);
  /** Sends a probe and answers it as a path of three hops does. */
  const step = (answered: (hop: number) => boolean = () => true): void => {
    trace.probe();
    const last = sent.at(-1);
    if (last && answered(last.hop)) trace.hear(answerOf(last));
  };
  return { clock, trace, sent, step };
}

function answerOf({ sequence, hop }: { readonly sequence: number; readonly hop: number }): QueryAnswer {
  if (hop >= 3) return { kind: 'reply', sequence, from: target, rttMs: hop, ttl: 60, duplicate: false };
  const error = { kind: 'time-exceeded', text: 'time to live exceeded' } as const;
  return { kind: 'error', sequence, from: `192.0.2.${hop}`, rttMs: hop, error };
}

test('a hop whose probe is still on its way has lost nothing', () => {
  const { trace, step } = liveTrace();
  step(() => false);
  assert.equal(trace.hops()[0]?.lossPercent, 0);
});

test('CH4: hops are probed round by round, and none behind the target', () => {
  const { trace, sent, step } = liveTrace();
  for (let probe = 0; probe < 9; probe++) step();
  assert.deepEqual(
    sent.map(({ hop }) => hop),
    [1, 2, 3, 1, 2, 3, 1, 2, 3],
  );
  assert.equal(trace.cycles, 3);
  assert.equal(trace.targetHop, 3);
  assert.deepEqual(
    trace.hops().map(({ hop, addresses, sent, lossPercent, figures }) => [hop, addresses, sent, lossPercent, figures]),
    [1, 2, 3].map((hop) => [
      hop,
      [`192.0.2.${hop === 3 ? 9 : hop}`],
      3,
      0,
      { lastMs: hop, meanMs: hop, minMs: hop, maxMs: hop, stddevMs: 0 },
    ]),
  );
});

test('CH4: a probe on its way is no loss; one that was given up is', async () => {
  const { clock, trace, step } = liveTrace();
  for (let probe = 0; probe < 3; probe++) step();
  step(() => false);
  assert.equal(trace.hops()[0]?.lossPercent, 0);
  await clock.advance(500);
  assert.equal(trace.hops()[0]?.lossPercent, 50);
  assert.equal(trace.waiting, 0);
});

test('CH4: silence says nothing before the last hop was waited for', async () => {
  const { clock, trace, step } = liveTrace();
  for (let probe = 0; probe < 3; probe++) step();
  trace.reset();
  for (let probe = 0; probe < 2; probe++) step();
  assert.equal(trace.isWaitedOut, false, 'the target was not asked since');
  step(() => false);
  assert.equal(trace.isWaitedOut, false, 'its probe is on its way');
  await clock.advance(500);
  assert.equal(trace.isWaitedOut, true);
});

test('CH4: the deviation is that of a sample, as mtr shows it', () => {
  const { trace, sent } = liveTrace({ maxHops: 1 });
  for (const rttMs of [2, 4, 4, 4, 5, 5, 7, 9]) {
    trace.probe();
    const sequence = sent.at(-1)?.sequence ?? 0;
    trace.hear({ kind: 'reply', sequence, from: target, rttMs, ttl: 60, duplicate: false });
  }
  // mtr: the root of the sum of squares, 32, over n - 1.
  assert.equal(trace.hops()[0]?.figures?.stddevMs.toFixed(4), Math.sqrt(32 / 7).toFixed(4));
});

test('CH4: where nobody answers, five hops are probed and not thirty', () => {
  const { sent, step } = liveTrace();
  for (let probe = 0; probe < 12; probe++) step(() => false);
  assert.equal(Math.max(...sent.map(({ hop }) => hop)), 5);
});

test('CH4: a reset forgets the figures and what was on its way', () => {
  const { trace, sent, step } = liveTrace();
  for (let probe = 0; probe < 4; probe++) step((hop) => hop !== 1);
  trace.reset();
  assert.deepEqual(trace.hops(), []);
  for (const probe of sent) trace.hear(answerOf(probe));
  assert.deepEqual(trace.hops(), []);
  step();
  assert.equal(trace.hops()[0]?.sent, 1);
});

test('CH4: a path that becomes longer is followed', () => {
  const { trace, sent, step } = liveTrace();
  for (let probe = 0; probe < 3; probe++) step();
  for (let probe = 0; probe < 8; probe++) {
    trace.probe();
    const last = sent.at(-1);
    if (!last) continue;
    // Now the target is at hop 5.
    const error = { kind: 'time-exceeded', text: 'time to live exceeded' } as const;
    const passing = {
      kind: 'error',
      sequence: last.sequence,
      from: `198.51.100.${last.hop}`,
      rttMs: 1,
      error,
    } as const;
    trace.hear(last.hop >= 5 ? answerOf(last) : passing);
  }
  assert.equal(trace.targetHop, 5);
});
