import type { z } from 'zod';
import type { Clock } from './clock.ts';
import type { OptionsSchema } from './check.ts';
import type { ClassOfData, SensorRecord } from './record.ts';

/** State of a sensor. `limited`: it works, but not fully; the message says what is missing and what that costs. */
export interface SensorState {
  readonly state: 'running' | 'limited' | 'unavailable';
  /** The means in use (`ebpf`, `ring`, `netlink`, …), what is missing, and what to do about it. */
  readonly message: string;
}

/** What a sensor gets from its agent. */
export interface SensorContext {
  readonly clock: Clock;
  /** Takes a record, which is numbered, chained, stored and sent. Never waits, never throws. */
  readonly record: (record: SensorRecord) => void;
  /** Called at the start and whenever it changes. */
  readonly onState: (state: SensorState) => void;
  /** Known addresses of the agent's own server; absent where there is none. */
  readonly serverAddresses?: () => readonly string[];
}

/** A sensor at work. */
export interface RunningSensor {
  /** Stops the sensor within a second, after its last records. */
  stop(): Promise<void>;
}

/** Something of its own machine that an agent can watch. `options` is the single source for configuration, command line and docs. */
export interface SensorType<Schema extends OptionsSchema = OptionsSchema> {
  readonly type: SensorName;
  /** What people call it: `USB devices`. */
  readonly title: string;
  /** One sentence that tells the watched person what is collected. */
  readonly summary: string;
  /** How long its records are kept is set by this. */
  readonly classOfData: ClassOfData;
  readonly options: Schema;
  /** Never rejects for what the machine lacks: it says so by `onState`, and tries again where that may help. */
  start(options: z.output<Schema>, context: SensorContext): Promise<RunningSensor>;
}

export const sensorNames = ['usb', 'mounts', 'traffic'] as const;
export type SensorName = (typeof sensorNames)[number];
