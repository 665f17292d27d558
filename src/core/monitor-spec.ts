import type { Milliseconds } from './duration.ts';
import type { JsonObject } from './outcome.ts';
import type { MonitorPolicy, NotifyStep } from './state/policies.ts';

/** A monitor as it was written: what the server keeps, shows and hands out as tasks. */
export interface MonitorSpec {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly target: string;
  /** As written; they are parsed by the schema of the type before a run. */
  readonly options: JsonObject;
  readonly intervalMs: Milliseconds;
  readonly timeoutMs: Milliseconds;
  /** Names of the agents that run it; absent: all of them. */
  readonly agents?: readonly string[];
  readonly paused: boolean;
  /** No agent runs it: the server makes its results of what it is told. */
  readonly isPassive?: boolean;
  /** What decides its state, and who is told of it, where it says so. */
  readonly alert?: AlertOptions;
  /** Values that are shown nowhere, beside those that the options' schema marks. */
  readonly secrets?: readonly string[];
}

/** What a monitor may say of its state; see MonitorPolicy. */
export interface AlertOptions extends Partial<
  Pick<MonitorPolicy, 'confirmations' | 'isUpsideDown' | 'quorum' | 'minVoices' | 'reopenMs' | 'dependsOnAny'>
> {
  readonly retryIntervalMs?: Milliseconds;
  /** Names or ids of monitors. */
  readonly dependsOn?: readonly string[];
  readonly notify?: readonly NotifyStep[];
}
