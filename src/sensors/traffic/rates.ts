/** How often the counter is read. */
export const stepMs = 2000;
/** Windows of the three rates. */
const windowSeconds = { rate2: 2, rate10: 10, rate40: 40 } as const;
/** Enough for the longest window, with room for early steps. */
const maxSteps = 24;

export type BothWays = [sent: number, received: number];
export type Rates = Readonly<Record<keyof typeof windowSeconds, BothWays>>;

/** The last steps that fill a window, and how long they really took. */
interface Window {
  readonly steps: number;
  readonly seconds: number;
}

/** When the counter was read, which all peers share. */
export class Steps {
  /** Milliseconds of the last steps, oldest first, and of the one before them. */
  readonly #times: number[];
  #last = 0;
  #windows: Readonly<Record<keyof Rates, Window>>;

  constructor(startMs: number) {
    this.#times = [startMs];
    this.#windows = this.#measure();
  }

  /** The number of the last step; 0 before the first. */
  get last(): number {
    return this.#last;
  }

  get windows(): Readonly<Record<keyof Rates, Window>> {
    return this.#windows;
  }

  add(nowMs: number): void {
    this.#last++;
    this.#times.push(nowMs);
    if (this.#times.length > maxSteps + 1) this.#times.shift();
    this.#windows = this.#measure();
  }

  #measure(): Readonly<Record<keyof Rates, Window>> {
    const { rate2, rate10, rate40 } = windowSeconds;
    return { rate2: this.#within(rate2), rate10: this.#within(rate10), rate40: this.#within(rate40) };
  }

  /** The steps that fill this time, to the nearest half step, or all there are. */
  #within(seconds: number): Window {
    const end = this.#times.length - 1;
    const secondsOf = (steps: number): number => ((this.#times[end] ?? 0) - (this.#times[end - steps] ?? 0)) / 1000;
    let steps = Math.min(1, end);
    while (steps < end && secondsOf(steps) <= seconds - stepMs / 2000) steps++;
    return { steps, seconds: secondsOf(steps) };
  }
}

/** Traffic of the last steps; steps without traffic take no memory. */
export class RecentTraffic {
  /** Step, bytes sent, bytes received, repeated: a flat list, because there may be 16,384 peers. */
  readonly #passed: number[] = [];

  add(step: number, [sent, received]: Readonly<BothWays>): void {
    this.#passed.push(step, sent, received);
    if (this.#passed.length > 3 * maxSteps) this.#passed.splice(0, 3);
  }

  /** Bytes a second in each direction; until a window is full, over the time so far. */
  rates({ last, windows }: Steps): Rates {
    const over = ({ steps, seconds }: Window): BothWays => {
      const [sent, received] = this.#since(last - steps);
      return seconds > 0 ? [Math.round(sent / seconds), Math.round(received / seconds)] : [0, 0];
    };
    return { rate2: over(windows.rate2), rate10: over(windows.rate10), rate40: over(windows.rate40) };
  }

  /** The bytes of the steps after this one. */
  #since(step: number): BothWays {
    const sum: BothWays = [0, 0];
    for (let at = this.#passed.length - 3; at >= 0 && (this.#passed[at] ?? 0) > step; at -= 3) {
      sum[0] += this.#passed[at + 1] ?? 0;
      sum[1] += this.#passed[at + 2] ?? 0;
    }
    return sum;
  }
}
