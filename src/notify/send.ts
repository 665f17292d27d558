import type { Clock } from '../core/clock.ts';
import { Failure, isDeadline } from '../core/failure.ts';
import type { Message, MessageReceipt } from '../core/message.ts';
import { SecretMask, secretsIn } from '../core/secrets.ts';
import { messageContent } from './content.ts';
import { failureResult, retry } from './http.ts';
import type { NotifierType, SendPorts, SendResult } from './notifier.ts';

/** One configured notifier. */
export interface NotifierChannel {
  readonly type: NotifierType;
  /** As the schema of its type gives them. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Values that are shown nowhere, beside those that the schema marks. */
  readonly secrets: readonly string[];
  /** IANA name of the zone in which times are written. */
  readonly zone: string;
}

export interface Posting {
  readonly message: Message;
  readonly previous?: MessageReceipt | undefined;
  /** Aborts when the server stops. */
  readonly signal: AbortSignal;
}

/** Providers answer within seconds; Standard Webhooks advises 15 to 30 s. */
const timeoutMs = 20_000;

/** Sends a message through a channel; one that is refused once more in its short form. Secrets are masked in what comes back. */
export async function sendMessage(channel: NotifierChannel, posting: Posting, ports: SendPorts): Promise<SendResult> {
  const first = await attempt(channel, { ...posting, isShort: false }, ports);
  if (first.outcome !== 'refused') return first;
  return await attempt(channel, { ...posting, isShort: true }, ports);
}

async function attempt(
  { type, options, secrets, zone }: NotifierChannel,
  { message, previous, signal: stop, isShort }: Posting & { readonly isShort: boolean },
  ports: SendPorts,
): Promise<SendResult> {
  using deadline = new Deadline(ports.clock, stop);
  const { signal } = deadline;
  const content = messageContent(message, { zone, isShort });
  const mask = new SecretMask([...secretsIn(type.options, options), ...secrets]);
  const result = await settled(type.send({ message, content, options, previous, signal }, ports), signal);
  return result.text === undefined ? result : { ...result, text: mask.text(result.text) };
}

async function settled(sending: Promise<SendResult>, signal: AbortSignal): Promise<SendResult> {
  try {
    return await sending;
  } catch (error) {
    if (error instanceof Failure) return failureResult(error);
    if (signal.aborted && isDeadline(signal.reason)) return retry(signal.reason.message);
    throw error;
  }
}

/** Aborts its signal after the timeout, by the clock that it is given. */
class Deadline implements Disposable {
  readonly signal: AbortSignal;
  readonly #cancel: () => void;

  constructor(clock: Clock, stop: AbortSignal) {
    const controller = new AbortController();
    const message = `no answer within ${timeoutMs / 1000} s`;
    this.#cancel = clock.after(timeoutMs, () => controller.abort(new DOMException(message, 'TimeoutError')));
    this.signal = AbortSignal.any([controller.signal, stop]);
  }

  [Symbol.dispose](): void {
    this.#cancel();
  }
}
