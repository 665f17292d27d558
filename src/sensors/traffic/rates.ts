/** How often the counter is read. */
export const stepMs = 2000;
/** Of the three rates, in seconds. */
const windows = { rate2: 2, rate10: 10, rate40: 40 } as const;
/** As many as the longest window has, and some that came early. */
const maxSteps = 24;

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

  /** The last steps that take so long, to the nearest half step, or all there were; and how long they really took. */
  within(windowSeconds: number): { readonly count: number; readonly seconds: number } {
    const end = this.#times.length - 1;
    const secondsOf = (count: number): number => ((this.#times[end] ?? 0) - (this.#times[end - count] ?? 0)) / 1000;
    let count = Math.min(1, end);
    while (count < end && secondsOf(count) <= windowSeconds - stepMs / 2000) count++;
    return { count, seconds: secondsOf(count) };
  }
}

/** What passed in the last steps. Those without traffic take no room. */
export class RecentTraffic {
  /** Step, bytes sent, bytes received, and so on: plain numbers, as there may be 16,384 peers. */
  readonly #passed: number[] = [];

  add(step: number, [sent, received]: Readonly<BothWays>): void {
    this.#passed.push(step, sent, received);
    if (this.#passed.length > 3 * maxSteps) this.#passed.splice(0, 3);
  }

  /** Bytes a second, each way; while there was less time than a window has, over the time there was. */
  rates(steps: Steps): Rates {
    const over = (windowSeconds: number): BothWays => this.#over(windowSeconds, steps);
    return { rate2: over(windows.rate2), rate10: over(windows.rate10), rate40: over(windows.rate40) };
  }

  #over(windowSeconds: number, steps: Steps): BothWays {
    const { count, seconds } = steps.within(windowSeconds);
    const sum: BothWays = [0, 0];
    for (let at = this.#passed.length - 3; at >= 0; at -= 3) {
      const [step = 0, sent = 0, received = 0] = this.#passed.slice(at, at + 3);
      if (step <= steps.last - count) break;
      sum[0] += sent;
      sum[1] += received;
    }
    return seconds > 0 ? [Math.round(sum[0] / seconds), Math.round(sum[1] / seconds)] : [0, 0];
  }
}
