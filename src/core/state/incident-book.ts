import type { Message, MessageKey } from '../message.ts';
import { decideMessage, isGrowthDue } from './decide-message.ts';
import { groupOf, isLeader, leaderFor } from './grouping.ts';
import { incidentIdOf } from './incident-id.ts';
import { incidentMessage } from './incident-message.ts';
import type {
  AlertRecipient,
  IncidentAck,
  IncidentEvent,
  IncidentRecord,
  SubjectChange,
  SubjectView,
} from './incident-record.ts';
import {
  closed,
  followed,
  isReopening,
  opened,
  reopened,
  type EndReason,
  type Incident,
  type Subject,
} from './incident.ts';
import type { NotifyStep } from './policies.ts';
import { RecordDraft, recipientKey } from './record-draft.ts';

/** A message on its way to the outbox. */
export interface PlannedMessage extends MessageKey {
  readonly notifier: string;
  readonly dueAt: number;
  readonly message: Message;
  readonly repeatMs?: number;
}

interface BookPorts {
  /** Undefined once the subject is gone. */
  view(subject: Subject): SubjectView | undefined;
  /** When messages about this subject went to this recipient, within the last hour. */
  sentAt(subject: Subject, recipient: string): readonly number[];
  noteSent(subject: Subject, recipient: string, at: number): void;
}

interface Step {
  readonly view: SubjectView | undefined;
  readonly at: number;
}

/** Incidents that are open, or of which somebody is still to be told, or that may be opened again. */
export class IncidentBook {
  readonly #ports: BookPorts;
  readonly #records = new Map<string, IncidentRecord>();
  readonly #bySubject = new Map<string, string>();
  /** Incidents that may tell of others, by each of their causes. */
  readonly #leaders = new Map<string, Set<string>>();
  readonly #changed = new Set<string>();
  #events: IncidentEvent[] = [];
  #planned: PlannedMessage[] = [];

  constructor(ports: BookPorts) {
    this.#ports = ports;
  }

  load(records: readonly IncidentRecord[]): void {
    for (const record of records) {
      this.#records.set(record.incident.id, record);
      this.#bySubject.set(keyOf(record.incident.subject), record.incident.id);
      this.#noteLeader(record);
    }
  }

  get(id: string): IncidentRecord | undefined {
    return this.#records.get(id);
  }

  /** The incident of this subject that is open, or ended last. */
  of(subject: Subject): IncidentRecord | undefined {
    return this.#records.get(this.#bySubject.get(keyOf(subject)) ?? '');
  }

  /** What is believed of a subject has changed. */
  follow({ view, ...change }: SubjectChange): void {
    const known = this.of(view.subject);
    const { state, at } = change;
    if (known && isOpen(known.incident)) return this.#step(known, followed(known.incident, change), { view, at });
    if (state === 'up' || state === 'unknown') return;
    // While it is unstable it is one incident, however long it is up in between.
    const reopenMs = view.flapping.unstableSince === undefined ? view.reopenMs : Infinity;
    if (known && isReopening(known.incident, change.since, reopenMs))
      return this.#step(known, reopened(known.incident, change), { view, at });
    const { subject, name, steps, account } = view;
    const incident = opened(incidentIdOf(subject.kind, subject.id, change.since), subject, { ...change, state });
    this.#bySubject.set(keyOf(subject), incident.id);
    const recipients = steps.map(newRecipient);
    const record = { incident, name, transition: 0, events: 0, members: [], recipients, account };
    this.#step(record, incident, { view, at });
  }

  /** Its state changes often, or no longer does. */
  mark(view: SubjectView, kind: 'unstable' | 'stable', at: number): void {
    const record = this.of(view.subject);
    if (!record) return;
    const draft = new RecordDraft(record).set({ transition: record.transition + 1 });
    this.#decide(draft.note({ kind, at, detail: {} }), { view, at });
  }

  /** A person or the configuration ends it. */
  close(view: SubjectView, reason: EndReason, at: number): void {
    const record = this.of(view.subject);
    if (!record || !isOpen(record.incident)) return;
    const change = { incident: closed(record.incident, reason, at), transition: record.transition + 1 };
    this.#decide(new RecordDraft(record).set(change).note({ kind: 'ended', at, detail: { reason } }), { view, at });
  }

  /** False if there is no such open incident. */
  acknowledge(id: string, ack: IncidentAck): boolean {
    const record = this.#records.get(id);
    if (!record || !isOpen(record.incident)) return false;
    const { by, note, at, until } = ack;
    const draft = new RecordDraft(record).set({ ack }).note({ kind: 'acknowledged', at, detail: { by, note, until } });
    this.#decide(draft, { view: this.#ports.view(record.incident.subject), at });
    return true;
  }

  /** Adds a line to the timeline of an incident. */
  note(id: string, line: Pick<IncidentEvent, 'kind' | 'at' | 'detail'>): void {
    const record = this.#records.get(id);
    if (record) this.#put(new RecordDraft(record).note(line));
  }

