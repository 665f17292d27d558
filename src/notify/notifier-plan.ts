import type { MessageSeverity } from '../core/message.ts';
import type { NotifierChannel } from './send.ts';

/** A daily time, by the clock of a zone, in which only critical messages are sent. */
export interface QuietHours {
  /** Minutes since midnight. A span that ends before it begins lasts into the next day. */
  readonly from: number;
  readonly to: number;
  /** IANA name. */
  readonly zone: string;
  /** Days on which it begins, 1 (Monday) to 7; every day if undefined. */
  readonly days?: readonly number[] | undefined;
}

/** One notifier of a configuration, and when it may be used. */
export interface NotifierPlan {
  /** Unique. */
  readonly name: string;
  readonly channel: NotifierChannel;
  readonly quietHours?: QuietHours | undefined;
  /** Messages a minute; beyond them one digest tells the rest. */
  readonly perMinute: number;
  /** Name of the notifier that gets the messages when this one fails for two minutes. */
  readonly fallback?: string | undefined;
  readonly minimumSeverity: MessageSeverity;
  /** Only messages with one of these tags; all if empty. */
  readonly tags: readonly string[];
}
