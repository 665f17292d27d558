import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { cronMistake, nextCronTime } from './cron.ts';
import { zonedTimeText } from './time-zone.ts';

function times(expression: string, zone: string, after: string, count = 3): readonly string[] {
  const found: string[] = [];
  let afterMs = Date.parse(after);
  for (let n = 0; n < count; n++) {
    afterMs = nextCronTime(expression, { zone, afterMs });
    found.push(new Date(afterMs).toISOString().replace(':00.000Z', 'Z'));
  }
  return found;
}

describe('when a cron expression is due', () => {
  // The rule of C7: what a change of the clocks leaves out is due at its end, what comes twice is due the first time.
  for (const [what, expression, zone, after, expected] of [
    [
      'every day',
      '0 3 * * *',
      'UTC',
      '2026-11-28T12:00Z',
      ['2026-11-29T03:00Z', '2026-11-30T03:00Z', '2026-12-01T03:00Z'],
    ],
    [
      'in the gap in Berlin',
      '30 2 * * *',
      'Europe/Berlin',
      '2027-03-27T12:00Z',
      ['2027-03-28T01:00Z', '2027-03-29T00:30Z', '2027-03-30T00:30Z'],
    ],
    [
      'in the overlap in Berlin',
      '30 2 * * *',
      'Europe/Berlin',
      '2026-10-24T12:00Z',
      ['2026-10-25T00:30Z', '2026-10-26T01:30Z', '2026-10-27T01:30Z'],
    ],
    [
      'each half hour mark in the overlap',
      '30 * * * *',
      'Europe/Berlin',
      '2026-10-25T00:20Z',
      ['2026-10-25T00:30Z', '2026-10-25T01:30Z', '2026-10-25T02:30Z'],
    ],
    [
      'in the gap of half an hour on Lord Howe',
      '15 2 * * *',
      'Australia/Lord_Howe',
      '2026-10-03T12:00Z',
      ['2026-10-03T15:30Z', '2026-10-04T15:15Z', '2026-10-05T15:15Z'],
    ],
    [
      'in the gap in New York',
      '30 2 * * *',
      'America/New_York',
      '2026-03-08T00:00Z',
      ['2026-03-08T07:00Z', '2026-03-09T06:30Z', '2026-03-10T06:30Z'],
    ],
    [
      'in the overlap in New York',
      '30 1 * * *',
      'America/New_York',
      '2026-11-01T00:00Z',
      ['2026-11-01T05:30Z', '2026-11-02T06:30Z', '2026-11-03T06:30Z'],
    ],
    [
      'where no clocks change',
      '0 0 * * *',
      'Asia/Kathmandu',
      '2026-02-01T00:00Z',
      ['2026-02-01T18:15Z', '2026-02-02T18:15Z', '2026-02-03T18:15Z'],
    ],
    [
      'on the 31st, which short months have not',
      '0 0 31 * *',
      'UTC',
      '2026-02-01T00:00Z',
      ['2026-03-31T00:00Z', '2026-05-31T00:00Z', '2026-07-31T00:00Z'],
    ],
    [
      'on the last day of the month',
      '0 0 L * *',
      'UTC',
      '2026-02-01T00:00Z',
      ['2026-02-28T00:00Z', '2026-03-31T00:00Z', '2026-04-30T00:00Z'],
    ],
  ] as const)
    test(`${what}: ${expression} ${zone}`, () => assert.deepEqual(times(expression, zone, after), expected));

  test('once on each day of ten years in five zones, whatever the clocks do', () => {
    for (const zone of [
      'Europe/Berlin',
      'America/New_York',
      'America/Sao_Paulo',
      'Australia/Lord_Howe',
      'Asia/Kathmandu',
    ]) {
      let afterMs = Date.parse('2020-01-01T12:00Z');
      const endMs = Date.parse('2030-01-01T12:00Z');
      let day = zonedTimeText(afterMs, zone).slice(0, 10);
      while (afterMs < endMs) {
        afterMs = nextCronTime('30 2 * * *', { zone, afterMs });
        const next = Temporal.PlainDate.from(day).add({ days: 1 }).toString();
        const [date, time] = zonedTimeText(afterMs, zone).split(' ');
        assert.equal(date, next, zone);
        assert.ok(time === '02:30' || time === '03:00', `${zone} ${date} ${time}`);
        day = next;
      }
    }
  });
});

describe('what is a cron expression', () => {
  for (const good of ['* * * * *', '*/5 9-17 * * MON-FRI', '0 0 L * *', '@daily', '30 0 3 * * *', ' 0 3 * * * '])
    test(`${JSON.stringify(good)} is one`, () => assert.equal(cronMistake(good), undefined));

  for (const bad of [
    '',
    '* * * *',
    '60 * * * *',
    '*/0 * * * *',
    '0 0 30 2 *',
    '2026-01-01T00:00:00',
    '@never',
    'a b c d e',
    '* * * * * * *',
  ])
    test(`${JSON.stringify(bad)} is none, and why is said`, () => assert.match(cronMistake(bad) ?? '', /^expected /));
});
