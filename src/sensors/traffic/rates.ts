export const stepMs = 2000;
/** Of the three rates, in steps. */
const windows = { rate2: 1, rate10: 5, rate40: 20 } as const;
const maxSteps = 20;

export type BothWays = [sent: number, received: number];
export type Rates = Readonly<Record<keyof typeof windows, BothWays>>;

/** When the counter was read, which all peers share. */
export class Steps {
  /** Milliseconds of the last steps, oldest first, and of the one before them. */
  readonly #times: number[];
  #last = 0;

  constructor(startMs: number) {
    this.#times = [startMs];
  }

  /** The number of the last step; 0 before the first. */
  get last(): number {
    return this.#last;
  }

  add(nowMs: number): void {
    this.#last++;
    this.#times.push(nowMs);
    if (this.#times.length > maxSteps + 1) this.#times.shift();
  }

  /** What the last steps took, by the clock; less than so many if there were not as many yet. */
  seconds(count: number): number {
    const { length } = this.#times;
    const from = this.#times[Math.max(0, length - 1 - count)] ?? 0;
    return ((this.#times[length - 1] ?? 0) - from) / 1000;
  }
}

interface Passed {
  readonly step: number;
  readonly bytes: Readonly<BothWays>;
}

/** What passed in the last steps. Those without traffic take no room. */
export class RecentTraffic {
  #passed: Passed[] = [];

  add(step: number, bytes: Readonly<BothWays>): void {
    this.#passed.push({ step, bytes });
    if (this.#passed.length > maxSteps) this.#passed.shift();
  }

  /** Bytes a second, each way; while there were fewer steps than a window has, over those there were. */
  rates(steps: Steps): Rates {
    const over = (count: number): BothWays => this.#over(count, steps);
    return { rate2: over(windows.rate2), rate10: over(windows.rate10), rate40: over(windows.rate40) };
  }

  #over(count: number, steps: Steps): BothWays {
    const sum: BothWays = [0, 0];
    for (const { step, bytes } of this.#passed) {
      if (step <= steps.last - count) continue;
      sum[0] += bytes[0];
      sum[1] += bytes[1];
    }
    const seconds = steps.seconds(count);
    return seconds > 0 ? [Math.round(sum[0] / seconds), Math.round(sum[1] / seconds)] : [0, 0];
  }
}
