import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readPing } from './system-ping.ts';

const run = { sequence: 3, elapsedMs: 9 };
const error = { kind: 'error', sequence: 3, rttMs: 9 } as const;

// What ping of iputils prints for one packet, shortened to the lines that matter.
const cases = [
  [
    'a reply',
    '64 bytes from 127.0.0.1: icmp_seq=1 ttl=64 time=0.023 ms\n',
    { kind: 'reply', sequence: 3, from: '127.0.0.1', rttMs: 0.023, ttl: 64, duplicate: false },
  ],
  [
    'a reply to a packet too short for a time',
    '8 bytes from ::1: icmp_seq=1 ttl=60\n',
    { kind: 'reply', sequence: 3, from: '::1', rttMs: 9, ttl: 60, duplicate: false },
  ],
  [
    'a router out of hops',
    'From 10.90.1.2 icmp_seq=1 Time to live exceeded\n',
    { ...error, from: '10.90.1.2', error: { kind: 'time-exceeded', text: 'time to live exceeded' } },
  ],
  [
    'a router without a way',
    'From 10.90.2.2 icmp_seq=1 Destination Host Unreachable\n',
    { ...error, from: '10.90.2.2', error: { kind: 'unreachable', text: 'host unreachable' } },
  ],
  [
    'a narrow path',
    'From 10.90.1.2 icmp_seq=1 Frag needed and DF set (mtu = 1400)\n',
    { ...error, from: '10.90.1.2', error: { kind: 'too-big', text: 'packet too big', mtu: 1400 } },
  ],
  [
    'a narrow interface',
    'ping: local error: message too long, mtu=1500\n',
    { ...error, from: undefined, error: { kind: 'too-big', text: 'packet too big', mtu: 1500 } },
  ],
] as const;

for (const [name, output, expected] of cases) {
  test(`${name} is read from what ping prints`, () => assert.deepEqual(readPing(output, run), expected));
}

test('CB2: a Redirect and a Source Quench are no answer, and what follows them is', () => {
  // As iputils prints them.
  const redirect = 'From 10.9.0.2 icmp_seq=1 Redirect Host(New nexthop: 10.9.0.3)\n';
  const quench = 'From 10.9.0.2: icmp_seq=1 Source Quench\n';
  const unreachable = 'From 10.9.0.2 icmp_seq=1 Destination Host Unreachable\n';
  const reply = '64 bytes from 10.9.1.1: icmp_seq=1 ttl=64 time=300 ms\n';
  assert.equal(readPing(redirect + quench, run), undefined);
  assert.equal(readPing(redirect + unreachable, run)?.kind, 'error');
  for (const before of [redirect, quench, unreachable]) assert.equal(readPing(before + reply, run)?.kind, 'reply');
});

test('silence is no answer', () => {
  const output = 'PING 192.0.2.1 (192.0.2.1) 56(84) bytes of data.\n\n1 packets transmitted, 0 received\n';
  assert.equal(readPing(output, run), undefined);
});

test('what ping complains about is handed on', () => {
  const answer = readPing('ping: socktype: SOCK_RAW\nping: socket: Operation not permitted\n', run);
  assert.ok(answer?.kind === 'unsent');
  assert.match(answer.error.message, /ping says: .*Operation not permitted.* sysctl -w net\.ipv4\.ping_group_range/s);
});
