import { z } from 'zod';
import { got } from '../core/issues.ts';
import type { JsonObject } from '../core/outcome.ts';
import type { SensorPlan } from '../core/sensor-plan.ts';
import { sensorTypes } from '../sensors/registry.ts';
import { isMapping } from './mapping.ts';
import { partOf, type WrittenFile } from './mistake.ts';
import { readSection, readWithInput, reportUnknownKeys } from './section.ts';

const maxPlans = 1000;
const expectedTime = 'expected a time with its zone, like 2026-12-02T18:00:00+01:00';

/** Who collects, and what for. */
export const collectorShape = {
  by: z.string().trim().min(1).max(300).meta({
    description: 'Who collects; the watched person is told',
    example: 'Physics department, room 101',
  }),
  purpose: z.string().trim().min(1).max(1000).optional().meta({
    description: 'For what; the watched person is told',
    example: 'Exam of 2 December',
  }),
};

export const sensorEntrySchema = z.object({
  agents: z.array(z.string().trim().min(1).max(200)).min(1).max(1000).optional().meta({
    description: 'Names of agents, `*` for any run of characters; every agent, unless said otherwise',
    example: '[seat-*]',
  }),
  ...collectorShape,
  until: z.iso.datetime({ offset: true, error: expectedTime }).transform(Date.parse).optional().meta({
    description: 'When it ends by itself, with the zone',
    example: '2026-12-02T18:00:00+01:00',
  }),
});

/** The key of each sensor. */
export const sensorKeys = sensorTypes.map(({ type }) => type);
const keys = [...Object.keys(sensorEntrySchema.shape), ...sensorKeys];

/** Every plan that is right; the mistakes in the others are reported. */
export function readSensors(written: unknown, file: WrittenFile): readonly SensorPlan[] {
  const list = written ?? [];
  if (!Array.isArray(list) || list.length > maxPlans) {
    const what = Array.isArray(list) ? `a list of ${list.length}` : got(written);
    file.report([], `expected a list of at most ${maxPlans} entries, each with by and a sensor, ${what}`);
    return [];
  }
  return list.flatMap((entry: unknown, index) => readPlan(entry, partOf(file, [index])) ?? []);
}

function readPlan(entry: unknown, file: WrittenFile): SensorPlan | undefined {
  const common = readSection(sensorEntrySchema, entry, file);
  if (!isMapping(entry)) return undefined;
  const unknown = Object.keys(entry).filter((key) => !keys.includes(key));
  reportUnknownKeys(unknown, keys, { path: [], file });
  const sensors = readSensorOptions(entry, file);
  if (!common || !sensors || unknown.length > 0) return undefined;
  const { agents, by, purpose, until } = common;
  return {
    by,
    ...(agents && { agents }),
    ...(purpose !== undefined && { purpose }),
    ...(until !== undefined && { until }),
    sensors,
  };
}

/** The sensors that an entry names, with their options; undefined if there is none, or a mistake, which is then reported. */
export function readSensorOptions(
  entry: Readonly<Record<string, unknown>>,
  file: WrittenFile,
): SensorPlan['sensors'] | undefined {
  const ordered = sensorTypes.filter(({ type }) => type in entry);
  if (ordered.length === 0) file.report([], `expected a sensor: ${sensorKeys.join(', ')}`);
  const sensors = ordered.flatMap(({ type, options }) => {
    const read = readWithInput(options, entry[type] ?? {}, partOf(file, [type]));
    // YAML data is JSON, and what a schema of options takes is a mapping.
    return read ? [{ sensor: type, options: read.input as JsonObject }] : [];
  });
  return sensors.length > 0 && sensors.length === ordered.length ? sensors : undefined;
}
