import type { CheckType } from '../core/check.ts';
import { sleep, systemClock as clock } from '../core/clock.ts';
import type { Milliseconds } from '../core/duration.ts';
import type { Monitor, Result } from '../core/monitor.ts';
import type { Status } from '../core/outcome.ts';
import { createNetwork } from '../net/network.ts';
import { runCheck } from '../schedule/runner.ts';
import { CheckReport } from '../terminal/check-report.ts';
import { exitCodeOf } from './exit-codes.ts';

export interface CheckRequest {
  readonly check: CheckType;
  readonly options: Readonly<Record<string, unknown>>;
  readonly count: number;
  /** From the start of one run to the start of the next. */
  readonly intervalMs: Milliseconds;
  readonly timeoutMs: Milliseconds;
}

/** Runs one check `count` times or until Ctrl-C, shows each result, and returns the exit code of the worst. */
export async function runChecks(request: CheckRequest, { json }: { readonly json: boolean }): Promise<number> {
  const report = new CheckReport({ json, count: request.count, metrics: request.check.metrics });
  const statuses: Status[] = [];
  for await (const result of results(request, report)) {
    report.show(result);
    statuses.push(result.status);
  }
  report.summarise();
  return exitCodeOf[worst(statuses)];
}

async function* results(request: CheckRequest, report: CheckReport): AsyncGenerator<Result> {
  const interrupted = new AbortController();
  // Only the first Ctrl-C is a request; the second ends the process as usual.
  process.once('SIGINT', () => interrupted.abort(new DOMException('Interrupted.', 'AbortError')));
  const { signal } = interrupted;
  const net = createNetwork({ clock });
  const monitor = monitorOf(request);
  const startedMs = clock.monotonic();
  for (let round = 0; round < request.count && !signal.aborted; round++) {
    const dueMs = startedMs + round * request.intervalMs - clock.monotonic();
    if (dueMs > 0) await sleep(clock, dueMs, signal).catch(() => {});
    if (round > 0 && signal.aborted) return;
    const startedAt = clock.now();
    const begunMs = clock.monotonic();
    using _elapsed = report.watch();
    const outcome = await runCheck(request.check, request.options, {
      clock,
      net,
      signal,
      timeoutMs: request.timeoutMs,
      onProgress: (step) => report.progress(step),
    });
    if (round > 0 && outcome.reason === 'cancelled') return;
    yield { ...outcome, monitor, scheduledAt: startedAt, startedAt, durationMs: clock.monotonic() - begunMs };
  }
}

function monitorOf({ check, options, intervalMs, timeoutMs }: CheckRequest): Monitor {
  const target = check.targetOf(options);
  const name = `${check.title} ${target}`;
  return { id: name, name, type: check.type, target, options, intervalMs, timeoutMs };
}

const bySeverity = ['down', 'degraded', 'unknown', 'up'] as const satisfies readonly Status[];

/** What several runs say together: one that was down is not healed by the next. */
function worst(statuses: readonly Status[]): Status {
  return bySeverity.find((status) => statuses.includes(status)) ?? 'unknown';
}
