import type { Milliseconds } from './duration.ts';
import { nextCronTime } from './cron.ts';

/** When a job is expected: by a period since its last run, or by a cron expression in a zone. */
export interface HeartbeatPlan {
  readonly period?: Milliseconds | undefined;
  readonly cron?: string | undefined;
  readonly zone: string;
  /** So long after it is expected a heartbeat is late. */
  readonly graceMs: Milliseconds;
  /** So long after its start a run must have ended. */
  readonly runLimitMs: Milliseconds;
}

/** What a job tells. */
export type Signal =
  | { readonly kind: 'start' }
  | { readonly kind: 'success' }
  /** `exitCode` is undefined where the job only said that it failed. */
  | { readonly kind: 'failure'; readonly exitCode?: number | undefined };

/** What is known of a job. Times are epoch milliseconds of the server. */
export interface HeartbeatRecord {
  /** Since when it is expected: it was made, or resumed. */
  readonly since: number;
  /** The first start that no end has followed. */
  readonly startedAt?: number | undefined;
  /** The last success or failure. */
  readonly endedAt?: number | undefined;
  /** How long the run took that ended then, where its start was told. */
  readonly durationMs?: Milliseconds | undefined;
  readonly failure?: { readonly exitCode?: number | undefined } | undefined;
  /** The server was away while a heartbeat was expected, and may have missed it: the end of the first and of the last such time. */
  readonly unsure?: { readonly first: number; readonly last: number } | undefined;
}

/** `waiting`: nothing has come yet, and nothing is late. `unsure`: it may have come while the server was away. */
export type HeartbeatState = 'waiting' | 'ok' | 'running' | 'failed' | 'late' | 'unsure';

interface HeartbeatVerdict {
  readonly state: HeartbeatState;
  /** When the next heartbeat is expected, or the run under way must have ended. */
  readonly expectedAt: number;
}

/** A clock that is this much ahead may send the heartbeat of an occurrence before it. */
const earlyMs = 60_000;

/** The record after a signal. */
export function noteSignal(record: HeartbeatRecord, signal: Signal, at: number): HeartbeatRecord {
  const { since, startedAt, endedAt, durationMs, failure } = record;
  // A second start ends no run: where each run hangs, the first is late all the same.
  if (signal.kind === 'start') return { since, endedAt, durationMs, failure, startedAt: startedAt ?? at };
  const took = startedAt === undefined ? {} : { durationMs: Math.max(0, at - startedAt) };
  if (signal.kind === 'success') return { since, endedAt: at, ...took };
  return { since, endedAt: at, ...took, failure: { exitCode: signal.exitCode } };
}

/**
 * The record after a time in which the server could receive nothing: it was not running, or its clock was set, and then `to` is
 * before `from` where it was set back.
 */
export function noteAway(record: HeartbeatRecord, plan: HeartbeatPlan, away: Away): HeartbeatRecord {
  const known = notAfter(record, away.to);
  const window = known.unsure ? secondWindow(known, plan) : firstWindow(known, plan);
  const mayHaveMissed = away.to > away.from && away.to > window.from && away.from < window.deadline;
  return mayHaveMissed ? { ...known, unsure: { first: known.unsure?.first ?? away.to, last: away.to } } : known;
}

interface Away {
  readonly from: number;
  readonly to: number;
}

/** A clock that was set back must not put off when a heartbeat is late. */
function notAfter({ failure, durationMs, ...times }: HeartbeatRecord, now: number): HeartbeatRecord {
  const past = (time: number | undefined): number | undefined => (time === undefined ? undefined : Math.min(time, now));
  const { since, startedAt, endedAt, unsure } = times;
  return {
    since: Math.min(since, now),
    startedAt: past(startedAt),
    endedAt: past(endedAt),
    durationMs,
    failure,
    unsure: unsure && { first: Math.min(unsure.first, now), last: Math.min(unsure.last, now) },
  };
}

/** What is so at a time. */
export function judgeHeartbeat(record: HeartbeatRecord, plan: HeartbeatPlan, now: number): HeartbeatVerdict {
  const first = firstWindow(record, plan);
  if (record.failure && record.startedAt === undefined) return { state: 'failed', expectedAt: first.expected };
  if (now < first.deadline) return { state: stateBefore(record), expectedAt: first.expected };
  if (!record.unsure) return { state: 'late', expectedAt: first.expected };
  const second = secondWindow(record, plan);
  return { state: now < second.deadline ? 'unsure' : 'late', expectedAt: second.expected };
}

function stateBefore({ startedAt, endedAt, failure }: HeartbeatRecord): HeartbeatState {
  if (failure) return 'failed';
  if (startedAt !== undefined) return 'running';
  return endedAt === undefined ? 'waiting' : 'ok';
}

interface Window {
  /** From when the heartbeat may come. */
  readonly from: number;
  readonly expected: number;
  /** From when it is late. */
  readonly deadline: number;
}

/** In which the next heartbeat is expected. */
function firstWindow(record: HeartbeatRecord, plan: HeartbeatPlan): Window {
  const { startedAt, endedAt, since, unsure } = record;
  // A heartbeat is given its grace after the server was away.
  const notBefore = unsure ? unsure.first + plan.graceMs : -Infinity;
  if (startedAt !== undefined) {
    const deadline = startedAt + plan.runLimitMs;
    return { from: startedAt, expected: deadline, deadline: Math.max(deadline, notBefore) };
  }
  const { expected, early } = expectedAfter(plan, Math.max(endedAt ?? since, since));
  return { from: expected - early, expected, deadline: Math.max(expected + plan.graceMs, notBefore) };
}

/** In which the one after it is expected, where the first may have been missed. */
function secondWindow(record: HeartbeatRecord, plan: HeartbeatPlan): Window {
  const { startedAt, unsure } = record;
  const last = unsure?.last ?? 0;
  if (startedAt !== undefined) {
    const deadline = last + plan.runLimitMs;
    return { from: last, expected: deadline, deadline };
  }
  const { expected, early } = expectedAfter(plan, Math.max(last, firstWindow(record, plan).expected));
  return { from: expected - early, expected, deadline: expected + plan.graceMs };
}

/** When a job whose last run ended then is expected next, and how much before that it may come. */
function expectedAfter(plan: HeartbeatPlan, at: number): { readonly expected: number; readonly early: Milliseconds } {
  const { period, cron, zone } = plan;
  if (cron === undefined) return { expected: at + (period ?? 0), early: Math.min(earlyMs, (period ?? 0) / 4) };
  const next = nextCronTime(cron, { zone, afterMs: at });
  const afterNext = nextCronTime(cron, { zone, afterMs: next });
  const early = Math.min(earlyMs, (afterNext - next) / 4);
  // What ended just before an occurrence was that occurrence, by a clock that is ahead.
  return { expected: next - at <= early ? afterNext : next, early };
}
