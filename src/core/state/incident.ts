import type { Milliseconds } from '../duration.ts';
import type { Verdict } from '../message.ts';
import type { Status } from '../outcome.ts';

export const subjectKinds = ['monitor', 'agent', 'server', 'notifier'] as const;

/** What an incident is about. */
export interface Subject {
  readonly kind: (typeof subjectKinds)[number];
  readonly id: string;
}

export const endReasons = ['recovered', 'paused', 'deleted', 'revoked'] as const;
export type EndReason = (typeof endReasons)[number];

/** From the first failing run to the confirmed end. Times are the server's, epoch milliseconds. */
export interface Incident {
  /** UUID v7. */
  readonly id: string;
  readonly subject: Subject;
  /** What is believed now. */
  readonly state: Status;
  /** The gravest state so far. */
  readonly worst: 'degraded' | 'down' | 'unknown';
  readonly verdict: Verdict;
  readonly startedAt: number;
  readonly confirmedAt: number;
  readonly endedAt?: number | undefined;
  readonly endReason?: EndReason | undefined;
  /** Time in which the state was unknown, without the present one. */
  readonly frozenMs: Milliseconds;
  readonly unknownSince?: number | undefined;
  /** How often it was opened again after it had ended. */
  readonly reopened: number;
}

/** A confirmed change of what is believed of the subject of an incident. */
export interface ConfirmedChange {
  readonly state: Status;
  readonly verdict: Verdict;
  /** Since when it is so: of a failure, the first failing run. */
  readonly since: number;
  /** When it was confirmed. */
  readonly at: number;
}

export function opened(
  id: string,
  subject: Subject,
  change: ConfirmedChange & { readonly state: Incident['worst'] },
): Incident {
  const { state, verdict, since, at } = change;
  const unknownSince = state === 'unknown' ? at : undefined;
  return {
    id,
    subject,
    state,
    worst: state,
    verdict,
    startedAt: since,
    confirmedAt: at,
    frozenMs: 0,
    unknownSince,
    reopened: 0,
  };
}

/**
 * The incident after a change. Degraded, down and unknown belong to one incident; unknown freezes its clock and never ends it;
 * up ends it.
 */
export function followed(incident: Incident, { state, verdict, since, at }: ConfirmedChange): Incident {
  const { unknownSince, frozenMs } = incident;
  const frozen = frozenMs + (unknownSince === undefined ? 0 : Math.max(0, at - unknownSince));
  if (state === 'unknown') return { ...incident, state, unknownSince: unknownSince ?? at };
  const thawed = { ...incident, state, frozenMs: frozen, unknownSince: undefined };
  // Its first run that was up: the confirmation of an end is that run.
  if (state === 'up') return { ...thawed, endedAt: Math.max(since, incident.startedAt), endReason: 'recovered' };
  return { ...thawed, verdict, worst: incident.worst === 'down' ? 'down' : state };
}

/** A person or the configuration ended it, not the target. */
export function closed(incident: Incident, endReason: EndReason, at: number): Incident {
  return { ...incident, endedAt: at, endReason };
}

/** It failed again so soon that it is the same incident. */
export function isReopening(ended: Incident, since: number, reopenMs: Milliseconds): boolean {
  return ended.endReason === 'recovered' && ended.endedAt !== undefined && since - ended.endedAt <= reopenMs;
}

export function reopened(ended: Incident, change: ConfirmedChange): Incident {
  return followed({ ...ended, endedAt: undefined, endReason: undefined, reopened: ended.reopened + 1 }, change);
}

/** How long it lasted so far without the time in which nobody could tell. */
export function durationOf({ startedAt, endedAt, frozenMs, unknownSince }: Incident, now: number): Milliseconds {
  const until = endedAt ?? unknownSince ?? now;
  return Math.max(0, until - startedAt - frozenMs);
}
