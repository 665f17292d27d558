import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Absence } from '../../core/entry.ts';
import { absentMsIn } from './absences.ts';

const absence = (from: number, to: number): Absence => ({ from, to, reason: 'killed' });

describe('SI5: time of absence in a period', () => {
  for (const [what, absences, expected] of [
    ['none', [], 0],
    ['one within', [absence(120, 150)], 30],
    ['one around', [absence(0, 900)], 100],
    ['one that begins before and one that ends after', [absence(50, 110), absence(190, 400)], 20],
    ['what two say of the same time counts once', [absence(110, 150), absence(120, 160), absence(130, 140)], 50],
    ['one that touches it', [absence(0, 100), absence(200, 300)], 0],
    ['in any order', [absence(150, 160), absence(110, 120)], 20],
  ] as const)
    test(what, () => assert.equal(absentMsIn(absences, { from: 100, to: 200 }), expected));
});
