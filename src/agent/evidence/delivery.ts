import { sleep, type Clock } from '../../core/clock.ts';
import { AppError } from '../../core/errors.ts';
import type { Spool } from '../spool/spool.ts';

export interface NumberedLine {
  readonly n: number;
  readonly line: string;
}

export interface DeliveryParts {
  readonly clock: Clock;
  readonly spool: Pick<Spool, 'append'>;
  readonly chain: string;
  /** Lines up to this one were handed over by an earlier run. */
  readonly delivered: number;
  /** Ends all retries when it aborts. */
  readonly signal: AbortSignal;
  readonly onFault: (text: string) => void;
}

const linesAtOnce = 500;
const retryAfterMs = 1000;

/** Hands durable lines to the spool in order, retrying until it takes them. A line may arrive twice; none is left out. */
export class Delivery {
  readonly #parts: DeliveryParts;
  readonly #waiting: NumberedLine[] = [];
  #delivered: number;
  #running: Promise<void> | undefined;

  constructor(parts: DeliveryParts) {
    this.#parts = parts;
    this.#delivered = parts.delivered;
  }

  /** Lines up to this one are in the spool. */
  get delivered(): number {
    return this.#delivered;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  add(lines: readonly NumberedLine[]): void {
    this.#waiting.push(...lines);
    if (this.#waiting.length > 0) this.#running ??= this.#run();
  }

  /** Resolves when everything has been handed over, or retries have ended. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, signal } = this.#parts;
    while (this.#waiting.length > 0) {
      const some = this.#waiting.slice(0, linesAtOnce);
      if (await this.#handOver(some)) {
        this.#waiting.splice(0, some.length);
        this.#delivered = some.at(-1)?.n ?? this.#delivered;
      } else if (signal.aborted) break;
      // An abort ends the pause early; one last attempt follows.
      else await sleep(clock, retryAfterMs, signal).catch(() => {});
    }
    this.#running = undefined;
  }

  async #handOver(lines: readonly NumberedLine[]): Promise<boolean> {
    const { spool, chain } = this.#parts;
    const appends = lines.map(({ line }) => spool.append({ kind: 'record', chain, line }, { droppable: false }));
    const outcomes = await Promise.allSettled(appends);
    const refusals = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
    for (const refusal of refusals) this.#parts.onFault(refusal instanceof Error ? refusal.message : String(refusal));
    // A line that the spool will never accept must not block the following ones; it remains in the evidence file.
    return refusals.every((refusal) => refusal instanceof AppError && refusal.code === 'usage');
  }
}
