import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PeerClass } from '../../core/record.ts';
import { PeerClasses } from './peer-class.ts';

const classes = new PeerClasses(['203.0.113.0/24', '2001:db8:5::/48']);
classes.update([
  { address: '198.51.100.9', prefix: 26 },
  { address: '2001:db8:1::9', prefix: 64 },
  { address: '192.0.2.1', prefix: 31 },
]);

const table: readonly (readonly [address: string, PeerClass, why: string])[] = [
  ['198.51.100.62', 'intranet', 'on the link, though public'],
  ['198.51.100.63', 'multicast', 'the broadcast address of that link'],
  ['198.51.100.64', 'internet', 'beyond that link'],
  ['192.0.2.0', 'intranet', 'two addresses have no broadcast'],
  ['192.0.2.1', 'intranet', 'nor has the second of them'],
  ['203.0.113.200', 'intranet', 'configured'],
  ['10.1.2.3', 'intranet', 'RFC 1918'],
  ['172.31.255.255', 'intranet', 'RFC 1918'],
  ['172.32.0.0', 'internet', 'just beyond'],
  ['100.127.0.1', 'intranet', 'RFC 6598'],
  ['169.254.7.7', 'intranet', 'link-local'],
  ['8.8.8.8', 'internet', ''],
  ['224.0.0.251', 'multicast', ''],
  ['255.255.255.255', 'multicast', ''],
  ['0.0.0.0', 'multicast', 'one without an address asks everybody'],
  ['2001:db8:1::77', 'intranet', 'on the link'],
  ['2001:db8:2::77', 'internet', ''],
  ['2001:db8:5:1::1', 'intranet', 'configured'],
  ['fd12::1', 'intranet', 'RFC 4193'],
  ['fe80::1', 'intranet', 'link-local'],
  ['ff02::fb', 'multicast', ''],
];

for (const [address, expected, why] of table) {
  test(`E3: ${address} is ${expected}${why && `: ${why}`}`, () => {
    assert.equal(classes.of(address), expected);
  });
}

test('a link that goes takes its class with it', () => {
  const moved = new PeerClasses([]);
  moved.update([{ address: '198.51.100.9', prefix: 24 }]);
  assert.deepEqual([moved.of('198.51.100.1'), moved.isOnLink('198.51.100.1')], ['intranet', true]);
  moved.update([]);
  assert.deepEqual([moved.of('198.51.100.1'), moved.isOnLink('198.51.100.1')], ['internet', false]);
  assert.equal(moved.isOnLink('fe80::1'), true);
});
