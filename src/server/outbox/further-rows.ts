import { createHash } from 'node:crypto';
import { messageIdOf, threadOf, type Message, type MessageKey } from '../../core/message.ts';
import type { NotifierPlan } from '../../notify/notifier-plan.ts';
import type { NewOutboxRow, OutboxRow } from '../store/outbox.ts';
import { endsIncident } from './digest.ts';

/** The same messages for another notifier; one that it has already is not added again. */
export function copiesFor(
  notifier: string | undefined,
  rows: readonly OutboxRow[],
  now: number,
): readonly NewOutboxRow[] {
  if (notifier === undefined) return [];
  return rows.map(({ incident, transition, kind, step, message }) => ({
    incident,
    transition,
    kind,
    step,
    notifier,
    dueAt: now,
    message,
  }));
}

/** The next reminder of an incident that was told just now and repeats. */
export function reminderOf(rows: readonly OutboxRow[], now: number): readonly NewOutboxRow[] {
  const last = rows.at(-1);
  if (!last || last.repeatMs === undefined || last.kind === 'test' || endsIncident(last.message)) return [];
  const { incident, transition, notifier, repeatMs } = last;
  // The step of a reminder is its number; the id of the message holds it.
  const step = last.kind === 'reminder' ? last.step + 1 : 1;
  const key: MessageKey = { incident, transition, kind: 'reminder', step };
  const message = { ...last.message, id: messageIdOf(key), thread: threadOf(incident), kind: 'reminder' as const };
  return [{ ...key, notifier, dueAt: now + repeatMs, message, repeatMs }];
}

interface Outage {
  /** Epoch milliseconds. */
  readonly since: number;
  readonly until?: number;
  /** What the provider says. */
  readonly text: string;
  readonly isBroken: boolean;
}

/** Tells the fallback that a notifier does not work, or works again: an incident of its own, named by its beginning. */
export function outageRows(
  { name, fallback }: NotifierPlan,
  { since, until, text, isBroken }: Outage,
): readonly NewOutboxRow[] {
  if (fallback === undefined) return [];
  const isOver = until !== undefined;
  const incident = `notifier-${createHash('sha256').update(name).digest('hex').slice(0, 12)}-${Math.floor(since)}`;
  const key: MessageKey = { incident, transition: isOver ? 2 : 1, kind: isOver ? 'recovery' : 'problem', step: 0 };
  const message: Message = {
    id: messageIdOf(key),
    thread: threadOf(incident),
    kind: key.kind,
    state: isOver ? 'up' : 'down',
    severity: isOver ? 'info' : 'critical',
    subject: name,
    headline: isOver ? `UP notifier ${name}` : `DOWN notifier ${name}: ${isBroken ? 'broken' : 'does not answer'}`,
    since,
    ...(isOver && { until }),
    verdict: 'observer',
    facts: [
      { label: isOver ? 'Answer' : 'Its provider says', text },
      ...(isOver
        ? []
        : [{ label: 'Meanwhile', text: 'its messages come here, and are told there once it works again' }]),
    ],
    tags: ['notifier'],
  };
  return [{ ...key, notifier: fallback, dueAt: until ?? since, message }];
}
