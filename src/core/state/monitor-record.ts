import type { Verdict } from '../message.ts';
import type { Reason, Source, Status } from '../outcome.ts';
import { steady, type Flapping } from './flapping.ts';
import type { MonitorPolicy } from './policies.ts';
import { stateOfVotes, votesOf } from './quorum.ts';
import { verdictOf } from './verdict.ts';
import { silentVoice, type Voice } from './voice.ts';

/** One run of a monitor, as far as states go. Times are the server's, epoch milliseconds. */
export interface MonitorRun {
  readonly monitorId: string;
  readonly agentId: string;
  readonly status: Status;
  /** When it was due. */
  readonly at: number;
  readonly receivedAt: number;
  readonly reason?: Reason | undefined;
  readonly source?: Source | undefined;
  readonly message: string;
}

/** What is kept of a voice. */
export interface VoiceRow {
  readonly monitorId: string;
  readonly agentId: string;
  readonly voice: Voice;
  /** Of its last failing run. */
  readonly reason?: Reason | undefined;
  readonly source?: Source | undefined;
  readonly message?: string | undefined;
}

/** What is kept of the state of a monitor, or of another subject. */
export interface StateRow {
  readonly monitorId: string;
  readonly state: Status;
  readonly since: number;
  readonly verdict: Verdict;
  readonly flapping: Flapping;
  /** What the voices measured. */
  readonly identity: string;
  readonly isPaused: boolean;
  /** When messages went to each recipient, within the last hour. */
  readonly sent: Readonly<Record<string, readonly number[]>>;
}

/** A voice with what need not outlive the process. */
export interface VoiceEntry {
  row: VoiceRow;
  /** Until then it is fresh. */
  freshUntil: number;
  /** When its last run came. */
  heardAt: number;
}

export interface MonitorRecord {
  policy: MonitorPolicy;
  row: StateRow;
  readonly voices: Map<string, VoiceEntry>;
}

export function newMonitor(policy: MonitorPolicy): MonitorRecord {
  const { id: monitorId, identity, isPaused } = policy;
  const row: StateRow = {
    monitorId,
    state: 'unknown',
    since: 0,
    verdict: 'observer',
    flapping: steady,
    identity,
    isPaused,
    sent: {},
  };
  return { policy, row, voices: new Map() };
}

export function newVoice(monitorId: string, agentId: string): VoiceEntry {
  return { row: { monitorId, agentId, voice: silentVoice }, freshUntil: 0, heardAt: 0 };
}

export interface JudgedState {
  readonly state: Status;
  readonly verdict: Verdict;
  /** Since when; of a failure its first failing run. */
  readonly since: number;
}

/** What the voices of a monitor say together. Those that are silent, or whose agents are not to be trusted, are unknown already. */
export function judgeVoices({ policy, voices }: MonitorRecord, now: number): JudgedState {
  const rows = [...voices.values()].map(({ row }) => row);
  const state = stateOfVotes(votesOf(rows.map(({ voice }) => voice.state)), policy);
  const verdict = verdictOf(rows.map(({ voice, source }) => ({ state: voice.state, source })));
  return { state, verdict, since: sinceOf(state, rows, now) };
}

function sinceOf(state: Status, rows: readonly VoiceRow[], now: number): number {
  if (state === 'unknown') return now;
  const isUp = state === 'up';
  const times = rows
    .filter(({ voice }) => voice.state !== 'unknown' && (voice.state === 'up') === isUp)
    .map(({ voice }) => voice.since);
  return isUp ? Math.max(...times) : Math.min(...times);
}
