import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Cancel, Clock } from '../core/clock.ts';
import type { Heartbeat } from '../protocol/messages.ts';

type Health = Heartbeat['health'];
type Impairment = Health['impaired'][number];
export type Part = Impairment['part'];

/** Looks at one part of this machine; a sentence if it is not well, undefined if it is. It never rejects. */
export type SelfCheck = (signal: AbortSignal) => Promise<string | undefined>;

interface SelfTestParts {
  readonly clock: Clock;
  readonly checks: Readonly<Partial<Record<Part, SelfCheck>>>;
}

const intervalMs = 15_000;
const limitMs = 4000;
/** More than this, and what this agent times says little about its targets. */
const lagLimitMs = 1000;
/** One failure may be the other end's; two in a row are ours. */
const failuresUntilImpaired = 2;

/** The agent's look at itself: whether its voice should count. */
export class SelfTest {
  readonly #parts: SelfTestParts;
  readonly #delay = monitorEventLoopDelay({ resolution: 20 });
  readonly #failures = new Map<Part, { count: number; message: string }>();
  #cancel: Cancel = () => {};
  #lagMs = 0;

  constructor(parts: SelfTestParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#delay.enable();
    void this.#round();
  }

  stop(): void {
    this.#delay.disable();
    this.#cancel();
  }

  /** For a heartbeat: what is wrong now, and the worst lag since this was asked last. */
  health(): Health {
    this.#lagMs = Math.max(0, Math.round(this.#delay.max / 1e6 - 20));
    this.#delay.reset();
    const impaired: Impairment[] = [];
    for (const [part, { count, message }] of this.#failures) {
      if (count >= failuresUntilImpaired) impaired.push({ part, message });
    }
    if (this.#lagMs > lagLimitMs)
      impaired.push({ part: 'lag', message: `this agent could not run for ${this.#lagMs} ms` });
    return { lagMs: this.#lagMs, impaired };
  }

  async #round(): Promise<void> {
    const signal = AbortSignal.timeout(limitMs);
    await Promise.all(
      Object.entries(this.#parts.checks).map(async ([name, check]) => {
        // The record's keys are parts.
        const part = name as Part;
        const message = await check(signal);
        if (message === undefined) this.#failures.delete(part);
        else this.#failures.set(part, { count: (this.#failures.get(part)?.count ?? 0) + 1, message });
      }),
    );
    this.#cancel = this.#parts.clock.after(intervalMs, () => void this.#round());
  }
}
