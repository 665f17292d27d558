import type { MessageKind } from '../message.ts';
import type { JsonObject } from '../outcome.ts';
import type { IncidentEvent } from './incident-record.ts';
import type { MonitorRun } from './monitor-record.ts';
import type { Policies } from './policies.ts';
import { StateBook } from './state-book.ts';

/** A message that would have gone out, or would have been held back or left out, and why. */
export interface RehearsedMessage {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly notifier: string;
  /** The name of what it is about. */
  readonly subject: string;
  readonly outcome: 'sent' | 'held' | 'not-sent';
  /** Of a message that would have been sent. */
  readonly kind?: MessageKind;
  readonly headline?: string;
  /** Of one that would not: why, and which parent, window or incident. */
  readonly reason?: string;
  readonly by?: string;
}

interface RehearsalStart {
  readonly policies: Policies;
  readonly agents: readonly { readonly id: string; readonly name: string }[];
  /** Epoch milliseconds. */
  readonly from: number;
}

/** Time alone is looked at this often where no run came. */
const stepMs = 5000;

/** What policies would have told of runs that were. Nothing is kept, and nobody is told. */
export class Rehearsal {
  readonly #book = new StateBook();
  readonly #names = new Map<string, string>();
  readonly #messages: RehearsedMessage[] = [];
  #now: number;

  constructor({ policies, agents, from }: RehearsalStart) {
    this.#now = from;
    for (const agent of agents) this.#book.noteAgent({ ...agent, status: 'well', message: '', at: from });
    this.#book.setPolicies(policies, from);
  }

  get messages(): readonly RehearsedMessage[] {
    return this.#messages;
  }

  /** The next run, by the time at which it was received. */
  take(run: MonitorRun): void {
    this.passTo(run.receivedAt);
    if (this.#book.isQuiet(run)) return;
    this.#book.takeRun(run);
    this.#drain();
  }

  /** Lets time pass without a run. */
  passTo(time: number): void {
    while (this.#now < time) {
      this.#now = Math.min(time, this.#now + stepMs);
      this.#book.advance(this.#now);
    }
    this.#drain();
  }

  #drain(): void {
    const { incidents, events, planned } = this.#book.drain();
    for (const { incident, name } of incidents) this.#names.set(incident.id, name);
    for (const { notifier, dueAt: at, message } of planned) {
      const { kind, headline, subject } = message;
      this.#messages.push({ at, notifier, subject, outcome: 'sent', kind, headline });
    }
    for (const event of events) this.#note(event);
  }

  #note({ incident, at, kind, detail }: IncidentEvent): void {
    if (kind !== 'held' && kind !== 'not-sent') return;
    const text = (key: string): string => textIn(detail, key);
    const by = text('by');
    this.#messages.push({
      at,
      notifier: text('notifier'),
      subject: this.#names.get(incident) ?? incident,
      outcome: kind,
      reason: text('reason'),
      ...(by !== '' && { by }),
    });
  }
}

function textIn(detail: JsonObject, key: string): string {
  const value = detail[key];
  return typeof value === 'string' ? value : '';
}
