import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { agentEnds, type SensorRecord } from '../../core/record.ts';
import { WatchedTime, type Period } from './watched-time.ts';

const start = Date.UTC(2026, 11, 2, 8);
const second = 1000;
const minute = 60 * second;
const started: SensorRecord = { event: 'sensor-started', message: 'by order of the lab' };
const running: SensorRecord = { event: 'sensor-state', state: 'running', message: 'looks' };
const watching: SensorRecord = { event: 'watching' };
const stopped = (message: string): SensorRecord => ({ event: 'sensor-stopped', message });

/** Seconds since the start and what was recorded then. */
type Told = readonly (readonly [seconds: number, record: SensorRecord])[];

function watchedBy(told: Told): WatchedTime {
  const watched = new WatchedTime();
  told.forEach(([seconds, record], index) => {
    const stamp = { sensor: 'usb' as const, at: start + seconds * second, monotonicMs: 0, boot: 'boot' };
    watched.add({ n: index + 1, stamp, record });
  });
  return watched;
}

/** The blind times, in seconds since the start. */
function blind(told: Told, asked?: Period): readonly (readonly [from: number, to: number, why: string])[] {
  const times = watchedBy(told).times(asked);
  return times.map(({ from, to, why }) => [(from - start) / second, (to - start) / second, why] as const);
}

const beats = (from: number, to: number): Told =>
  Array.from({ length: Math.floor((to - from) / 40) + 1 }, (_, index) => [from + index * 40, watching] as const);

describe('the time that a sensor watched', () => {
  test('has no gap while a record comes every 40 seconds', () => {
    assert.deepEqual(blind([[0, started], [0, running], ...beats(40, 4000)]), []);
  });

  test('SG8: has a gap where records stop, before the first and after the last of the time that was asked for', () => {
    const told: Told = [[600, started], [600, running], ...beats(640, 1000), ...beats(2000, 2400)];
    const unknown = 'there is no record of this time';
    assert.deepEqual(blind(told, { from: start, to: start + 60 * minute }), [
      [0, 600, unknown],
      [1000, 2000, unknown],
      [2400, 3600, unknown],
    ]);
  });

  test('was all of it watched where the last record is just before its end', () => {
    const told: Told = [[-30, started], [-30, running], ...beats(10, 3570)];
    assert.deepEqual(blind(told, { from: start, to: start + 60 * minute }), []);
  });

  test('SG5: ends where the agent was killed, and goes on where it says so', () => {
    const killed: SensorRecord = { event: 'not-watching', cause: 'killed', from: start + 80 * second, seconds: 45 };
    const told: Told = [[0, started], [0, running], ...beats(40, 80), [125, killed], [126, started], [127, running]];
    assert.deepEqual(blind(told), [[80, 126, 'the agent ended without being stopped: it was killed or it crashed']]);
  });

  test('SG5: names the sleep of a machine and the halt of a process, after which it goes on by itself', () => {
    const asleep: SensorRecord = { event: 'not-watching', cause: 'asleep', from: start + 40 * second, seconds: 600 };
    assert.deepEqual(
      blind([
        [0, started],
        [0, running],
        [40, watching],
        [642, asleep],
        [660, watching],
      ]),
      [[40, 640, 'the machine was asleep']],
    );
  });

  test('SG5: is broken by a stop of the agent, and by a start that nothing explains, as older agents wrote it', () => {
    assert.deepEqual(
      blind([
        [0, started],
        [10, stopped(agentEnds)],
        [70, started],
        [80, running],
      ]),
      [[10, 70, agentEnds]],
    );
    assert.deepEqual(
      blind([
        [0, started],
        [0, running],
        [70, started],
        [80, running],
      ]),
      [[0, 70, 'the agent began anew without saying why']],
    );
  });

  test('is told to have been ended in order where an order ended it', () => {
    const [time] = watchedBy([
      [0, started],
      [10, stopped('the time agreed on has come')],
      [70, started],
    ]).times();
    assert.deepEqual(time, {
      from: start + 10 * second,
      to: start + 70 * second,
      why: 'the time agreed on has come',
      isOrdered: true,
    });
  });

  test('is not watched while the sensor says that it cannot', () => {
    const unable: SensorRecord = { event: 'sensor-state', state: 'unavailable', message: 'no access' };
    assert.deepEqual(blind([[0, started], [1, unable], [200, running], ...beats(240, 400)]), [[1, 200, 'no access']]);
  });

  test('is broken where records are missing, from the one before to the next', () => {
    const watched = watchedBy([
      [0, started],
      [0, running],
      [10, watching],
    ]);
    watched.breakOff('the server never got records 4 to 9');
    watched.add({
      n: 10,
      stamp: { sensor: 'usb', at: start + 60 * second, monotonicMs: 0, boot: 'boot' },
      record: watching,
    });
    assert.deepEqual(watched.times(), [
      {
        from: start + 10 * second,
        to: start + 60 * second,
        why: 'the server never got records 4 to 9',
        isOrdered: false,
      },
    ]);
  });

  test('is not mistaken when the wall clock is set, which is a record of its own', () => {
    const jump: SensorRecord = { event: 'clock-jump', byMs: 7200 * second };
    assert.deepEqual(
      blind([
        [0, started],
        [0, running],
        [40, watching],
        [7242, jump],
        [7280, watching],
      ]),
      [],
    );
  });

  test('SG8: is told with the order, with what the sensor could do in part only, and with records that cannot be read', () => {
    const watched = watchedBy([
      [0, started],
      [1, { event: 'sensor-state', state: 'limited', message: 'devices are looked up every 5 s' }],
      [2, started],
      [3, { ...started, message: 'by order of another' }],
    ]);
    watched.addUnreadable();
    assert.deepEqual(watched.orders, ['by order of the lab', 'by order of another']);
    assert.deepEqual(watched.lost, [
      'it watched in part only: devices are looked up every 5 s',
      'a record that this version cannot read: a newer one wrote it',
    ]);
  });

  test('is unknown as a whole where there is no record at all', () => {
    assert.deepEqual(blind([], { from: start, to: start + minute }), [[0, 60, 'there is no record of this time']]);
    assert.deepEqual(blind([]), []);
  });
});
