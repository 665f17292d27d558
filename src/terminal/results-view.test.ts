import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { plain } from './paint.ts';
import { formatAbsences } from './results-view.ts';

// Instants and zones by GNU date: `TZ=Europe/Berlin date -d @1761440400 --rfc-3339=seconds`.
for (const [zone, epochSeconds, expected] of [
  ['UTC', 1761440400, '2025-10-26 01:00:00Z'],
  ['Europe/Berlin', 1761436800, '2025-10-26 02:00:00+02:00'],
  ['Europe/Berlin', 1761440400, '2025-10-26 02:00:00+01:00'],
  ['America/St_Johns', 1761440400, '2025-10-25 22:30:00-02:30'],
  ['Asia/Kathmandu', 1761440400, '2025-10-26 06:45:00+05:45'],
] as const)
  test(`SF19: the time of what was has its offset from UTC, in ${zone} ${expected}`, () => {
    const script = `
      import { formatZonedTime } from ${JSON.stringify(import.meta.resolve('./result-line.ts'))};
      process.stdout.write(formatZonedTime(${epochSeconds * 1000}));`;
    const told = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
      env: { ...process.env, TZ: zone },
    });
    assert.equal(told, expected);
  });

test('SI5: time of which nothing is known is told with its reason; a reason of a newer server by its word', () => {
  const from = '2026-05-15T11:26:17.000Z';
  const text = formatAbsences(
    [
      { agent: 'seat-17', from, to: '2026-05-15T11:31:02.000Z', reason: 'killed' },
      { agent: 'seat\u001b[31m', from, to: null, reason: 'unheard' },
      { agent: 'seat-19', from, to: null, reason: 'toString' },
    ],
    { paint: plain },
  );
  assert.match(
    text,
    /^Nothing is known from seat-17 from 2026-05-15 .*:26:17\S+ to .*:31:02\S+: it was killed or crashed\.$/m,
  );
  assert.match(text, /^Nothing is known from seat\S*31m from .* until now: the server did not hear it\.$/m);
  assert.match(text, /until now: toString\.$/m);
  // oxlint-disable-next-line no-control-regex -- none may come through
  assert.doesNotMatch(text, /\u001b/);
});
