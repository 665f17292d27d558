import type { z } from 'zod';
import type { OptionsSchema } from '../core/check.ts';
import type { Clock } from '../core/clock.ts';
import type { Message, MessageReceipt } from '../core/message.ts';
import type { Network } from '../core/network.ts';
import type { Rate } from '../core/rate.ts';
import type { MessageContent } from './content.ts';

/**
 * What a provider did with a message. `retry`: it may take it later. `refused`: it never takes this text. `broken`: it takes
 * nothing from us until somebody changes the settings here or there. `text` is for people.
 */
export type SendResult =
  | { readonly outcome: 'delivered'; readonly receipt?: MessageReceipt; readonly text?: string }
  | { readonly outcome: 'retry'; readonly text: string; readonly afterMs?: number }
  | { readonly outcome: 'refused'; readonly text: string }
  | { readonly outcome: 'broken'; readonly text: string };

/** One message for one channel. */
export interface Sending<Options> {
  readonly message: Message;
  /** The message as lines of text, safe to show, not escaped for any channel. */
  readonly content: MessageContent;
  readonly options: Options;
  /** What the provider called the first message of the same incident. */
  readonly previous?: MessageReceipt | undefined;
  /** Aborts with a `TimeoutError` when the provider has taken too long. */
  readonly signal: AbortSignal;
}

export interface SendPorts {
  readonly net: Network;
  readonly clock: Clock;
}

/** A way to tell people. `options` is the single source for configuration and docs; its secrets are marked. */
export interface NotifierType<Schema extends OptionsSchema = OptionsSchema> {
  /** The name of its folder, and of what its module exports. */
  readonly kind: string;
  /** What people call it: `Microsoft Teams`. */
  readonly title: string;
  /** One sentence: where messages arrive. */
  readonly summary: string;
  /** Sentences for people who set it up. */
  readonly notes: readonly string[];
  readonly options: Schema;
  /** It keeps a state for each incident, so that each message must reach it: none goes into a digest. */
  readonly tracksIncidents?: boolean;
  /** Stays below the provider's own limit. */
  readonly rate: Rate;
  /** A provider's failure is a result, or a thrown `Failure`; anything else thrown is a bug. */
  send(sending: Sending<z.output<Schema>>, ports: SendPorts): Promise<SendResult>;
}

/** Keeps the type of the options inside, and hides it outside. */
export function defineNotifier<Schema extends OptionsSchema>(type: NotifierType<Schema>): NotifierType<Schema> {
  return type;
}
