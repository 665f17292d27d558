import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { QueryAnswer, QueryChannel } from '../../core/network.ts';
import { FakeClock } from '../../testing/fake-clock.ts';
import type { Hop } from './trace.ts';
import { Walk } from './walk.ts';

const target = '192.0.2.9';

function walkOf(limits: { readonly queries: number; readonly wait: number; readonly parallel: number }) {
  const clock = new FakeClock();
  const sent: number[] = [];
  const hops: Hop[] = [];
  const channel: QueryChannel = {
    address: { ip: target, family: 4 },
    resolveMs: 0,
    via: 'raw',
    send: (sequence) => void sent.push(sequence),
    [Symbol.dispose]() {},
  };
  const context = { clock, signal: new AbortController().signal, onHop: (hop: Hop) => void hops.push(hop) };
  const walk = new Walk(channel, { firstHop: 1, maxHops: 2, ...limits }, context);
  return { clock, sent, hops, walk };
}

function passing(sequence: number, rttMs: number): QueryAnswer {
  const error = { kind: 'time-exceeded', text: 'time to live exceeded' } as const;
  return { kind: 'error', sequence, from: '192.0.2.1', rttMs, error };
}

function reply(sequence: number, rttMs: number): QueryAnswer {
  return { kind: 'reply', sequence, from: target, rttMs, ttl: 60, duplicate: false };
}

test('MU20: an answer in the turn in which its query is given up counts, and settles it once', async () => {
  const { clock, sent, hops, walk } = walkOf({ queries: 1, wait: 100, parallel: 1 });
  const walked = walk.toTheEnd();
  await clock.advance(100);
  // The wait is over; the sockets are read once more before the query is given up.
  walk.hear(passing(0, 90));
  assert.deepEqual(sent, [0, 1]);
  walk.hear(reply(1, 1));
  await walked;
  await new Promise((resolve) => setTimeout(resolve));
  assert.deepEqual(
    hops.map(({ hop, rttsMs }) => [hop, rttsMs]),
    [
      [1, [90]],
      [2, [1]],
    ],
  );
});

test('queries share the wait: as many as may be under way at once are given up together', async () => {
  const { clock, sent, hops, walk } = walkOf({ queries: 15, wait: 50, parallel: 30 });
  const walked = walk.toTheEnd();
  assert.equal(sent.length, 30);
  await clock.advance(50);
  await walked;
  assert.equal(clock.monotonic(), 50);
  assert.deepEqual(
    hops.map(({ rttsMs }) => rttsMs.every((rttMs) => rttMs === null)),
    [true, true],
  );
});

test('CH6: an answer later than the wait is none, however early this process reads it', async () => {
  const { sent, walk } = walkOf({ queries: 1, wait: 1000, parallel: 1 });
  const walked = walk.toTheEnd();
  walk.hear(passing(0, 1002));
  assert.deepEqual(sent, [0, 1]);
  walk.hear(reply(1, 1000));
  await walked;
  assert.deepEqual(
    walk.trace.hops().map(({ rttsMs }) => rttsMs),
    [[null], [1000]],
  );
});
