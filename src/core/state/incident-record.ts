import type { Milliseconds } from '../duration.ts';
import type { JsonObject } from '../outcome.ts';
import type { ConfirmedChange, Incident, Subject } from './incident.ts';
import type { Flapping } from './flapping.ts';
import type { NotifyStep } from './policies.ts';
import type { Suppression, SuppressionFacts } from './suppression.ts';
import type { ToldState } from './settlement.ts';

/** A person has taken the incident: reminders and escalations stop, the recovery is still told. */
export interface IncidentAck {
  readonly by: string;
  readonly note: string;
  readonly at: number;
  /** When it ends by itself. */
  readonly until: number;
}

/** A message that waits for its reason to pass. */
export interface HeldMessage extends Suppression {
  readonly since: number;
  /** The transition that it is about. */
  readonly transition: number;
}

/** One step of one notifier, and what it was told of one incident. */
export interface AlertRecipient extends NotifyStep {
  readonly told?: ToldState | undefined;
  readonly toldAt?: number | undefined;
  /** The beginning of the instability that it was told of. */
  readonly toldUnstable?: number | undefined;
  /** So many incidents were joined with this one when it was told. */
  readonly toldMembers?: number | undefined;
  /** The last transition that was decided on. */
  readonly decided: number;
  readonly held?: HeldMessage | undefined;
}

/** An incident with what people know of it. */
export interface IncidentRecord {
  readonly incident: Incident;
  /** Of the subject. */
  readonly name: string;
  /** The number of its last transition. */
  readonly transition: number;
  /** The number of its last event. */
  readonly events: number;
  readonly ack?: IncidentAck | undefined;
  /** Incidents with the same cause that this one tells of. */
  readonly members: readonly string[];
  /** The incident that tells of this one. */
  readonly leader?: string | undefined;
  readonly recipients: readonly AlertRecipient[];
  /** For people: what was expected and what came, from where. */
  readonly account: IncidentAccount;
}

export interface IncidentAccount {
  /** "TLS expired", "no answer". */
  readonly summary: string;
  /** "from 3 of 3 places"; undefined where there is only one. */
  readonly scope?: string | undefined;
  readonly target?: string | undefined;
  readonly facts: readonly { readonly label: string; readonly text: string }[];
  /** Incidents that share one of these may have one cause. */
  readonly causes: readonly string[];
}

export const incidentEventKinds = [
  'opened',
  'state',
  'voice',
  'unstable',
  'stable',
  'acknowledged',
  'unacknowledged',
  'joined',
  'sent',
  'held',
  'not-sent',
  'evidence',
  'ended',
] as const;

/** A line of the timeline of an incident. */
export interface IncidentEvent {
  readonly incident: string;
  readonly seq: number;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly kind: (typeof incidentEventKinds)[number];
  readonly detail: JsonObject;
}

/** An incident for whoever watches. */
export interface IncidentNews extends Incident {
  readonly name: string;
  readonly isAcknowledged: boolean;
}

/** What the book of incidents asks about the subject of one. */
export interface SubjectView {
  readonly subject: Subject;
  readonly name: string;
  readonly steps: readonly NotifyStep[];
  readonly reopenMs: Milliseconds;
  readonly isPaused: boolean;
  readonly flapping: Flapping;
  readonly account: IncidentAccount;
  /** What keeps messages about it back now, besides what the incident itself says. */
  suppressions(now: number, incident: Incident): SuppressionFacts;
}

export interface SubjectChange extends ConfirmedChange {
  readonly view: SubjectView;
}
