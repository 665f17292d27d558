import { messageSeverities, type MessageSeverity } from '../../core/message.ts';
import type { NotifierPlan } from '../../notify/notifier-plan.ts';
import type { IncidentStanding, OutboxChange, OutboxOutcome, OutboxRow } from '../store/outbox.ts';
import { digestOf, endsIncident, settle, type Settled } from './digest.ts';
import { quietUntil } from './quiet-hours.ts';

/** A day: a message that could not be told for so long, and so often, is told no more. A clock that is set ahead ends nothing. */
const keepTryingMs = 24 * 3_600_000;
const leastAttempts = 20;

/** What is known of the incident of a row. */
export interface Background {
  readonly standing: IncidentStanding | undefined;
  /** The gravest severity that the notifier was told of it. */
  readonly told: MessageSeverity | undefined;
}

export interface Circumstances {
  readonly now: number;
  /** How many messages the notifier may still send now before the rest becomes a digest. */
  readonly left: number;
  /** The provider has failed, and may work again. */
  readonly wasFailing: boolean;
  readonly backgroundOf: (incident: string) => Background;
}

/** What to send, each with the rows that it settles. */
export interface PlannedDelivery {
  readonly settled: readonly Settled[];
  readonly message: Settled['message'];
}

export interface DeliveryPlan {
  /** What became of rows that are not to be sent now. */
  readonly changes: readonly OutboxChange[];
  readonly deliveries: readonly PlannedDelivery[];
}

/** Decides what one notifier does with the rows that are due. */
export function planDelivery(
  rows: readonly OutboxRow[],
  plan: NotifierPlan,
  circumstances: Circumstances,
): DeliveryPlan {
  const { now, backgroundOf } = circumstances;
  const changes: OutboxChange[] = [];
  const wanted = rows.filter((row) => {
    const change = putOff(row, plan, circumstances) ?? rejected(row, plan, circumstances);
    if (change) changes.push(change);
    return !change;
  });
  const settled = settle(wanted).filter((one) => {
    const isUntold = endsIncident(one.message) && !one.hasPassed && !backgroundOf(one.incident).told;
    if (isUntold) changes.push(...finish(one.rows, { outcome: 'passed', at: now, text: 'its beginning was not told' }));
    return !isUntold;
  });
  if (!plan.channel.type.tracksIncidents) return { changes, deliveries: grouped(settled, circumstances) };
  const passed = settled.filter(({ hasPassed }) => hasPassed).flatMap(({ rows }) => rows);
  changes.push(...finish(passed, { outcome: 'passed', at: now, text: 'over before it was told' }));
  return { changes, deliveries: singles(settled) };
}

type Finish = Omit<Extract<OutboxChange, { readonly outcome: OutboxOutcome }>, 'id'>;

function finish(rows: readonly OutboxRow[], end: Finish): readonly OutboxChange[] {
  return rows.map(({ id }) => ({ id, ...end }));
}

/** Quiet hours, and a reminder that was claimed before its time. */
function putOff(row: OutboxRow, plan: NotifierPlan, { now, backgroundOf }: Circumstances): OutboxChange | undefined {
  const { id, attempts, dueAt, message } = row;
  if (dueAt > now && attempts === 0 && row.held === undefined) return { id, dueAt, attempts };
  const isGrave =
    message.severity === 'critical' || (endsIncident(message) && backgroundOf(row.incident).told === 'critical');
  const end = plan.quietHours && message.kind !== 'test' && !isGrave ? quietUntil(plan.quietHours, now) : undefined;
  return end === undefined ? undefined : { id, dueAt: end, attempts, held: 'quiet hours' };
}

function rejected(row: OutboxRow, plan: NotifierPlan, { now, backgroundOf }: Circumstances): OutboxChange | undefined {
  const finished = (outcome: OutboxOutcome, text: string): OutboxChange => ({ id: row.id, outcome, at: now, text });
  if (!isWanted(row, plan))
    return finished('filtered', 'below the severity, or without a tag, that the notifier wants');
  if (row.attempts >= leastAttempts && now - (row.triedAt ?? row.addedAt) >= keepTryingMs)
    return finished('expired', 'not delivered in 24 h');
  if (row.kind !== 'reminder' && row.kind !== 'escalation') return undefined;
  const { standing } = backgroundOf(row.incident);
  if (standing && !standing.isOpen) return finished('cancelled', 'the incident is over');
  return standing?.isAcknowledged ? finished('cancelled', 'somebody has the incident') : undefined;
}

/** Whether the end of an incident is told depends on its beginning alone. */
function isWanted({ message }: OutboxRow, { minimumSeverity, tags }: NotifierPlan): boolean {
  if (message.kind === 'test' || endsIncident(message)) return true;
  const isGrave = messageSeverities.indexOf(message.severity) >= messageSeverities.indexOf(minimumSeverity);
  return isGrave && (tags.length === 0 || message.tags.some((tag) => tags.includes(tag)));
}

/** A digest where messages have waited together, or where there are more than the notifier may send. */
function grouped(settled: readonly Settled[], { left, wasFailing }: Circumstances): readonly PlannedDelivery[] {
  const [only] = settled;
  if (!only) return [];
  const rows = settled.flatMap(({ rows }) => rows);
  const isOver = settled.length > left;
  const hasWaited = wasFailing || rows.some(({ held, attempts }) => held !== undefined || attempts > 0);
  if (settled.some(({ hasPassed }) => hasPassed) || (settled.length > 1 && (isOver || hasWaited)))
    return [{ settled, message: digestOf(settled, reasonOf(rows, isOver)) }];
  return singles(settled);
}

function reasonOf(rows: readonly OutboxRow[], isOver: boolean): string {
  const held = rows.find(({ held }) => held !== undefined)?.held;
  if (held !== undefined) return held;
  return isOver ? 'more messages than this notifier sends in a minute' : 'they waited for this notifier to work again';
}

function singles(settled: readonly Settled[]): readonly PlannedDelivery[] {
  return settled.filter(({ hasPassed }) => !hasPassed).map((one) => ({ settled: [one], message: one.message }));
}
