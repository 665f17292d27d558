import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { QuietHours } from '../../notify/notifier-plan.ts';
import { quietUntil } from './quiet-hours.ts';

const night: QuietHours = { from: 22 * 60, to: 7 * 60, zone: 'Europe/Berlin' };
const at = (text: string): number => Temporal.ZonedDateTime.from(text).epochMilliseconds;
const endOf = (hours: QuietHours, text: string): string | undefined => {
  const end = quietUntil(hours, at(text));
  return end === undefined
    ? undefined
    : Temporal.Instant.fromEpochMilliseconds(end).toZonedDateTimeISO(hours.zone).toString();
};

for (const [now, end] of [
  ['2026-11-28T21:59:59+01:00[Europe/Berlin]', undefined],
  ['2026-11-28T22:00+01:00[Europe/Berlin]', '2026-11-29T07:00:00+01:00[Europe/Berlin]'],
  ['2026-11-29T06:59:59.999+01:00[Europe/Berlin]', '2026-11-29T07:00:00+01:00[Europe/Berlin]'],
  ['2026-11-29T07:00+01:00[Europe/Berlin]', undefined],
  // The night in which the clocks go forward has eight hours, and the one in which they go back has ten.
  ['2027-03-27T23:00+01:00[Europe/Berlin]', '2027-03-28T07:00:00+02:00[Europe/Berlin]'],
  ['2026-10-24T23:00+02:00[Europe/Berlin]', '2026-10-25T07:00:00+01:00[Europe/Berlin]'],
] as const)
  test(`at ${now} quiet hours over midnight end at ${end ?? 'no time: they are over'}`, () => {
    assert.equal(endOf(night, now), end);
  });

test('an end that the clocks leave out is the first moment after the gap', () => {
  const hours: QuietHours = { from: 0, to: 2 * 60 + 30, zone: 'Europe/Berlin' };
  assert.equal(endOf(hours, '2027-03-28T01:00+01:00[Europe/Berlin]'), '2027-03-28T03:00:00+02:00[Europe/Berlin]');
});

test('an end that the clocks show twice is the first', () => {
  const hours: QuietHours = { from: 0, to: 2 * 60 + 30, zone: 'Europe/Berlin' };
  assert.equal(endOf(hours, '2026-10-25T01:00+02:00[Europe/Berlin]'), '2026-10-25T02:30:00+02:00[Europe/Berlin]');
});

test('days are those on which it begins', () => {
  const friday: QuietHours = { ...night, days: [5] };
  assert.ok(quietUntil(friday, at('2026-11-27T23:00[Europe/Berlin]')));
  assert.ok(quietUntil(friday, at('2026-11-28T06:00[Europe/Berlin]')));
  assert.equal(quietUntil(friday, at('2026-11-28T23:00[Europe/Berlin]')), undefined);
});

test('a whole day is quiet from midnight to midnight, in zones of half hours as well', () => {
  for (const zone of ['Asia/Kathmandu', 'Australia/Lord_Howe', 'America/Sao_Paulo', 'America/New_York'])
    assert.equal(
      quietUntil({ from: 0, to: 1440, zone }, at(`2026-11-28T12:00[${zone}]`)),
      at(`2026-11-29T00:00[${zone}]`),
    );
});

test('in five zones and ten years the end is always after now, and never more than 26 hours away', () => {
  for (const zone of [
    'Europe/Berlin',
    'America/New_York',
    'America/Sao_Paulo',
    'Australia/Lord_Howe',
    'Asia/Kathmandu',
  ])
    for (let now = Date.UTC(2020, 0, 1); now < Date.UTC(2030, 0, 1); now += 67 * 3_600_000 + 13 * 60_000) {
      const end = quietUntil({ ...night, zone }, now);
      if (end === undefined) continue;
      assert.ok(end > now && end - now <= 26 * 3_600_000);
      assert.equal(
        Temporal.Instant.fromEpochMilliseconds(end).toZonedDateTimeISO(zone).toPlainTime().toString(),
        '07:00:00',
      );
    }
});
