import type { SensorPlan } from './sensor-plan.ts';
import { fitsWildcard } from './wildcard.ts';

/** Machines that are supervised together, and the policies that a session may have. */
export interface Room {
  /** Stays when the name changes: sessions belong to it. */
  readonly id: string;
  readonly name: string;
  /** Agents by id, or by name with `*` for any run of characters. */
  readonly seats: readonly string[];
  /** Where a seat is, by the agent's id or name. */
  readonly places: Readonly<Record<string, string>>;
  /** Which seats must be there in a session; all if absent. */
  readonly expected?: readonly string[];
  readonly policies: readonly RoomPolicy[];
}

export const strictnesses = ['alarm', 'notice'] as const;
type Strictness = (typeof strictnesses)[number];

/** What is watched in a session, and what of it is an alarm. */
export interface RoomPolicy {
  readonly name: string;
  /** The watched person is told who collects, and for what purpose. */
  readonly by: string;
  readonly purpose?: string;
  /** Of a device that carries data and is not allowed. */
  readonly otherDevices: Strictness;
  /** Of a peer that is neither allowed nor forbidden. */
  readonly otherPeers: Strictness;
  /** With the devices and peers that are allowed or forbidden in their options. */
  readonly sensors: SensorPlan['sensors'];
}

/** Who is meant by an id, a name or a pattern. */
export interface NamedAgent {
  readonly id: string;
  readonly name: string;
}

/** Whether an id, a name, or a pattern of names means this agent. */
export function meansAgent(pattern: string, { id, name }: NamedAgent): boolean {
  return pattern === id || fitsWildcard(pattern, name);
}
