import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { nextOccurrences, occurrenceNear, type RecurringSchedule, type WindowSchedule } from './window-schedule.ts';

const hourMs = 3_600_000;

function daily(zone: string, start: string, end: RecurringSchedule['end'] = { afterMs: hourMs }): RecurringSchedule {
  return { kind: 'recurring', zone, days: { kind: 'daily' }, start, end };
}

/** The window that begins on or after this instant, as ISO times. */
function next(schedule: WindowSchedule, after: string): readonly string[] {
  const [occurrence] = nextOccurrences(schedule, Date.parse(after) - 1, 1);
  assert.ok(occurrence);
  return [occurrence.from, occurrence.to].map((at) => new Date(at).toISOString().replace(':00.000Z', 'Z'));
}

/** Month and day of the first three of 2027. */
function datesOf(schedule: RecurringSchedule): readonly string[] {
  return nextOccurrences(schedule, Date.UTC(2027, 0, 1), 3).map(({ from }) =>
    new Date(from).toISOString().slice(5, 10),
  );
}

describe('FC24: a window keeps its wall time over both changes of the clock (faces C7)', () => {
  // Expected instants are those of the IANA database: Berlin changes at 01:00 UTC, New York at 07:00 and 06:00 UTC, Lord Howe by half an hour.
  const cases: readonly (readonly [
    what: string,
    schedule: RecurringSchedule,
    after: string,
    from: string,
    to: string,
  ])[] = [
    [
      'Berlin, in the gap: the first moment after it',
      daily('Europe/Berlin', '02:30'),
      '2027-03-28T00:00Z',
      '2027-03-28T01:00Z',
      '2027-03-28T02:00Z',
    ],
    [
      'Berlin, in the overlap: the first of the two',
      daily('Europe/Berlin', '02:30'),
      '2026-10-25T00:00Z',
      '2026-10-25T00:30Z',
      '2026-10-25T01:30Z',
    ],
    [
      'Berlin, the day before the change',
      daily('Europe/Berlin', '02:30'),
      '2027-03-27T00:00Z',
      '2027-03-27T01:30Z',
      '2027-03-27T02:30Z',
    ],
    [
      'Berlin, the day after the change',
      daily('Europe/Berlin', '02:30'),
      '2027-03-29T00:00Z',
      '2027-03-29T00:30Z',
      '2027-03-29T01:30Z',
    ],
    [
      'New York, in the gap',
      daily('America/New_York', '02:30'),
      '2027-03-14T05:00Z',
      '2027-03-14T07:00Z',
      '2027-03-14T08:00Z',
    ],
    [
      'New York, in the overlap',
      daily('America/New_York', '01:30'),
      '2026-11-01T04:00Z',
      '2026-11-01T05:30Z',
      '2026-11-01T06:30Z',
    ],
    [
      'Lord Howe, in the gap of half an hour',
      daily('Australia/Lord_Howe', '02:15'),
      '2026-10-03T15:00Z',
      '2026-10-03T15:30Z',
      '2026-10-03T16:30Z',
    ],
    [
      'São Paulo, which no longer changes',
      daily('America/Sao_Paulo', '00:30'),
      '2026-11-01T00:00Z',
      '2026-11-01T03:30Z',
      '2026-11-01T04:30Z',
    ],
    [
      'Kathmandu, 5:45 ahead',
      daily('Asia/Kathmandu', '02:30'),
      '2026-11-01T00:00Z',
      '2026-11-01T20:45Z',
      '2026-11-01T21:45Z',
    ],
    [
      'over the change, by length: so much time passes',
      daily('Europe/Berlin', '01:00', { afterMs: 4 * hourMs }),
      '2027-03-28T00:00Z',
      '2027-03-28T00:00Z',
      '2027-03-28T04:00Z',
    ],
    [
      'over the change, by its end: the wall time counts',
      daily('Europe/Berlin', '01:00', { at: '05:00' }),
      '2027-03-28T00:00Z',
      '2027-03-28T00:00Z',
      '2027-03-28T03:00Z',
    ],
    [
      'over midnight',
      daily('Europe/Berlin', '23:00', { at: '01:00' }),
      '2026-11-01T12:00Z',
      '2026-11-01T22:00Z',
      '2026-11-02T00:00Z',
    ],
    [
      'of 24 hours',
      daily('Europe/Berlin', '06:00', { at: '06:00' }),
      '2026-11-01T00:00Z',
      '2026-11-01T05:00Z',
      '2026-11-02T05:00Z',
    ],
    [
      'of 23 h 45 min',
      daily('Europe/Berlin', '06:00', { afterMs: 23.75 * hourMs }),
      '2026-11-01T00:00Z',
      '2026-11-01T05:00Z',
      '2026-11-02T04:45Z',
    ],
  ];
  for (const [what, schedule, after, from, to] of cases)
    test(what, () => assert.deepEqual(next(schedule, after), [from, to]));

  test('in five zones and ten years it begins once a day, at its wall time or at the end of a gap', () => {
    for (const zone of [
      'Europe/Berlin',
      'America/New_York',
      'America/Sao_Paulo',
      'Australia/Lord_Howe',
      'Asia/Kathmandu',
    ]) {
      const schedule = daily(zone, '02:30');
      const windows = nextOccurrences(schedule, Date.UTC(2026, 0, 1), 3652);
      assert.equal(new Set(windows.map(({ from }) => from)).size, 3652, zone);
      const local = windows.map(({ from }) => Temporal.Instant.fromEpochMilliseconds(from).toZonedDateTimeISO(zone));
      const moved = local.filter((time) => time.toPlainTime().toString() !== '02:30:00');
      for (const time of moved) {
        const gap = time.getTimeZoneTransition('previous');
        assert.ok(time.subtract({ seconds: 1 }).offset !== time.offset, `${time.toString()}: ${gap?.toString()}`);
      }
      assert.ok(moved.length <= 10, `${zone}: ${moved.length}`);
      assert.equal(new Set(local.map((time) => time.toPlainDate().toString())).size, 3652, zone);
    }
  });

  test('days of the week and of the month: the 31st skips short months, last is the last', () => {
    const weekly: RecurringSchedule = { ...daily('UTC', '02:00'), days: { kind: 'weekly', days: ['sun', 'wed'] } };
    const monthly: RecurringSchedule = { ...daily('UTC', '02:00'), days: { kind: 'monthly', days: [31] } };
    const last: RecurringSchedule = { ...monthly, days: { kind: 'monthly', days: ['last'] } };
    assert.deepEqual(datesOf(weekly), ['01-03', '01-06', '01-10']);
    assert.deepEqual(datesOf(monthly), ['01-31', '03-31', '05-31']);
    assert.deepEqual(datesOf(last), ['01-31', '02-28', '03-31']);
  });

  test('the last one that began is found at any time, also when asked in another order', () => {
    const schedule = daily('Europe/Berlin', '02:30');
    const at = (time: string): string | undefined => {
      const near = occurrenceNear(schedule, Date.parse(time));
      return near && new Date(near.from).toISOString();
    };
    assert.equal(at('2026-11-10T01:30:00Z'), '2026-11-10T01:30:00.000Z');
    assert.equal(at('2026-11-10T01:29:59Z'), '2026-11-09T01:30:00.000Z');
    assert.equal(at('2026-11-11T00:00:00Z'), '2026-11-10T01:30:00.000Z');
    assert.equal(occurrenceNear({ kind: 'once', from: 5, to: 9 }, 4), undefined);
    assert.deepEqual(occurrenceNear({ kind: 'once', from: 5, to: 9 }, 99), { from: 5, to: 9 });
  });
});
