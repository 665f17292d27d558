import type { JsonObject } from './outcome.ts';
import type { SensorName } from './sensor.ts';

/** What is to be collected on the machines of some agents, by whom and what for: an entry of `sensors:` in a server's file. */
export interface SensorPlan {
  /** Names of agents, `*` for any run of characters; every agent if absent. */
  readonly agents?: readonly string[];
  readonly by: string;
  readonly purpose?: string;
  /** Epoch milliseconds; from then on nothing is collected by this plan. */
  readonly until?: number;
  readonly sensors: readonly { readonly sensor: SensorName; readonly options: JsonObject }[];
}
