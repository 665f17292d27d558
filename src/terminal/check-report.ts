import type { Progress } from '../core/check.ts';
import type { Metric } from '../core/metrics.ts';
import type { Result } from '../core/monitor.ts';
import { formatOutcome } from './outcome-view.ts';
import { paintFor, type Paint } from './paint.ts';
import { formatResultJson } from './result-json.ts';
import { formatResultLine } from './result-line.ts';
import { RunSummary } from './run-summary.ts';
import { StatusChanges } from './status-changes.ts';
import { printable } from '../core/printable.ts';
import { columnsFor } from './width.ts';

interface ReportOptions {
  readonly json: boolean;
  /** How many results are expected: one is shown whole, several as a line each. */
  readonly count: number;
  readonly metrics: readonly Metric[];
  readonly isVerbose: boolean;
}

/** Steps that are remembered as told; a run without end has any number of them. */
const maxTold = 1000;
const timeAfterMs = 1000;
const timeEveryMs = 100;
const clearLine = '\r\u001B[K';

/** Prints for `check`: steps and results to stdout, the passing time to stderr. */
export class CheckReport {
  readonly #options: ReportOptions;
  readonly #paint: Paint = paintFor(process.stdout);
  readonly #summary = new RunSummary();
  readonly #changes = new StatusChanges();
  readonly #told = new Set<string>();
  #isTimeShown = false;

  constructor(options: ReportOptions) {
    this.#options = options;
  }

  progress({ text, detail }: Progress): void {
    if (this.#options.json) return;
    this.#told.add(JSON.stringify(detail));
    if (this.#told.size > maxTold) for (const oldest of this.#told.values().take(1)) this.#told.delete(oldest);
    this.#print(printable(text));
  }

  show(result: Result): void {
    this.#summary.add(result);
    this.#print(this.#format(result));
  }

  /** After several runs: how many, how they went, how fast. */
  summarise(): void {
    if (this.#options.json || this.#options.count === 1) return;
    for (const line of this.#summary.format(this.#paint)) this.#print(line);
  }

  /** Shows on a terminal how long a slow run has taken, until disposed. */
  watch(): Disposable {
    if (!process.stderr.isTTY || this.#options.json) return { [Symbol.dispose]: () => {} };
    const startedMs = performance.now();
    const timer = setInterval(() => {
      const elapsedMs = performance.now() - startedMs;
      if (elapsedMs < timeAfterMs) return;
      this.#clearTime();
      process.stderr.write(`… ${(elapsedMs / 1000).toFixed(1)} s`);
      this.#isTimeShown = true;
    }, timeEveryMs);
    return {
      [Symbol.dispose]: () => {
        clearInterval(timer);
        this.#clearTime();
      },
    };
  }

  #format(result: Result): string {
    const { json, count, metrics, isVerbose } = this.#options;
    if (json) return formatResultJson(result);
    if (count > 1) return formatResultLine(result, { paint: this.#paint, before: this.#changes.before(result) });
    return formatOutcome(result, {
      paint: this.#paint,
      metrics,
      columns: columnsFor(process.stdout),
      isVerbose,
      told: this.#told,
    });
  }

  #clearTime(): void {
    if (this.#isTimeShown) process.stderr.write(clearLine);
    this.#isTimeShown = false;
  }

  #print(line: string): void {
    this.#clearTime();
    process.stdout.write(`${line}\n`);
  }
}
