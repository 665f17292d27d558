import type { CheckContext, CheckType } from '../core/check.ts';
import type { Cancel, Clock } from '../core/clock.ts';
import { formatDuration, type Milliseconds } from '../core/duration.ts';
import type { Monitor, Result } from '../core/monitor.ts';
import { failed, type Outcome } from '../core/outcome.ts';
import type { Lag, LagGuard } from './lag.ts';
import { hideSecrets } from './outcome-secrets.ts';

export interface RunParts extends Pick<CheckContext, 'clock' | 'net' | 'onProgress' | 'wantsFullDetail'> {
  /** Belongs to this run: the runner aborts it at the deadline, the caller aborts it to stop the run. */
  readonly controller: AbortController;
  /** The slot the run was due in; absent when it was asked for by hand. */
  readonly scheduledAt?: number;
  readonly lag?: LagGuard;
}

/** What a run needs of a check type. */
export type Runnable = Pick<CheckType, 'run'> & Partial<Pick<CheckType, 'options'>>;

/** Runs a monitor's check once. Never rejects: anything else than a `Failure` is our bug and becomes `unknown/internal`. */
export async function runCheck(check: Runnable, monitor: Monitor, parts: RunParts): Promise<Result> {
  const { clock, net, onProgress, wantsFullDetail = false, controller, scheduledAt, lag } = parts;
  const { signal } = controller;
  const startedAt = clock.now();
  const startedMs = clock.monotonic();
  const cancelDeadline = deadlineAfter(clock, monitor.timeoutMs, () => controller.abort(deadlineOf(monitor)));
  const context = { signal, clock, net, wantsFullDetail, ...(onProgress && { onProgress }) };
  const outcome = hideSecrets(await outcomeOf(check, monitor, context), check, monitor);
  cancelDeadline();
  const durationMs = clock.monotonic() - startedMs;
  const stalled = lag?.since(startedMs);
  return {
    ...(stalled ? inconclusive(outcome, stalled) : outcome),
    monitor,
    scheduledAt: scheduledAt ?? startedAt,
    startedAt,
    durationMs,
  };
}

/** Without a timeout, which only a person can ask for, a run ends when that person stops it. */
function deadlineAfter(clock: Clock, timeoutMs: Milliseconds, callback: () => void): Cancel {
  return timeoutMs === Infinity ? () => {} : clock.after(timeoutMs, callback);
}

async function outcomeOf(check: Runnable, monitor: Monitor, context: CheckContext): Promise<Outcome> {
  try {
    return await check.run(monitor.options, context);
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    return failed('internal', `The ${monitor.type} check broke, which is a bug in Watchkeeper: ${what}`);
  }
}

function deadlineOf({ timeoutMs }: Monitor): DOMException {
  return new DOMException(`No answer within ${formatDuration(timeoutMs)}.`, 'TimeoutError');
}

/** Figures measured while this process could not run are shown but decide nothing. */
function inconclusive(outcome: Outcome, { kind, lagMs }: Lag): Outcome {
  const what =
    kind === 'busy'
      ? `This process could not run for ${Math.round(lagMs)} ms during the check`
      : 'This machine slept, or its clock was set, during the check or just before';
  const { status, message, reason } = outcome;
  return failed('lag', `${what}, so its result says nothing about the target.`, {
    latencyMs: outcome.latencyMs,
    metrics: outcome.metrics,
    detail: { ...outcome.detail, measured: { status, message, ...(reason && { reason }) } },
  });
}
