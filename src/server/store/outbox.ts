import type { Message, MessageKey, MessageReceipt, MessageSeverity } from '../../core/message.ts';

/** A message for one notifier. Its key and the notifier name one row: the same is never added twice. */
export interface NewOutboxRow extends MessageKey {
  readonly notifier: string;
  /** Epoch milliseconds. */
  readonly dueAt: number;
  readonly message: Message;
  /** Time to the next reminder, which is added when this one is delivered and its incident still needs somebody. */
  readonly repeatMs?: number;
}

export interface OutboxRow extends NewOutboxRow {
  readonly id: number;
  readonly addedAt: number;
  readonly attempts: number;
  /** When it was first handed to the provider. */
  readonly triedAt?: number;
  /** Why it waits for the next digest: `quiet hours until 07:00`. */
  readonly held?: string;
}

/**
 * `delivered`: the provider took it. `digested`: a digest told it. `passed`: its incident was over before anybody was told, and a
 * digest or nothing said so. `superseded`: a later message of its incident took its place. `refused`: the provider does not take
 * this message, also not in its short form. `expired`: not delivered in 24 h. `unknown-notifier`: no notifier has this name.
 * `filtered`: below the severity that the notifier wants, or without one of its tags. `cancelled`: no longer wanted, as an
 * escalation after somebody took the incident.
 */
export const outboxOutcomes = [
  'delivered',
  'digested',
  'passed',
  'superseded',
  'refused',
  'expired',
  'unknown-notifier',
  'filtered',
  'cancelled',
] as const;
export type OutboxOutcome = (typeof outboxOutcomes)[number];

/** What became of a leased row. Its lease ends with it. */
export type OutboxChange =
  | {
      readonly id: number;
      readonly outcome: OutboxOutcome;
      readonly at: number;
      /** For people: the provider's answer, or why it was not sent. */
      readonly text?: string;
      /** Of a delivered message. */
      readonly receipt?: MessageReceipt;
    }
  | {
      readonly id: number;
      readonly dueAt: number;
      readonly attempts: number;
      readonly triedAt?: number;
      readonly held?: string;
      readonly text?: string;
    };

/** What an incident is now, for messages that were added when it was something else. */
export interface IncidentStanding {
  readonly isOpen: boolean;
  readonly isAcknowledged: boolean;
}

/** Messages on their way to people. A resolved call is on disk. */
export interface Outbox {
  /** Every notifier with unfinished rows, and when the first of them is due or its lease ends. */
  waiting(): Promise<readonly { readonly notifier: string; readonly dueAt: number }[]>;
  /** Leases rows of one notifier that are due and not leased, by due time, then id. */
  claim(wanted: {
    readonly notifier: string;
    readonly now: number;
    readonly leaseMs: number;
    readonly limit: number;
  }): Promise<readonly OutboxRow[]>;
  /** Keeps what became of leased rows and adds further ones, in one step. A change to a finished row does nothing. */
  settle(changes: readonly OutboxChange[], added?: readonly NewOutboxRow[]): Promise<void>;
  /** The receipt of the first message of the incident that the notifier has delivered. */
  receipt(incident: string, notifier: string): Promise<MessageReceipt | undefined>;
  /** The gravest severity that the notifier was told of the incident, by a message of its own or a digest; undefined if nothing. */
  told(incident: string, notifier: string): Promise<MessageSeverity | undefined>;
  /** Undefined if there is no such incident. */
  standing(incident: string): Promise<IncidentStanding | undefined>;
}
