import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LinkCount } from './meter.ts';
import type { Interface } from './surroundings.ts';
import { interfacesOf } from './traffic-record.ts';

const card: Interface = { index: 2, name: 'eth0', addresses: [], mac: '02:00:00:00:00:01', sent: 0, received: 0 };

/** The check of an interface that counted so much more than before. */
function checkOf(change: Partial<Interface>): unknown {
  const counted = new Map<number, LinkCount>([[2, { taps: [65_014, 100], wire: [67_348, 100] }]]);
  const now = new Map([[2, { ...card, ...change }]]);
  return interfacesOf({ counted, before: new Map([[2, card]]), now })[0]?.check;
}

test('E3: an interface is compared with what it can have counted: packets before they are cut, or those on the wire', () => {
  assert.deepEqual(checkOf({ sent: 65_014, received: 100 }), { counted: [65_014, 100], counter: [65_014, 100] });
  assert.deepEqual(checkOf({ sent: 67_348, received: 100 }), { counted: [67_348, 100], counter: [67_348, 100] });
  assert.deepEqual(checkOf({ sent: 70_000, received: 0 }), { counted: [67_348, 100], counter: [70_000, 0] });
});

test('there is nothing to compare with where a counter began anew, or the link has other headers', () => {
  assert.equal(checkOf({ sent: -1 }), undefined);
  assert.equal(checkOf({ mac: undefined, sent: 65_014 }), undefined);
});
