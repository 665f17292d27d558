import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  judgeHeartbeat,
  noteAway,
  noteSignal,
  type HeartbeatPlan,
  type HeartbeatRecord,
  type Signal,
} from './heartbeat.ts';

const minute = 60_000;
const hour = 60 * minute;
const at = (text: string): number => Date.parse(`2026-11-${text}Z`);
const hourly: HeartbeatPlan = { period: hour, zone: 'UTC', graceMs: 10 * minute, runLimitMs: 20 * minute };
const nightly: HeartbeatPlan = { cron: '0 3 * * *', zone: 'UTC', graceMs: hour, runLimitMs: 2 * hour };

const start: Signal = { kind: 'start' };
const success: Signal = { kind: 'success' };
const failure: Signal = { kind: 'failure', exitCode: 3 };

function after(since: string, ...signals: readonly (readonly [Signal, string])[]): HeartbeatRecord {
  return signals.reduce((record, [signal, time]) => noteSignal(record, signal, at(time)), {
    since: at(since),
  } as HeartbeatRecord);
}

function stateAt(record: HeartbeatRecord, time: string, plan = hourly): string {
  return judgeHeartbeat(record, plan, at(time)).state;
}

describe('C3.24: a heartbeat is late when it is expected plus grace', () => {
  const record = after('28T00:00', [success, '28T01:00']);
  test('by its period', () => {
    assert.equal(stateAt(record, '28T02:00'), 'ok');
    assert.equal(stateAt(record, '28T02:09:59.999'), 'ok');
    assert.equal(stateAt(record, '28T02:10'), 'late');
  });

  test('also the first one, which may never come', () => {
    assert.equal(stateAt(after('28T00:00'), '28T01:09:59'), 'waiting');
    assert.equal(stateAt(after('28T00:00'), '28T01:10'), 'late');
  });

  test('by its cron expression', () => {
    const record = after('27T12:00', [success, '28T03:20']);
    assert.equal(stateAt(record, '29T03:59:59', nightly), 'ok');
    assert.equal(stateAt(record, '29T04:00', nightly), 'late');
  });

  test('where the clock of the job is a little ahead, what came before its time was that time', () => {
    assert.equal(stateAt(after('27T12:00', [success, '28T02:59:30']), '28T12:00', nightly), 'ok');
    assert.equal(stateAt(after('27T12:00', [success, '28T02:58']), '28T12:00', nightly), 'late');
  });

  test('in its zone, also on the day that the clocks change', () => {
    const berlin = { ...nightly, zone: 'Europe/Berlin', graceMs: minute };
    const record = { since: Date.parse('2027-03-27T12:00Z') };
    const state = (time: string) => judgeHeartbeat(record, { ...berlin, cron: '30 2 * * *' }, Date.parse(time)).state;
    assert.equal(state('2027-03-28T01:00:59Z'), 'waiting');
    assert.equal(state('2027-03-28T01:01:00Z'), 'late');
  });

  test('until the next success, and a start alone is none', () => {
    assert.equal(stateAt(after('28T00:00', [success, '28T01:00'], [start, '28T02:30']), '28T02:31'), 'running');
    assert.equal(stateAt(after('28T00:00', [success, '28T01:00'], [success, '28T02:30']), '28T02:31'), 'ok');
  });
});

describe('C3.24: a failure is down at once, until a success', () => {
  test('by the word or by an exit code', () => {
    for (const signal of [failure, { kind: 'failure' } as const])
      assert.equal(stateAt(after('28T00:00', [success, '28T00:10'], [signal, '28T00:20']), '28T00:20'), 'failed');
  });

  test('whatever time passes, and while it runs again', () => {
    const record = after('28T00:00', [failure, '28T00:20']);
    assert.equal(stateAt(record, '30T00:00'), 'failed');
    assert.equal(stateAt(noteSignal(record, start, at('28T01:00')), '28T01:10'), 'failed');
    assert.equal(stateAt(noteSignal(record, success, at('28T01:20')), '28T01:21'), 'ok');
  });
});

