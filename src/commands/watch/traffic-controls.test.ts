import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Peer } from '../../core/record.ts';
import { keysIn, TrafficControls } from './traffic-controls.ts';

const peer: Peer = {
  interface: 'eth0',
  address: '192.168.0.17',
  class: 'intranet',
  names: [{ name: 'Seat-17.local', source: 'mdns' }],
  total: [0, 0],
  wire: [0, 0],
  rate2: [0, 0],
  rate10: [0, 0],
  rate40: [0, 0],
};

function pressed(text: string): TrafficControls {
  const controls = new TrafficControls('2s');
  for (const key of keysIn(text)) controls.press(key);
  return controls;
}

test('SG14: each key does what the help says', () => {
  assert.equal(pressed('q').isOver, true);
  assert.equal(pressed('\u0003').isOver, true);
  assert.equal(pressed(' ').isFrozen, true);
  assert.equal(pressed('  ').isFrozen, false);
  assert.deepEqual(
    ['', 's', 'ss', 'sss', 'ssss'].map((keys) => pressed(keys).order),
    ['2s', '10s', '40s', 'total', '2s'],
  );
  assert.deepEqual([pressed('b').unit, pressed('bb').unit], ['bytes', 'bits']);
  assert.deepEqual([pressed('p').hasServices, pressed('?').hasHelp], [true, true]);
  assert.deepEqual(
    ['\u001b[B', '\u001b[B\u001bOB\u001b[A', '\u001b[A', '\u001b[6~'].map((keys) => pressed(keys).first),
    [1, 1, 0, 10],
  );
});

test('SG14: a filter is typed, corrected, kept and taken back; its letters are no commands', () => {
  const typing = pressed('/SeQ\u007f');
  assert.deepEqual([typing.filter, typing.isTyping, typing.isOver], ['se', true, false]);
  const kept = pressed('/seat\rs');
  assert.deepEqual([kept.filter, kept.isTyping, kept.order, kept.shows(peer)], ['seat', false, '10s', true]);
  assert.equal(pressed('/192.168.0.1').shows(peer), true);
  assert.equal(pressed('/10.').shows(peer), false);
  assert.equal(pressed('/10.\u001b').shows(peer), true);
  assert.equal(pressed('/10.\r\u001b').filter, '');
  assert.equal(pressed('/x\u0003').isOver, true);
});

test('whatever a terminal sends, the state stays in its bounds', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
      const controls = pressed(text);
      assert.ok(controls.first >= 0 && controls.filter.length <= 60);
      assert.match(controls.filter, /^[!-~]*$/);
    }),
  );
});
