import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Status } from '../outcome.ts';
import { stateOfVotes, votesOf, type Quorum } from './quorum.ts';

/** Votes as letters: up, down, degraded; `?` is a voice that is not fresh, or not healthy. */
function state(voices: string, quorum: Quorum = 'majority', minVoices = 1): Status {
  const words = { U: 'up', D: 'down', G: 'degraded', '?': 'unknown' } as const;
  return stateOfVotes(votesOf(voices.split('').map((letter) => words[letter as keyof typeof words])), {
    quorum,
    minVoices,
  });
}

describe('C3.3: the quorum counts fresh and healthy voices only', () => {
  const cases: readonly (readonly [string, Quorum, Status])[] = [
    ['', 'majority', 'unknown'],
    ['???', 'majority', 'unknown'],
    ['D', 'majority', 'down'],
    ['D?', 'majority', 'down'],
    ['DU', 'majority', 'up'],
    ['DDU', 'majority', 'down'],
    ['DUU', 'majority', 'up'],
    ['DD?', 'majority', 'down'],
    ['DDUU', 'majority', 'up'],
    ['DDDUU', 'majority', 'down'],
    ['DUU', 'any', 'down'],
    ['GUU', 'any', 'degraded'],
    ['DDU', 'all', 'up'],
    ['DDD', 'all', 'down'],
    ['DD?', 'all', 'down'],
    ['DDU', 2, 'down'],
    ['DUU', 2, 'up'],
    ['D?', 2, 'unknown'],
    ['U?', 2, 'up'],
    ['DG', 'majority', 'degraded'],
    ['DGU', 'majority', 'degraded'],
    ['GGU', 'majority', 'degraded'],
    ['DDG', 'all', 'degraded'],
  ];
  for (const [voices, quorum, expected] of cases)
    test(`${voices || 'no voice'} by ${quorum} is ${expected}`, () => assert.equal(state(voices, quorum), expected));

  test('fewer voices than minVoices are unknown, never down, whatever the rule', () => {
    for (const quorum of ['any', 'majority', 'all', 1] as const) {
      assert.equal(state('D', quorum, 2), 'unknown');
      assert.equal(state('D?', quorum, 2), 'unknown');
      assert.equal(state('DD', quorum, 2), 'down');
    }
    assert.equal(state('', 'any', 0), 'unknown', 'no voice is never enough');
  });
});
