import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { monitorPolicy } from '../../testing/monitor-policy.ts';
import type { Status } from '../outcome.ts';
import { newMonitor, newVoice, type MonitorRecord } from './monitor-record.ts';
import { behindParents, dependencyCycle } from './parents.ts';
import type { MonitorPolicy } from './policies.ts';

const since = 1000;
const now = 100_000;

/** A monitor as its agents see it; its own state is that of the first. */
function seen(id: string, voices: Readonly<Record<string, Status>>, more: Partial<MonitorPolicy> = {}): MonitorRecord {
  const agents = Object.keys(voices);
  const monitor = newMonitor(monitorPolicy({ id, agents, ...more }));
  for (const [agentId, state] of Object.entries(voices)) {
    const entry = newVoice(id, agentId);
    entry.row = { ...entry.row, voice: { ...entry.row.voice, state, since } };
    monitor.voices.set(agentId, entry);
  }
  monitor.row = { ...monitor.row, state: voices[agents[0] ?? ''] ?? 'unknown', since };
  return monitor;
}

function isBehind(child: MonitorRecord, parents: readonly MonitorRecord[]): boolean {
  return behindParents(child, parents, { confirmedAt: since, now }) !== undefined;
}

/** Who depends on whom: `a>bc` is a on b and c. */
function edges(text: string): ReadonlyMap<string, readonly string[]> {
  return new Map(text.split(' ').map((edge) => [edge.slice(0, 1), edge.slice(2).split('').filter(Boolean)] as const));
}

describe('C3.10: a monitor is behind a parent that is confirmed down or unknown as the same agent sees it', () => {
  const child = seen('web', { a: 'down', b: 'up' });
  const cases: readonly (readonly [string, Readonly<Record<string, Status>>, boolean])[] = [
    ['down from the agent that sees the failure', { a: 'down', b: 'up' }, true],
    ['unknown from there', { a: 'unknown', b: 'up' }, true],
    ['up from there, down from another place', { a: 'up', b: 'down' }, false],
    ['not watched from there: its own state counts', { c: 'down' }, true],
    ['not watched from there, and up', { c: 'up' }, false],
  ];
  for (const [what, voices, expected] of cases)
    test(what, () => assert.equal(isBehind(child, [seen('gate', voices)]), expected));

  test('a parent of which nothing was ever known hides nothing, nor does one that is paused', () => {
    assert.equal(isBehind(child, [newMonitor(monitorPolicy({ id: 'gate' }))]), false);
    const paused = seen('gate', { a: 'down' }, { isPaused: true });
    paused.row = { ...paused.row, isPaused: true };
    assert.equal(isBehind(child, [paused]), false);
  });
});

describe('C3.11: behind several parents it is when all of them are down, or any where that is said', () => {
  const [up, down] = [seen('one', { a: 'up' }), seen('two', { a: 'down' })];
  test('all, unless said otherwise', () => {
    const child = seen('web', { a: 'down' });
    assert.deepEqual([isBehind(child, [up, down]), isBehind(child, [down, down])], [false, true]);
  });
  test('any', () => assert.equal(isBehind(seen('web', { a: 'down' }, { dependsOnAny: true }), [up, down]), true));

  test('a circle is found, and named in order', () => {
    assert.equal(dependencyCycle(edges('a>bc b>d c>d d>')), undefined);
    assert.deepEqual(dependencyCycle(edges('a>b b>c c>a')), ['a', 'b', 'c', 'a']);
    assert.deepEqual(dependencyCycle(edges('a>b b>c c>b')), ['b', 'c', 'b']);
    assert.deepEqual(dependencyCycle(edges('a>a')), ['a', 'a']);
    assert.equal(dependencyCycle(edges('a>x')), undefined, 'what is not there ends it');
  });
});
