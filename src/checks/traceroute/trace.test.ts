import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { QueryAnswer } from '../../core/network.ts';
import { Trace } from './trace.ts';

const target = '192.0.2.9';
const limits = { firstHop: 1, maxHops: 4, queries: 2 };
type Heard = Exclude<QueryAnswer, { kind: 'unsent' }>;

function passing(sequence: number, from: string): Heard {
  const error = { kind: 'time-exceeded', text: 'time to live exceeded' } as const;
  return { kind: 'error', sequence, from, rttMs: 1, error };
}

function refusing(sequence: number, from: string): Heard {
  return { kind: 'error', sequence, from, rttMs: 2, error: { kind: 'unreachable', text: 'host unreachable' } };
}

function reply(sequence: number): Heard {
  return { kind: 'reply', sequence, from: target, rttMs: 3, ttl: 60, duplicate: false };
}

function asked(trace: Trace): number[] {
  const ttls: number[] = [];
  for (let query = trace.next(); query; query = trace.next()) ttls.push(query.ttl);
  return ttls;
}

test('each hop is asked as often as wanted, nearest first', () => {
  assert.deepEqual(asked(new Trace(target, limits)), [1, 1, 2, 2, 3, 3, 4, 4]);
  assert.deepEqual(asked(new Trace(target, { firstHop: 3, maxHops: 4, queries: 1 })), [3, 4]);
});

test('no hop behind the target is asked', () => {
  const trace = new Trace(target, limits);
  for (let query = 0; query < 4; query++) trace.next();
  trace.hear(reply(2));
  assert.equal(trace.next(), undefined);
});

test('hops are told in their order, each once, when all before them are settled', () => {
  const trace = new Trace(target, limits);
  asked(trace);
  trace.hear(reply(2));
  trace.hear(reply(3));
  assert.deepEqual(trace.takeSettled(), []);
  trace.hear(passing(0, '10.0.0.1'));
  trace.giveUp(1);
  assert.deepEqual(trace.takeSettled(), [
    { hop: 1, addresses: ['10.0.0.1'], rttsMs: [1, null] },
    { hop: 2, addresses: [target], rttsMs: [3, 3] },
  ]);
  assert.deepEqual(trace.takeSettled(), []);
  assert.equal(trace.isComplete, true);
  assert.equal(trace.end().kind, 'reached');
});

test('a path with branches shows every router that answered', () => {
  const trace = new Trace(target, limits);
  asked(trace);
  trace.hear(passing(0, '10.0.0.1'));
  trace.hear(passing(1, '10.0.0.2'));
  assert.deepEqual(trace.takeSettled()[0]?.addresses, ['10.0.0.1', '10.0.0.2']);
});

test('a router that refuses ends the path', () => {
  const trace = new Trace(target, limits);
  asked(trace);
  for (const sequence of [0, 1]) trace.hear(passing(sequence, '10.0.0.1'));
  for (const sequence of [2, 3]) trace.hear(refusing(sequence, '10.0.0.2'));
  assert.equal(trace.isComplete, false, 'a reply may still follow');
  for (const sequence of [2, 3]) trace.giveUp(sequence);
  const end = trace.end();
  assert.equal(trace.takeSettled().length, 2);
  assert.equal(trace.isComplete, true);
  assert.ok(end.kind === 'unreachable');
  assert.equal(end.error, 'host unreachable');
  assert.equal(end.reportedBy, '10.0.0.2');
  assert.equal(end.hop.hop, 2);
});

test('CB2: a reply that follows a refusal wins, until the query is given up', () => {
  const trace = new Trace(target, limits);
  asked(trace);
  for (const sequence of [0, 1]) trace.hear(passing(sequence, '10.0.0.1'));
  trace.hear(refusing(2, '10.0.0.2'));
  trace.hear(reply(2));
  trace.hear(refusing(3, '10.0.0.2'));
  trace.giveUp(3);
  trace.hear(reply(3));
  const { kind, ...end } = trace.end();
  assert.equal(kind, 'reached');
  assert.ok('hop' in end);
  assert.deepEqual(end.hop?.rttsMs, [3, 2]);
});

test('CB19: a path goes on while one packet goes on, and the hop names the one that refused', () => {
  const trace = new Trace(target, limits);
  asked(trace);
  trace.hear(passing(0, '10.0.0.1'));
  trace.hear(refusing(1, '10.0.0.9'));
  trace.giveUp(1);
  for (const sequence of [2, 3]) trace.hear(passing(sequence, '10.0.0.2'));
  for (const sequence of [4, 5]) trace.hear(reply(sequence));
  assert.deepEqual(trace.takeSettled()[0], {
    hop: 1,
    addresses: ['10.0.0.1', '10.0.0.9'],
    rttsMs: [1, 2],
    error: 'host unreachable',
    reportedBy: '10.0.0.9',
  });
  assert.equal(trace.end().kind, 'reached');
});

test('CB19: a packet that went on at a farther hop keeps the path open, though the nearer hop only refused', () => {
  const trace = new Trace(target, limits);
  asked(trace);
  for (const sequence of [2, 3]) trace.hear(passing(sequence, '10.0.0.2'));
  for (const sequence of [0, 1]) {
    trace.hear(refusing(sequence, '10.0.0.9'));
    trace.giveUp(sequence);
  }
  assert.equal(trace.isComplete, false);
});

test('an error of the target itself means that it was reached', () => {
  const trace = new Trace(target, limits);
  asked(trace);
  trace.hear(refusing(0, target));
  assert.equal(trace.end().kind, 'reached');
});

test('only the first answer to a query counts, even after it was given up', () => {
  const trace = new Trace(target, limits);
  asked(trace);
  trace.giveUp(0);
  trace.hear(passing(0, '10.0.0.1'));
  trace.hear(passing(1, '10.0.0.1'));
  assert.deepEqual(trace.takeSettled()[0]?.rttsMs, [null, 1]);
});

test('whatever answers come in whatever order, a trace completes once every query is settled', () => {
  const step = fc.record({ sequence: fc.nat(7), kind: fc.constantFrom('pass', 'refuse', 'reply', 'silence') });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
      const trace = new Trace(target, limits);
      asked(trace);
      const told: number[] = [];
      const tell = (): unknown => told.push(...trace.takeSettled().map(({ hop }) => hop));
      for (const { sequence, kind } of steps) {
        if (kind === 'pass') trace.hear(passing(sequence, '10.0.0.1'));
        else if (kind === 'refuse') trace.hear(refusing(sequence, '10.0.0.2'));
        else if (kind === 'reply') trace.hear(reply(sequence));
        else trace.giveUp(sequence);
        tell();
      }
      for (let sequence = 0; sequence < 8; sequence++) trace.giveUp(sequence);
      tell();
      assert.equal(trace.isComplete, true);
      assert.deepEqual(
        told,
        told.toSorted((a, b) => a - b),
      );
      assert.equal(new Set(told).size, told.length);
    }),
  );
});
