import type { Cancel, Clock } from '../core/clock.ts';
import type { Heartbeat } from '../protocol/messages.ts';

type Health = Heartbeat['health'];
type Impairment = Health['impaired'][number];
export type Part = Impairment['part'];

/** Checks one part of this machine. Resolves with a sentence if it fails, undefined if it works; never rejects. */
export type SelfCheck = (signal: AbortSignal) => Promise<string | undefined>;

/** How late the timers of this process ran; perf_hooks measures it. */
export interface LoopDelay {
  enable(): void;
  disable(): void;
  /** Begins a new measurement. */
  reset(): void;
  /** The worst of this measurement, one tick of the histogram included. */
  readonly maxMs: number;
}

interface SelfTestParts {
  readonly clock: Clock;
  readonly delay: LoopDelay;
  readonly checks: Readonly<Partial<Record<Part, SelfCheck>>>;
}

const intervalMs = 15_000;
const limitMs = 4000;
/** A tick of the histogram is no delay. */
export const delayResolutionMs = 20;
/** Above this delay the agent's measured times say little about its targets. */
const lagLimitMs = 1000;
/** One failure may be the fault of the other end; two in a row count as ours. */
const failuresUntilImpaired = 2;

/** The agent tests itself, so that the server knows whether to trust its results. */
export class SelfTest {
  readonly #parts: SelfTestParts;
  readonly #failures = new Map<Part, { count: number; message: string }>();
  /** A part that never worked here (an isolated network has no gateway or resolver) is not an impairment. */
  readonly #wasWell = new Set<Part>();
  readonly #stopping = new AbortController();
  #cancel: Cancel = () => {};
  #lagBeforeMs = 0;

  constructor(parts: SelfTestParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#parts.delay.enable();
    void this.#round();
  }

  stop(): void {
    this.#parts.delay.disable();
    this.#stopping.abort();
    this.#cancel();
  }

  /** What is wrong now, and the worst lag of the last rounds. */
  health(): Health {
    const lagMs = Math.max(this.#lagBeforeMs, this.#lagMs());
    const impaired: Impairment[] = [];
    for (const [part, { count, message }] of this.#failures) {
      if (count >= failuresUntilImpaired && this.#wasWell.has(part)) impaired.push({ part, message });
    }
    if (lagMs > lagLimitMs) impaired.push({ part: 'lag', message: `this agent could not run for ${lagMs} ms` });
    return { lagMs, impaired };
  }

  /** The worst delay of this process's own timers in this round. */
  #lagMs(): number {
    return Math.max(0, Math.round(this.#parts.delay.maxMs - delayResolutionMs));
  }

  async #round(): Promise<void> {
    this.#lagBeforeMs = this.#lagMs();
    this.#parts.delay.reset();
    const stopping = this.#stopping.signal;
    const overdue = new AbortController();
    const cancelLimit = this.#parts.clock.after(limitMs, () =>
      overdue.abort(new DOMException('No answer.', 'TimeoutError')),
    );
    const signal = AbortSignal.any([stopping, overdue.signal]);
    await Promise.all(
      Object.entries(this.#parts.checks).map(async ([name, check]) => {
        // The record's keys are parts.
        const part = name as Part;
        const message = await check(signal);
        this.#note(part, message);
      }),
    );
    cancelLimit();
    if (!stopping.aborted) this.#cancel = this.#parts.clock.after(intervalMs, () => void this.#round());
  }

  #note(part: Part, message: string | undefined): void {
    if (message !== undefined) {
      this.#failures.set(part, { count: (this.#failures.get(part)?.count ?? 0) + 1, message });
      return;
    }
    this.#failures.delete(part);
    this.#wasWell.add(part);
  }
}
