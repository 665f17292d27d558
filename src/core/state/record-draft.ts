import type { MessageKey, MessageKind } from '../message.ts';
import type { MessageDecision } from './decide-message.ts';
import type { AlertRecipient, IncidentEvent, IncidentRecord } from './incident-record.ts';
import { standingOf } from './settlement.ts';
import type { Suppression } from './suppression.ts';

/** An incident while a step changes it, and the lines that its timeline gets by that. */
export class RecordDraft {
  record: IncidentRecord;
  readonly events: IncidentEvent[] = [];

  constructor(record: IncidentRecord) {
    this.record = record;
  }

  note(line: Pick<IncidentEvent, 'kind' | 'at' | 'detail'>): this {
    const seq = this.record.events + 1;
    this.events.push({ incident: this.record.incident.id, seq, ...line });
    return this.set({ events: seq });
  }

  set(change: Partial<IncidentRecord>): this {
    this.record = { ...this.record, ...change };
    return this;
  }

  endAck(why: string, at: number): this {
    return this.set({ ack: undefined }).note({ kind: 'unacknowledged', at, detail: { why } });
  }

  /** Earlier transitions that are still held, or came so close that nobody decided on them, are told, or not, with this one. */
  fold({ held, decided, notifier, step }: AlertRecipient, at: number): void {
    const { transition: last } = this.record;
    for (let transition = held?.transition ?? decided + 1; transition < last; transition++)
      this.note({ kind: 'not-sent', at, detail: { notifier, step, transition, reason: 'folded' } });
  }

  /** Nothing is sent now. */
  keep(recipient: AlertRecipient, decision: Exclude<MessageDecision, { readonly outcome: 'sent' }>, at: number): void {
    if (decision.outcome === 'held') return this.#hold(recipient, decision.suppression, at);
    const { transition } = this.record;
    const { held, notifier, step, decided } = recipient;
    if (decided === transition && held === undefined) return;
    const { reason, by } = decision;
    this.#replace({ ...recipient, decided: transition, held: undefined });
    const detail = { notifier, step, transition, reason, ...(by !== undefined && { by }) };
    this.note({ kind: 'not-sent', at, detail });
  }

  /** Returns the key of the message that goes out. */
  send(
    recipient: AlertRecipient,
    {
      kind,
      at,
      unstableSince,
    }: { readonly kind: MessageKind; readonly at: number; readonly unstableSince: number | undefined },
  ): MessageKey {
    const { incident, members } = this.record;
    const { notifier, step } = recipient;
    const transition = this.#transitionFor(recipient);
    this.#replace({
      ...recipient,
      told: standingOf(incident),
      toldAt: at,
      toldUnstable: kind === 'stable' ? undefined : kind === 'unstable' ? unstableSince : recipient.toldUnstable,
      toldMembers: members.length,
      decided: transition,
      held: undefined,
    });
    this.note({ kind: 'sent', at, detail: { notifier, step, transition, message: kind } });
    return { incident: incident.id, transition, kind, step };
  }

  #hold(recipient: AlertRecipient, suppression: Suppression, at: number): void {
    const transition = this.#transitionFor(recipient);
    const { held, notifier, step } = recipient;
    const { reason, by, until } = suppression;
    const isSame = held?.reason === reason && held.by === by && held.until === until && held.transition === transition;
    if (isSame) return;
    const since = held?.since ?? at;
    this.#replace({ ...recipient, decided: transition, held: { ...suppression, since, transition } });
    const known = { ...(by !== undefined && { by }), ...(until !== undefined && { until }) };
    this.note({ kind: 'held', at, detail: { notifier, step, transition, reason, ...known } });
  }

  /** News of a standing that was decided on already, as of a group that has grown, is a transition of its own. */
  #transitionFor({ decided, held }: AlertRecipient): number {
    const { transition } = this.record;
    if (decided < transition || held !== undefined) return transition;
    this.set({ transition: transition + 1 });
    return transition + 1;
  }

  #replace(recipient: AlertRecipient): void {
    const key = recipientKey(recipient);
    const recipients = this.record.recipients.map((one) => (recipientKey(one) === key ? recipient : one));
    this.set({ recipients });
  }
}

export function recipientKey({ notifier, step }: Pick<AlertRecipient, 'notifier' | 'step'>): string {
  return `${step} ${notifier}`;
}
