import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Status } from '../outcome.ts';
import { isFailing, silenced, silentVoice, voiceAfter, type Voice, type VoicePolicy } from './voice.ts';

const policy: VoicePolicy = { confirmations: 2, degradedConfirmations: 2, isUpsideDown: false };
const letters: Readonly<Record<string, Status>> = { U: 'up', D: 'down', G: 'degraded', '?': 'unknown' };

/** Runs at 1, 2, 3 …, by letter; `x` means that the voice fell silent. */
function after(runs: string, rules: Partial<VoicePolicy> = {}): Voice {
  let voice = silentVoice;
  for (const [index, letter] of runs.split('').entries()) {
    const status = letters[letter];
    const at = index + 1;
    voice = status === undefined ? silenced(voice, at) : voiceAfter(voice, { status, at }, { ...policy, ...rules });
  }
  return voice;
}

const cases: readonly (readonly [runs: string, state: Status, since: number, rules?: Partial<VoicePolicy>])[] = [
  ['', 'unknown', 0],
  ['U', 'up', 1],
  ['UUU', 'up', 1],
  ['D', 'unknown', 0],
  ['UD', 'up', 1],
  ['UDD', 'down', 2],
  ['UDDDDD', 'down', 2],
  ['UDUD', 'up', 3],
  ['UD?D', 'down', 2],
  ['UD??????', 'up', 1],
  ['UDDU', 'up', 4],
  ['UD', 'down', 2, { confirmations: 1 }],
  ['UDD', 'up', 1, { confirmations: 3 }],
  ['UDDD', 'down', 2, { confirmations: 3 }],
];

describe('C3.1: only runs in a row of one agent confirm a failure', () => {
  for (const [runs, state, since, rules] of cases)
    test(`${runs || 'no run'} with ${rules?.confirmations ?? 2} confirmations is ${state} since ${since}`, () => {
      const voice = after(runs, rules);
      assert.deepEqual([voice.state, voice.since], [state, since]);
    });

  test('a run that changes nothing gives the same voice, so that nothing is written', () => {
    for (const runs of ['U', 'UDD', 'UGG', 'UDDGG']) {
      const voice = after(runs);
      const status = voice.state;
      assert.equal(voiceAfter(voice, { status, at: 99 }, policy), voice, runs);
      assert.equal(voiceAfter(voice, { status: 'unknown', at: 99 }, policy), voice, runs);
    }
  });
});

test('a failure that is not confirmed yet is known as such, so that a second opinion can be asked for', () => {
  assert.deepEqual(
    ['U', 'UD', 'D', 'UG', 'UDD', 'UDU', '?'].map((runs) => isFailing(after(runs))),
    [false, true, true, true, false, false, false],
  );
});

describe('C3.7: degraded has confirmations of its own', () => {
  const table: readonly (readonly [string, Status, number])[] = [
    ['UG', 'up', 1],
    ['UGG', 'degraded', 2],
    ['UGD', 'up', 1],
    ['UGDG', 'degraded', 2],
    ['UGDD', 'down', 2],
    ['UDGD', 'down', 2],
    ['UGGDD', 'down', 2],
    ['UDDG', 'down', 2],
    ['UDDGDG', 'down', 2],
    ['UDDGG', 'degraded', 5],
    ['UDDGGD', 'degraded', 5],
    ['UDDGGDD', 'down', 2],
    ['UGU', 'up', 3],
  ];
  for (const [runs, state, since] of table)
    test(`${runs} is ${state} since ${since}`, () => {
      const voice = after(runs);
      assert.deepEqual([voice.state, voice.since], [state, since]);
    });
});

describe('C3.6: a voice that falls silent is unknown, and what it had confirmed needs no new confirmations', () => {
  test('unknown, then as before with the first run that says so', () => {
    assert.equal(after('UDDx').state, 'unknown');
    assert.deepEqual([after('UDDxD').state, after('UDDxU').state, after('Ux').since], ['down', 'up', 2]);
    assert.equal(after('UDDxD').since, 2, 'the failure began with its first run');
  });
});

describe('C3.23: the expectation is inverted before confirmations, and unknown stays unknown', () => {
  const upsideDown = { isUpsideDown: true };
  for (const [runs, state] of [
    ['D', 'up'],
    ['DU', 'up'],
    ['DUU', 'down'],
    ['DGG', 'down'],
    ['???', 'unknown'],
    ['DU?', 'up'],
  ] as const)
    test(`${runs} is ${state}`, () => assert.equal(after(runs, upsideDown).state, state));
});
