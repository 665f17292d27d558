import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BoundedMap } from './bounded-map.ts';

test('MU22: the entry that was set longest ago makes room, and setting one again renews its age', () => {
  const map = new BoundedMap<string, number>(2);
  map.set('a', 1);
  map.set('b', 2);
  map.set('a', 3);
  map.set('c', 4);
  assert.deepEqual([map.get('a'), map.get('b'), map.get('c'), map.size], [3, undefined, 4, 2]);
});

test('an entry that is taken is gone, and leaves room', () => {
  const map = new BoundedMap<string, number>(1);
  map.set('a', 1);
  assert.equal(map.take('a'), 1);
  assert.equal(map.take('a'), undefined);
  assert.equal(map.size, 0);
});
