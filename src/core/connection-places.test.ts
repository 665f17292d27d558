import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ConnectionPlaces, placeLimitsFor, type ConnectionPlace } from './connection-places.ts';

/** Places of connections by their names; the names of those that were closed for others, in order. */
function placesOf(limits: { all?: number; strangers?: number; perNetwork?: number } = {}) {
  const places = new ConnectionPlaces({ all: 100, strangers: 10, perNetwork: 5, ...limits });
  const closed: string[] = [];
  let crowded = 0;
  const enter = (name: string, address = '192.0.2.1'): ConnectionPlace | undefined => {
    const { place, isCrowded } = places.enter(address, () => closed.push(name));
    if (isCrowded) crowded++;
    return place;
  };
  return { places, closed, enter, crowded: () => crowded };
}

describe('AT7: places of connections', () => {
  test('the oldest stranger of an address goes when that address has its share', () => {
    const { closed, enter, crowded, places } = placesOf();
    for (let at = 1; at <= 7; at++) assert.ok(enter(`c${at}`));
    assert.deepEqual(closed, ['c1', 'c2']);
    assert.equal(crowded(), 2);
    assert.deepEqual(places.counts, { strangers: 5, known: 0 });
  });

  test('when all places are taken, the oldest of the address with the most goes', () => {
    const { closed, enter } = placesOf({ strangers: 6 });
    enter('lonely', '198.51.100.1');
    for (let at = 1; at <= 5; at++) enter(`many${at}`, '203.0.113.9');
    assert.ok(enter('new', '192.0.2.7'));
    assert.deepEqual(closed, ['many1']);
  });

  test('one that proves who it is keeps its place; if all do, a new one is refused', () => {
    const { closed, enter, crowded } = placesOf({ perNetwork: 2 });
    enter('a')?.hold();
    enter('b');
    enter('c')?.hold();
    assert.deepEqual(closed, ['b']);
    assert.equal(enter('d'), undefined);
    assert.equal(crowded(), 2);
    assert.ok(enter('e', '192.0.2.2'), 'from elsewhere there is room');
  });

  test('those that have proved who they are do not count, except in all', () => {
    const { closed, enter, places } = placesOf({ perNetwork: 2, all: 5 });
    for (let at = 1; at <= 4; at++) enter(`agent${at}`)?.trust();
    assert.deepEqual(places.counts, { strangers: 0, known: 4 });
    enter('first', '192.0.2.2');
    assert.ok(enter('second', '192.0.2.3'));
    assert.deepEqual(closed, ['first'], 'the process has no more descriptors');
    assert.deepEqual(places.counts, { strangers: 1, known: 4 });
  });

  test('all places taken by known ones refuse a new one', () => {
    const { enter } = placesOf({ all: 2 });
    enter('a')?.trust();
    enter('b')?.trust();
    assert.equal(enter('c'), undefined);
  });

  test('a place is given back once, whoever leaves first', () => {
    const { enter, places } = placesOf();
    const place = enter('a');
    place?.leave();
    place?.leave();
    place?.trust();
    const known = enter('b');
    known?.trust();
    known?.trust();
    known?.leave();
    known?.leave();
    assert.deepEqual(places.counts, { strangers: 0, known: 0 });
  });

  for (const [one, other, isSame] of [
    ['2001:db8:1:2::1', '2001:db8:1:2:ffff::9', true],
    ['2001:db8:1:2::1', '2001:db8:1:3::1', false],
    ['2001:db8::1', '2001:db8:0:0:5::', true],
    ['1::2:3:4:5:6:7', '1:0:2:3::', true],
    ['1::2:3:4:5:6:7', '1:0:2:4::', false],
    ['::1', '::2', true],
    ['::ffff:192.0.2.1', '192.0.2.1', true],
    ['::ffff:192.0.2.1', '::ffff:192.0.2.2', false],
    ['fe80::1%eth0', 'fe80::2', true],
    ['192.0.2.1', '192.0.2.2', false],
  ] as const)
    test(`${one} and ${other} are ${isSame ? 'one network' : 'two networks'}`, () => {
      const { closed, enter } = placesOf({ perNetwork: 1 });
      enter('one', one);
      enter('other', other);
      assert.deepEqual(closed, isSame ? ['one'] : []);
    });

  for (const [descriptors, limits] of [
    [300, { all: 236, strangers: 118, perNetwork: 59 }],
    [1024, { all: 960, strangers: 480, perNetwork: 240 }],
    [1_048_576, { all: 1_048_512, strangers: 1000, perNetwork: 500 }],
    [20, { all: 16, strangers: 8, perNetwork: 4 }],
  ] as const)
    test(`a process of ${descriptors} descriptors keeps some for itself and half for those it knows`, () => {
      assert.deepEqual(placeLimitsFor(descriptors), limits);
    });
});
