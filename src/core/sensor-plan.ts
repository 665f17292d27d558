import type { JsonObject } from './outcome.ts';
import type { SensorName } from './sensor.ts';

/** An entry of `sensors:` in a server's file, or a session of a room: what to collect on which agents' machines, by whom and for what purpose. */
export interface SensorPlan {
  /** Names of agents, `*` for any run of characters; every agent if both lists are absent. */
  readonly agents?: readonly string[];
  readonly agentIds?: readonly string[];
  readonly by: string;
  readonly purpose?: string;
  /** Epoch milliseconds; the plan ends at this time. */
  readonly until?: number;
  readonly sensors: readonly { readonly sensor: SensorName; readonly options: JsonObject }[];
}
