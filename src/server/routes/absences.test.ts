import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Absence } from '../../core/entry.ts';
import { absenceAnswer, absentMsIn, openAbsences } from './absences.ts';

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

describe('SI5: time since an agent was last heard', () => {
  const away = { status: 'offline', lastSeenAt: 1000 } as const;
  for (const [what, agent, range, expected] of [
    ['of one that is away lasts', away, [0, 9000], [[1000, null]]],
    ['begins no earlier than what is asked for', away, [2000, 9000], [[2000, null]]],
    ['ends with what is asked for', away, [0, 3000], [[1000, 3000]]],
    ['is not asked for', away, [0, 1000], []],
    ['is in the future', away, [5000, 9000], []],
    ['of one that never came is unknown', { status: 'offline', lastSeenAt: undefined }, [0, 9000], []],
    ['of one that is there is none', { status: 'impaired', lastSeenAt: 1000 }, [0, 9000], []],
    ['of one that may be back in a moment is none', { status: 'reconnecting', lastSeenAt: 1000 }, [0, 9000], []],
    ['of one that was revoked is none', { status: 'revoked', lastSeenAt: 1000 }, [0, 9000], []],
    ['of no agent', undefined, [0, 9000], []],
  ] as const)
    test(what, () => {
      const [from, to] = range;
      const absences = openAbsences(agent, { from, to }, 4000).map(absenceAnswer);
      assert.deepEqual(
        absences.map((absence) => [Date.parse(absence.from), absence.to && Date.parse(absence.to)]),
        expected,
      );
    });
});
