import type { CheckType, Progress } from '../../core/check.ts';
import { sleep, systemClock as clock } from '../../core/clock.ts';
import type { Monitor, Result } from '../../core/monitor.ts';
import type { Status } from '../../core/outcome.ts';
import { createNetwork } from '../../net/network.ts';
import { runCheck } from '../../schedule/run-check.ts';
import { CheckReport } from '../../terminal/check-report.ts';
import { exitCodeOf } from '../exit-codes.ts';
import { interruption } from '../interruption.ts';

export interface CheckRequest {
  readonly check: CheckType;
  /** What to run; its interval is from the start of one run to the start of the next. */
  readonly monitor: Monitor;
  readonly count: number;
  readonly json: boolean;
}

/** Runs one check `count` times or until Ctrl-C, shows each result, and returns the exit code of the worst. */
export async function runChecks({ check, monitor, count, json }: CheckRequest): Promise<number> {
  const report = new CheckReport({ json, count, metrics: check.metrics });
  const seen = new Set<Status>();
  for await (const result of results({ check, monitor, count }, report)) {
    report.show(result);
    seen.add(result.status);
  }
  report.summarise();
  return exitCodeOf[worst(seen)];
}

/** Every result until the last run or Ctrl-C. A run cut short counts only when there is no other. */
async function* results(
  { check, monitor, count }: Omit<CheckRequest, 'json'>,
  report: CheckReport,
): AsyncGenerator<Result> {
  const interrupted = interruption();
  const net = createNetwork({ clock });
  const startedMs = clock.monotonic();
  for (let round = 0; round < count; round++) {
    const waitMs = startedMs + round * monitor.intervalMs - clock.monotonic();
    if (waitMs > 0) await sleep(clock, waitMs, interrupted).catch(() => {});
    if (interrupted.aborted) return;
    const controller = new AbortController();
    const stop = (): void => controller.abort(interrupted.reason);
    interrupted.addEventListener('abort', stop, { once: true });
    using _elapsed = report.watch();
    const onProgress = (step: Progress): void => report.progress(step);
    const result = await runCheck(check, monitor, { clock, net, controller, onProgress });
    interrupted.removeEventListener('abort', stop);
    if (round > 0 && result.reason === 'cancelled') return;
    yield result;
  }
}

const bySeverity = ['down', 'degraded', 'unknown', 'up'] as const satisfies readonly Status[];

/** What several runs say together: one that was down is not healed by the next. */
function worst(seen: ReadonlySet<Status>): Status {
  return bySeverity.find((status) => seen.has(status)) ?? 'unknown';
}
