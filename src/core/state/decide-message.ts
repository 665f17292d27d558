import type { MessageKind } from '../message.ts';
import type { AlertRecipient, IncidentRecord, SubjectView } from './incident-record.ts';
import { settlementOf, standingOf, type ToldState } from './settlement.ts';
import { endingOf, suppressionOf, type Suppression, type SuppressionFacts } from './suppression.ts';

/** Nobody is told at once that a monitor can no longer be seen, or that others have failed with it. */
const patienceMs = 300_000;
/** Incidents that begin together are told together. */
export const siblingWaitMs = 2000;
/** Members of a cause may come back so much later than its first and still be told with it. */
const recoveryWaitMs = 120_000;
/** Messages of one subject to one recipient. */
const maxPerHour = 4;
const hourMs = 3_600_000;

/** What becomes of the newest transition for one recipient. */
export type MessageDecision =
  | { readonly outcome: 'sent'; readonly kind: MessageKind }
  | { readonly outcome: 'held'; readonly suppression: Suppression }
  | { readonly outcome: 'not-sent'; readonly reason: string; readonly by?: string | undefined };

export interface DecisionContext {
  readonly view: SubjectView;
  readonly now: number;
  /** When messages about this subject went to this recipient. */
  readonly sentAt: readonly number[];
  /** What the incidents joined with this one say. */
  readonly group: GroupStanding;
}

export interface GroupStanding {
  /** The name of the incident that tells of this one. */
  readonly leader?: string | undefined;
  readonly openMembers: number;
}

/** One decision for one recipient; a function of what it was last told and of what is so now. */
export function decideMessage(
  record: IncidentRecord,
  recipient: AlertRecipient,
  context: DecisionContext,
): MessageDecision {
  const kind = kindFor(record, recipient, context);
  const standing = standingOf(record.incident);
  if (kind === undefined) return { outcome: 'not-sent', reason: whyNothing(recipient.told, standing) };
  const suppression = suppressionOf(factsFor(kind, { record, recipient, context }));
  if (!suppression) return { outcome: 'sent', kind };
  if (endingOf(suppression.reason) === 'held') return { outcome: 'held', suppression };
  return { outcome: 'not-sent', reason: suppression.reason, by: suppression.by };
}

function whyNothing(told: ToldState | undefined, standing: ToldState): string {
  if (told === standing) return 'unchanged';
  return standing === 'unknown' ? 'observer' : 'nobody-told';
}

function kindFor(
  record: IncidentRecord,
  recipient: AlertRecipient,
  { view, now }: DecisionContext,
): MessageKind | undefined {
  const { unstableSince } = view.flapping;
  const isOver = record.incident.endReason !== undefined && record.incident.endReason !== 'recovered';
  if (!isOver && unstableSince !== undefined && recipient.toldUnstable !== unstableSince && recipient.step === 0)
    return 'unstable';
  if (!isOver && unstableSince === undefined && recipient.toldUnstable !== undefined) return 'stable';
  const state = standingOf(record.incident);
  const kind = settlementOf(recipient.told, { state, isEscalation: recipient.step > 0 });
  return kind ?? (isGrowthDue(record, recipient, now) ? 'update' : undefined);
}

/** Incidents were joined with one that is told already: so often, and no more, there is news of it. */
export function isGrowthDue({ incident, members }: IncidentRecord, recipient: AlertRecipient, now: number): boolean {
  const { told, toldAt = 0, toldMembers = 0 } = recipient;
  return (
    incident.endedAt === undefined &&
    told === incident.state &&
    members.length > toldMembers &&
    toldAt + patienceMs <= now
  );
}

interface Deciding {
  readonly record: IncidentRecord;
  readonly recipient: AlertRecipient;
  readonly context: DecisionContext;
}

function factsFor(kind: MessageKind, { record, recipient, context }: Deciding): SuppressionFacts {
  // The end by a person is told once, whatever holds back other news.
  if (kind === 'closed') return {};
  const { view, now, sentAt } = context;
  const lastHour = sentAt.filter((at) => at > now - hourMs);
  const due = dueAt(kind, record, recipient);
  const grouped = groupedUntil(kind, record, context);
  const [oldest = now] = lastHour;
  return {
    ...view.suppressions(now, record.incident),
    ...subjectFacts(kind, view),
    ...(record.ack && kind === 'escalation' && { acknowledged: { by: record.ack.by, until: record.ack.until } }),
    ...(due > now && { 'not-due': { until: due } }),
    ...(grouped && { grouped }),
    ...(lastHour.length >= maxPerHour && kind !== 'stable' && { cap: { until: oldest + hourMs } }),
  };
}

function subjectFacts(kind: MessageKind, { isPaused, flapping }: SubjectView): SuppressionFacts {
  const isEnd = kind === 'recovery' || kind === 'stable';
  const isFlapping = flapping.unstableSince !== undefined && kind !== 'unstable';
  return { ...(isPaused && !isEnd && { disabled: {} }), ...(isFlapping && { flapping: {} }) };
}

function dueAt(kind: MessageKind, { incident }: IncidentRecord, recipient: AlertRecipient): number {
  if (kind === 'update' && incident.state === 'unknown') return (incident.unknownSince ?? 0) + patienceMs;
  return kind === 'problem' || kind === 'escalation' ? incident.confirmedAt + recipient.afterMs : 0;
}

function groupedUntil(
  kind: MessageKind,
  { incident }: IncidentRecord,
  { now, group }: DecisionContext,
): Omit<Suppression, 'reason'> | undefined {
  const isFirst = kind === 'problem' || kind === 'escalation';
  if (isFirst && group.leader !== undefined) return { by: group.leader };
  const waitsUntil = incident.confirmedAt + siblingWaitMs;
  if (isFirst && waitsUntil > now) return { until: waitsUntil };
  const rest = (incident.endedAt ?? 0) + recoveryWaitMs;
  return kind === 'recovery' && group.openMembers > 0 && rest > now ? { until: rest } : undefined;
}
