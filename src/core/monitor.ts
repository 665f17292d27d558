import type { Milliseconds } from './duration.ts';
import type { Outcome } from './outcome.ts';

export const minIntervalMs = 1000;
export const maxIntervalMs = 7 * 86_400_000;
export const defaultIntervalMs = 10_000;

/** One configured check. */
export interface Monitor {
  /** Stable across restarts: the phase of its schedule is a hash of it. */
  readonly id: string;
  readonly name: string;
  /** A key of the registry of check types. */
  readonly type: string;
  /** For people, without secrets; what to connect to is in the options. */
  readonly target: string;
  /** Valid for the type's schema: parsed where the monitor came in. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly intervalMs: Milliseconds;
  readonly timeoutMs: Milliseconds;
  /** Values that are shown nowhere, beside those that the options' schema marks. */
  readonly secrets?: readonly string[];
}

/** One outcome and which run it belongs to. */
export interface Result extends Outcome {
  readonly monitor: Monitor;
  /** The slot the run was due in, epoch milliseconds. */
  readonly scheduledAt: number;
  /** When it really began. */
  readonly startedAt: number;
  readonly durationMs: Milliseconds;
}
