import type { Milliseconds } from '../duration.ts';
import type { ChangeLog } from './change-log.ts';
import { freshForMs } from './freshness.ts';
import { newVoice, type MonitorRecord, type MonitorRun, type VoiceEntry, type VoiceRow } from './monitor-record.ts';
import { isFailing, silenced, silentVoice, voiceAfter } from './voice.ts';

/** Keeps the voices of monitors. */
export class MonitorVoices {
  readonly #log: ChangeLog;

  constructor(log: ChangeLog) {
    this.#log = log;
  }

  /** As it was kept; it is fresh for a while from `now`, so that its agent may come back. */
  load({ policy, voices }: MonitorRecord, row: VoiceRow, now: number): void {
    voices.set(row.agentId, { row, freshUntil: now + freshForMs(policy), heardAt: 0 });
  }

  /** Whether this run changes nothing but how fresh its voice is, which is noted at once. */
  isQuiet({ policy, voices }: MonitorRecord, run: Omit<MonitorRun, 'message'>): boolean {
    const entry = voices.get(run.agentId);
    if (!entry) return false;
    const freshFor = freshForMs(policy);
    if (isOld(run, freshFor)) return true;
    if (voiceAfter(entry.row.voice, run, policy) !== entry.row.voice) return false;
    hear(entry, run, freshFor);
    return true;
  }

  /** Undefined if the run changes nothing. What waited for long completes the history, and says nothing of now. */
  take({ policy, voices }: MonitorRecord, run: MonitorRun): { readonly isFirstFailure: boolean } | undefined {
    const { monitorId, agentId, reason, source, message } = run;
    const freshFor = freshForMs(policy);
    if (isOld(run, freshFor)) return undefined;
    const entry = voices.get(agentId) ?? newVoice(monitorId, agentId);
    voices.set(agentId, entry);
    hear(entry, run, freshFor);
    const before = entry.row.voice;
    const voice = voiceAfter(before, run, policy);
    if (voice === before) return undefined;
    entry.row = { monitorId, agentId, voice, ...(voice.failingSince !== undefined && { reason, source, message }) };
    this.#log.voice(entry);
    return { isFirstFailure: isFailing(voice) && !isFailing(before) };
  }

  /** True if the voice was not silent before. */
  silence(entry: VoiceEntry, at: number): boolean {
    const voice = silenced(entry.row.voice, at);
    if (voice === entry.row.voice) return false;
    entry.row = { ...entry.row, voice };
    this.#log.voice(entry);
    return true;
  }

  /** True if a voice of which nothing was heard for too long was not silent before. */
  silenceStale({ voices }: MonitorRecord, now: number): boolean {
    let hasChanged = false;
    for (const entry of voices.values())
      if (entry.freshUntil <= now && this.silence(entry, entry.freshUntil)) hasChanged = true;
    return hasChanged;
  }

  moveClock({ voices }: MonitorRecord, byMs: Milliseconds): void {
    for (const entry of voices.values()) entry.freshUntil += byMs;
  }

  /** What was measured before says nothing any more. */
  forget({ voices }: MonitorRecord): void {
    for (const entry of voices.values()) {
      const { monitorId, agentId } = entry.row;
      entry.row = { monitorId, agentId, voice: silentVoice };
      this.#log.voice(entry);
    }
  }

  /** Other agents no longer run the monitor. */
  keepOnly({ voices }: MonitorRecord, agentIds: readonly string[]): void {
    for (const [agentId, entry] of voices) {
      if (agentIds.includes(agentId)) continue;
      voices.delete(agentId);
      this.#log.goneVoice(entry);
    }
  }
}

function isOld({ at, receivedAt }: Pick<MonitorRun, 'at' | 'receivedAt'>, freshFor: Milliseconds): boolean {
  return receivedAt - at > freshFor;
}

function hear(
  entry: VoiceEntry,
  { status, receivedAt }: Pick<MonitorRun, 'status' | 'receivedAt'>,
  freshFor: Milliseconds,
): void {
  entry.heardAt = receivedAt;
  if (status !== 'unknown') entry.freshUntil = receivedAt + freshFor;
}
