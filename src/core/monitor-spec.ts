import type { Milliseconds } from './duration.ts';
import type { JsonObject } from './outcome.ts';

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
  /** Values that are shown nowhere, beside those that the options' schema marks. */
  readonly secrets?: readonly string[];
}
