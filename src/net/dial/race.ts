import type { Cancel, Clock } from '../../core/clock.ts';
import { Failure, isDeadline } from '../../core/failure.ts';
import type { Address } from '../../core/network.ts';
import { triedText, type Tried } from '../../core/tried.ts';

/** How long an address may be silent before the next one is tried beside it (RFC 8305 section 8). */
const attemptDelayMs = 250;

interface RaceOptions<T> {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** For the message when no address answers: `Connecting to web.example:80`. */
  readonly doing: string;
  /** Rejects soon after its signal aborts. */
  readonly attempt: (address: Address, signal: AbortSignal) => Promise<T>;
  /** Gets the value of an attempt that succeeds after another one has won. */
  readonly discard: (value: T) => void;
}

interface Won<T> {
  readonly value: T;
  readonly address: Address;
  /** Absent if the first address answered alone. */
  readonly tried?: readonly Tried[];
}

interface Attempt {
  readonly address: Address;
  readonly startedMs: number;
  endedMs?: number;
  failure?: Failure;
}

/**
 * Tries addresses in turn until one answers: the next one at once when an attempt fails, and beside the attempts under
 * way when they have been silent for 250 ms. @throws {Failure} with `tried` in its detail; or the signal's reason
 */
export async function firstToAnswer<T>(addresses: readonly Address[], options: RaceOptions<T>): Promise<Won<T>> {
  options.signal.throwIfAborted();
  const [only] = addresses;
  if (only && addresses.length === 1) return { value: await options.attempt(only, options.signal), address: only };
  return await new Race(addresses, options).run();
}

class Race<T> {
  readonly #addresses: readonly Address[];
  readonly #options: RaceOptions<T>;
  readonly #attempts: Attempt[] = [];
  readonly #over = new AbortController();
  readonly #signal: AbortSignal;
  readonly #result = Promise.withResolvers<Won<T>>();
  #cancelDelay: Cancel = () => {};

  constructor(addresses: readonly Address[], options: RaceOptions<T>) {
    this.#addresses = addresses;
    this.#options = options;
    this.#signal = AbortSignal.any([options.signal, this.#over.signal]);
  }

  async run(): Promise<Won<T>> {
    this.#startNext();
    try {
      return await this.#result.promise;
    } finally {
      this.#cancelDelay();
      this.#over.abort();
    }
  }

  #startNext(): void {
    this.#cancelDelay();
    const address = this.#addresses[this.#attempts.length];
    if (!address || this.#signal.aborted) return;
    const { clock, attempt: start, discard } = this.#options;
    const attempt: Attempt = { address, startedMs: clock.monotonic() };
    this.#attempts.push(attempt);
    this.#cancelDelay = clock.after(attemptDelayMs, () => this.#startNext());
    start(address, this.#signal).then(
      (value) => (this.#over.signal.aborted ? discard(value) : this.#win(attempt, value)),
      (error: unknown) => this.#lose(attempt, error),
    );
  }

  #win(attempt: Attempt, value: T): void {
    attempt.endedMs = this.#options.clock.monotonic();
    const { address } = attempt;
    const isAlone = this.#attempts.length === 1;
    this.#result.resolve({ value, address, ...(!isAlone && { tried: this.#tried(attempt) }) });
    // At once, so that another attempt that ends in this turn of the loop is discarded.
    this.#over.abort();
  }

  #lose(attempt: Attempt, error: unknown): void {
    if (this.#over.signal.aborted) return;
    attempt.endedMs = this.#options.clock.monotonic();
    if (!(error instanceof Failure)) return this.#result.reject(error);
    attempt.failure = error;
    if (this.#attempts.length < this.#addresses.length && !this.#signal.aborted) return this.#startNext();
    if (this.#attempts.every(({ failure }) => failure)) this.#result.reject(this.#noAnswer());
  }

  #tried(winner?: Attempt): readonly Tried[] {
    const nowMs = this.#options.clock.monotonic();
    return this.#attempts.map((attempt) => {
      const ms = (attempt.endedMs ?? nowMs) - attempt.startedMs;
      const pending = ms >= attemptDelayMs ? 'timeout' : 'cancelled';
      return {
        address: attempt.address.ip,
        reason: attempt === winner ? null : (attempt.failure?.reason ?? pending),
        ms,
      };
    });
  }

  /** One failure for all: of the attempt that says most about the target. */
  #noAnswer(): Failure {
    const { doing, signal } = this.#options;
    const failures = this.#attempts.flatMap(({ failure }) => failure ?? []);
    const [first, ...others] = failures.toSorted((one, other) => meaningOf(other) - meaningOf(one));
    // It is called when every attempt, and so at least one, has failed.
    const telling = first!;
    if (others.length === 0) return telling;
    const tried = this.#tried();
    return telling.with({
      message: `${doing}: ${triedText(tried)}.`,
      detail: { tried },
      ...(isDeadline(signal.reason) && { cause: signal.reason }),
    });
  }
}

/** How much an attempt says of the target: most if it answered, then if a router did, least if nothing left this machine. */
function meaningOf({ reason, source }: Failure): number {
  if (source === 'agent') return 0;
  if (reason === 'timeout') return 1;
  return reason === 'unreachable' ? 2 : 3;
}