describe('C3.24: a run that started and never ends is down after its own limit', () => {
  const record = after('28T00:00', [success, '28T01:00'], [start, '28T02:05']);
  test('and before it is not late, whatever was expected', () => {
    assert.equal(stateAt(record, '28T02:24:59'), 'running');
    assert.equal(stateAt(record, '28T02:25'), 'late');
  });

  test('also where it is started again and again, and each run hangs', () => {
    const hanging = noteSignal(noteSignal(record, start, at('28T02:15')), start, at('28T02:24'));
    assert.equal(stateAt(hanging, '28T02:25'), 'late');
  });

  test('its end says how long it took', () => {
    assert.equal(noteSignal(record, success, at('28T02:12')).durationMs, 7 * minute);
    assert.equal(noteSignal(record, failure, at('28T02:12')).durationMs, 7 * minute);
    assert.equal(after('28T00:00', [success, '28T02:12']).durationMs, undefined);
  });
});

describe('a server that was away says nothing wrong of what it may have missed', () => {
  const record = after('28T00:00', [success, '28T01:00']);
  const away = (from: string, to: string, before = record, plan = hourly) =>
    noteAway(before, plan, { from: at(from), to: at(to) });

  test('away while nothing was expected changes nothing', () => {
    assert.equal(stateAt(away('28T01:10', '28T01:40'), '28T02:10'), 'late');
  });

  test('away while it was expected: its grace counts again, then it is unknown, and late when the next does not come', () => {
    const returned = away('28T01:50', '28T02:30');
    assert.equal(stateAt(returned, '28T02:30'), 'ok');
    assert.equal(stateAt(returned, '28T02:39:59'), 'ok');
    assert.equal(stateAt(returned, '28T02:40'), 'unsure');
    assert.equal(stateAt(returned, '28T03:39'), 'unsure');
    assert.equal(stateAt(returned, '28T03:40'), 'late');
    assert.equal(stateAt(noteSignal(returned, success, at('28T02:50')), '28T03:40'), 'ok');
  });

  test('away for a moment of a long grace: unknown only when that has passed', () => {
    const nightlyRecord = after('27T12:00', [success, '27T13:00']);
    const returned = away('28T03:10', '28T03:11', nightlyRecord, nightly);
    assert.equal(stateAt(returned, '28T04:10:59', nightly), 'ok');
    assert.equal(stateAt(returned, '28T04:11', nightly), 'unsure');
    assert.equal(stateAt(returned, '29T03:59', nightly), 'unsure');
    assert.equal(stateAt(returned, '29T04:00', nightly), 'late');
  });

  test('late before it went away stays late', () => {
    assert.equal(stateAt(away('28T02:11', '28T02:30'), '28T02:31'), 'late');
  });

  test('away again at the next: unknown goes on', () => {
    const again = away('28T03:20', '28T03:35', away('28T01:50', '28T02:30'));
    assert.equal(stateAt(again, '28T03:50'), 'unsure');
    assert.equal(stateAt(again, '28T04:45'), 'late');
  });

  test('away while a run was to end: it may have ended', () => {
    const returned = away('28T02:10', '28T02:40', noteSignal(record, start, at('28T02:05')));
    assert.equal(stateAt(returned, '28T02:45'), 'running');
    assert.equal(stateAt(returned, '28T02:55'), 'unsure');
    assert.equal(stateAt(returned, '28T03:00'), 'late');
  });

  test('a clock set forward a day makes nothing late, and one set back puts nothing off', () => {
    assert.equal(stateAt(away('28T01:30', '29T01:30'), '29T01:31'), 'ok');
    const back = away('28T01:30', '27T01:30');
    assert.equal(stateAt(back, '27T02:39'), 'ok');
    assert.equal(stateAt(back, '27T02:40'), 'late');
  });
});
