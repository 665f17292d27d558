import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { countArgument, inviteArgument, portArgument, timeArgument } from './arguments.ts';

const mistakes = [
  ['countArgument', countArgument, ['', ' 5', '+5', '1e3', '0x10', '5.0', '0', '-1', '٥', '99999999999999999999']],
  ['portArgument', portArgument, ['', ' ', '1e3', '0x50', '65536', '-1', '80 ']],
  ['inviteArgument', inviteArgument, ['', '0s', '999ms', '61m', '2h', 'forever']],
  [
    'timeArgument',
    timeArgument,
    ['2026-02-30T00:00:00Z', '2026-12-02T24:00:01Z', '2026-12-02T08:00:00', '2026-12-02', '2026-12-02T08:00:00+25:00'],
  ],
] as const;

describe('an argument', () => {
  for (const [name, read, texts] of mistakes)
    for (const text of texts)
      test(`${name} refuses ${JSON.stringify(text)}`, () => assert.throws(() => read(text), /Expected/));

  test('that is right is read', () => {
    assert.deepEqual(
      [countArgument('1'), countArgument('0100'), portArgument('0'), portArgument('65535')],
      [1, 100, 0, 65_535],
    );
    assert.deepEqual([inviteArgument('1s'), inviteArgument('10m'), inviteArgument('1h')], [1000, 600_000, 3_600_000]);
    assert.equal(timeArgument('2028-02-29T08:00:00.5+05:45'), '2028-02-29T08:00:00.5+05:45');
  });
});
