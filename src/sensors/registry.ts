import type { SensorType } from '../core/sensor.ts';
import { mounts } from './mounts/mounts.ts';
import { traffic } from './traffic/traffic.ts';
import { usb } from './usb/usb.ts';

/** Every sensor. Configuration, command line, agent and documentation derive from this list. */
// A list of different option types has no common type of its own; each one's options are parsed by its own schema.
export const sensorTypes = [usb, mounts, traffic] as unknown as readonly SensorType[];
