import { messageIdOf, threadOf, type MessageKey } from '../../core/message.ts';
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
