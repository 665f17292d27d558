import type { JsonObject, Status } from './outcome.ts';

/** `closed`: the subject was paused or deleted. `unstable` and `stable`: it flaps, and it no longer does. */
export const messageKinds = [
  'problem',
  'update',
  'recovery',
  'reminder',
  'escalation',
  'unstable',
  'stable',
  'closed',
  'digest',
  'test',
] as const;
export type MessageKind = (typeof messageKinds)[number];

/** From the least to the gravest. */
export const messageSeverities = ['info', 'warning', 'critical'] as const;
export type MessageSeverity = (typeof messageSeverities)[number];

/** Who is wrong: what is watched, the network on the way, or the agents that watch it. */
export const verdicts = ['target', 'path', 'observer'] as const;
export type Verdict = (typeof verdicts)[number];

/** What people are told. All texts are plain: each notifier escapes them for its channel. Times are epoch milliseconds. */
export interface Message {
  /** The same over retries; see `messageIdOf`. */
  readonly id: string;
  /** The same for every message of an incident; see `threadOf`. */
  readonly thread: string;
  readonly kind: MessageKind;
  readonly state: Status;
  readonly severity: MessageSeverity;
  /** The name of the monitor, agent or notifier. */
  readonly subject: string;
  /** At most 60 characters where names allow: `DOWN api.example.net: TLS expired (from 3 of 3 places)`. */
  readonly headline: string;
  readonly since: number;
  readonly until?: number;
  readonly verdict?: Verdict;
  /** In the order in which they are shown. */
  readonly facts: readonly { readonly label: string; readonly text: string }[];
  readonly link?: string;
  /** Opens a page with a button to acknowledge the incident. */
  readonly ackLink?: string;
  readonly tags: readonly string[];
}

/** What a provider calls a message that it has taken: by it the message is edited, answered or resolved. */
export type MessageReceipt = JsonObject;

/** Names one message of an incident: the key of its row in the outbox, without the notifier. */
export interface MessageKey {
  readonly incident: string;
  /** Number of the transition in its incident. */
  readonly transition: number;
  readonly kind: MessageKind;
  /** Step of the escalation; 0 is the first message. */
  readonly step: number;
}

export function messageIdOf({ incident, transition, kind, step }: MessageKey): string {
  return `${threadOf(incident)}-${transition}-${kind}-${step}`;
}

export function threadOf(incident: string): string {
  return `wk-${incident}`;
}
