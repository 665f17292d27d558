import type { Status } from '../outcome.ts';

export interface VoicePolicy {
  /** So many runs must be down, and none up between them, before one agent says so. */
  readonly confirmations: number;
  /** So many runs must be degraded, and none up between them, before one agent says so. */
  readonly degradedConfirmations: number;
  /** The target is expected not to answer. */
  readonly isUpsideDown: boolean;
}

export interface VoiceRun {
  readonly status: Status;
  /** When the run was due, by the server's clock, epoch milliseconds. */
  readonly at: number;
}

/** What one agent says of one monitor, after confirmations. */
export interface Voice {
  readonly state: Status;
  /** Epoch milliseconds; of a failure, its first failing run. */
  readonly since: number;
  /** Runs that were down since the last one that was up; no more than are needed. */
  readonly downRuns: number;
  /** Runs that were degraded since the last one that was up; no more than are needed. */
  readonly degradedRuns: number;
  /** Degraded runs since the last one that was down; no more than are needed. */
  readonly easedRuns: number;
  /** The first run that was not up since the last one that was; undefined after that one. */
  readonly failingSince?: number | undefined;
}

export const silentVoice: Voice = { state: 'unknown', since: 0, downRuns: 0, degradedRuns: 0, easedRuns: 0 };

/**
 * The voice after a run. Runs that end unknown, missed and denied ones among them, neither add to the confirmations nor reset
 * them; one that is up resets them. Returns the same object if nothing changed.
 */
export function voiceAfter(voice: Voice, run: VoiceRun, policy: VoicePolicy): Voice {
  const status = expectedStatus(run.status, policy.isUpsideDown);
  if (status === 'unknown') return voice;
  if (status === 'up')
    return voice.state === 'up' && voice.failingSince === undefined
      ? voice
      : { ...silentVoice, state: 'up', since: run.at };
  return failing(voice, { status, at: run.at }, policy);
}

/** Nothing was heard of the agent in time, or what it says is not to be trusted. What is confirmed needs no new confirmations. */
export function silenced(voice: Voice, at: number): Voice {
  return voice.state === 'unknown' ? voice : { ...voice, state: 'unknown', since: at };
}

/** Whether this voice has seen a failure that is not confirmed yet. */
export function isFailing({ state, failingSince }: Voice): boolean {
  return failingSince !== undefined && state !== 'down' && state !== 'degraded';
}

/** An inverted expectation turns no failure to measure into a success: unknown stays unknown. */
function expectedStatus(status: Status, isUpsideDown: boolean): Status {
  if (!isUpsideDown || status === 'unknown') return status;
  return status === 'down' ? 'up' : 'down';
}

function failing(voice: Voice, { status, at }: VoiceRun, policy: VoicePolicy): Voice {
  const isDown = status === 'down';
  const downRuns = Math.min(voice.downRuns + Number(isDown), policy.confirmations);
  const degradedRuns = Math.min(voice.degradedRuns + Number(!isDown), policy.degradedConfirmations);
  const easedRuns = isDown ? 0 : Math.min(voice.easedRuns + 1, policy.degradedConfirmations);
  const failingSince = voice.failingSince ?? at;
  const counted = { downRuns, degradedRuns, easedRuns, failingSince };
  const state = stateOf(counted, voice.state, policy);
  if (state === 'degraded' && voice.state === 'down') return { ...counted, downRuns: 0, state, since: at };
  const isSame =
    state === voice.state &&
    downRuns === voice.downRuns &&
    degradedRuns === voice.degradedRuns &&
    easedRuns === voice.easedRuns;
  if (isSame) return voice;
  return { ...counted, state, since: state === voice.state ? voice.since : failingSince };
}

function stateOf(counted: Omit<Voice, 'state' | 'since'>, before: Status, policy: VoicePolicy): Status {
  const { downRuns, degradedRuns, easedRuns } = counted;
  const hasEased = easedRuns >= policy.degradedConfirmations;
  if (downRuns >= policy.confirmations) return hasEased ? 'degraded' : 'down';
  if (degradedRuns >= policy.degradedConfirmations && (before !== 'down' || hasEased)) return 'degraded';
  return before;
}