  /** Decides again on what is held, and on what became due. */
  settle(now: number): void {
    for (const record of Array.from(this.#records.values())) {
      if (!isUnsettled(record)) continue;
      const draft = new RecordDraft(record);
      if (record.ack && record.ack.until <= now) draft.endAck('expired', now);
      this.#decide(draft, { view: this.#ports.view(record.incident.subject), at: now });
    }
  }

  /** Forgets incidents that ended before and of which nobody waits for news. */
  forget(endedBefore: number): void {
    for (const [id, record] of this.#records) {
      const { endedAt, subject } = record.incident;
      if (endedAt === undefined || endedAt >= endedBefore || isUnsettled(record)) continue;
      this.#records.delete(id);
      if (this.#bySubject.get(keyOf(subject)) === id) this.#bySubject.delete(keyOf(subject));
    }
  }

  /** What has changed since it was last asked. */
  drain() {
    const records = [...this.#changed].flatMap((id) => this.#records.get(id) ?? []);
    const drained = { records, events: this.#events, planned: this.#planned };
    this.#changed.clear();
    this.#events = [];
    this.#planned = [];
    return drained;
  }

  /** To a new standing of the incident, which everybody concerned is to hear of. */
  #step(before: IncidentRecord, incident: Incident, step: Step & { readonly view: SubjectView }): void {
    const { state, verdict, reopened } = incident;
    const { view, at } = step;
    const isNew = before.transition === 0;
    const kind = isNew ? 'opened' : state === 'up' ? 'ended' : 'state';
    const account = state === 'up' || state === 'unknown' ? before.account : view.account;
    const draft = new RecordDraft(before).set({ incident, account, transition: before.transition + 1 });
    const isGraver = (state === 'down' && before.incident.worst !== 'down') || verdict !== before.incident.verdict;
    if (isGraver && before.ack) draft.endAck('graver', at);
    draft.note({ kind, at, detail: { state, verdict, summary: account.summary, reopened } });
    this.#decide(draft, step);
  }

  #decide(draft: RecordDraft, { view, at }: Step): void {
    const before = this.#records.get(draft.record.incident.id);
    if (view) {
      this.#join(draft, at);
      for (const { notifier, step } of draft.record.recipients)
        this.#decideFor(draft, recipientKey({ notifier, step }), { view, at });
    }
    if (draft.record !== before) this.#put(draft);
  }

  #decideFor(draft: RecordDraft, key: string, { view, at }: { readonly view: SubjectView; readonly at: number }): void {
    const { record } = draft;
    const recipient = record.recipients.find((one) => recipientKey(one) === key);
    if (!recipient) return;
    const { held, decided } = recipient;
    if (decided >= record.transition && !held && !isGrowthDue(record, recipient, at)) return;
    const sentAt = this.#ports.sentAt(view.subject, key);
    const group = groupOf(record, (id) => this.#records.get(id));
    const decision = decideMessage(record, recipient, { view, now: at, sentAt, group });
    draft.fold(recipient, at);
    if (decision.outcome !== 'sent') return draft.keep(recipient, decision, at);
    const { unstableSince } = view.flapping;
    const sent = draft.send(recipient, { kind: decision.kind, at, unstableSince });
    const { notifier, repeatMs } = recipient;
    const message = incidentMessage(draft.record, sent, at);
    this.#planned.push({ ...sent, notifier, dueAt: at, message, ...(repeatMs !== undefined && { repeatMs }) });
    this.#ports.noteSent(view.subject, key, at);
  }

  /** Joins the incident with an open one of the same cause that is told already; once that has ended, with another or none. */
  #join(draft: RecordDraft, at: number): void {
    const { record } = draft;
    const current = record.leader === undefined ? undefined : this.#records.get(record.leader);
    if (current && isOpen(current.incident)) return;
    const leader = isOpen(record.incident) ? leaderFor(record, this.#leadersOf(record)) : undefined;
    if (leader) {
      const { incident, name } = record;
      const joined = new RecordDraft(leader).set({ members: [...leader.members, incident.id] });
      this.#put(joined.note({ kind: 'joined', at, detail: { incident: incident.id, name } }));
    }
    if (leader?.incident.id !== record.leader) draft.set({ leader: leader?.incident.id });
  }

  #leadersOf({ account }: IncidentRecord): readonly IncidentRecord[] {
    const ids = account.causes.flatMap((cause) => Array.from(this.#leaders.get(cause) ?? []));
    return ids.flatMap((id) => this.#records.get(id) ?? []).filter(isLeader);
  }

  #noteLeader(record: IncidentRecord): void {
    const isOne = isLeader(record);
    for (const cause of record.account.causes) {
      const leaders = this.#leaders.getOrInsertComputed(cause, () => new Set());
      if (isOne) leaders.add(record.incident.id);
      else leaders.delete(record.incident.id);
      if (leaders.size === 0) this.#leaders.delete(cause);
    }
  }

  #put({ record, events }: RecordDraft): void {
    const { id } = record.incident;
    this.#records.set(id, record);
    this.#noteLeader(record);
    this.#changed.add(id);
    this.#events.push(...events);
  }
}

/** Somebody may still have to be told of it. */
function isUnsettled({ incident, recipients, transition }: IncidentRecord): boolean {
  if (isOpen(incident)) return true;
  return recipients.some(
    ({ held, decided, toldUnstable }) => held ?? (decided < transition || toldUnstable !== undefined),
  );
}

function isOpen({ endedAt }: Incident): boolean {
  return endedAt === undefined;
}

function newRecipient(step: NotifyStep): AlertRecipient {
  return { ...step, decided: 0 };
}

function keyOf({ kind, id }: Subject): string {
  return `${kind} ${id}`;
}
