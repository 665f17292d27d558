import { z } from 'zod';
import { describeIssue, got, valueAt } from '../core/issues.ts';
import { nearestWord } from '../core/nearest.ts';
import type { JsonObject } from '../core/outcome.ts';
import { readWritten } from '../core/scalars.ts';
import type { SensorPlan } from '../core/sensor-plan.ts';
import { sensorTypes } from '../sensors/registry.ts';
import { partOf, type Path, type Report, type WrittenFile } from './mistake.ts';

const maxPlans = 1000;
const expectedTime = 'expected a time with its zone, like 2026-12-02T18:00:00+01:00';

const entrySchema = z.object({
  agents: z.array(z.string().trim().min(1).max(200)).min(1).max(1000).optional(),
  /** Who collects: the watched person is told. */
  by: z.string().trim().min(1).max(300),
  purpose: z.string().trim().min(1).max(1000).optional(),
  until: z.iso.datetime({ offset: true, error: expectedTime }).transform(Date.parse).optional(),
});

const keys = [...Object.keys(entrySchema.shape), ...sensorTypes.map(({ type }) => type)];

/** Every plan that is right; the mistakes in the others are reported. */
export function readSensors(written: unknown, file: WrittenFile): readonly SensorPlan[] {
  if (written === undefined) return [];
  if (!Array.isArray(written) || written.length > maxPlans) {
    const what = Array.isArray(written) ? `a list of ${written.length}` : got(written);
    file.report(['sensors'], `expected a list of at most ${maxPlans} entries, each with by and a sensor, ${what}`);
    return [];
  }
  return written.flatMap((entry: unknown, index) => {
    const plan = readPlan(entry, partOf(file, ['sensors', index]));
    return plan ? [plan] : [];
  });
}

function readPlan(entry: unknown, file: WrittenFile): SensorPlan | undefined {
  const { report } = file;
  const { result: parsed } = readWritten(entrySchema, entry, file.sourceOf);
  if (!parsed.success) {
    reportIssues(parsed.error, { written: entry, report });
    if (!isMapping(entry)) return undefined;
  }
  // What is no mapping was refused above.
  const mapping = entry as Readonly<Record<string, unknown>>;
  reportUnknown(mapping, keys, report);
  const ordered = sensorTypes.filter(({ type }) => type in mapping);
  if (ordered.length === 0) report([], `expected a sensor: ${sensorTypes.map(({ type }) => type).join(', ')}`);
  const sensors = ordered.map(({ type, options }) => {
    const given = mapping[type] ?? {};
    const inside = partOf(file, [type]);
    const { input, result } = readWritten(options, given, inside.sourceOf);
    if (!result.success) reportIssues(result.error, { written: given, report: inside.report });
    // YAML data is JSON, and what a schema of options takes is a mapping.
    return { sensor: type, options: input as JsonObject, isRight: result.success };
  });
  const isRight = parsed.success && sensors.length > 0 && sensors.every((each) => each.isRight);
  if (!isRight) return undefined;
  const { agents, by, purpose, until } = parsed.data;
  return {
    by,
    ...(agents && { agents }),
    ...(purpose !== undefined && { purpose }),
    ...(until !== undefined && { until }),
    sensors: sensors.map(({ sensor, options }) => ({ sensor, options })),
  };
}

function reportUnknown(mapping: Readonly<Record<string, unknown>>, known: readonly string[], report: Report): void {
  for (const key of Object.keys(mapping).filter((key) => !known.includes(key))) {
    const nearest = nearestWord(key, known);
    report([key], `expected ${known.join(', ')}${nearest ? `; did you mean ${nearest}?` : ''}`, 'key');
  }
}

interface Issues {
  readonly written: unknown;
  readonly report: Report;
}

function reportIssues({ issues }: z.ZodError, { written, report }: Issues): void {
  for (const issue of issues) {
    // What came from YAML has no symbols for keys.
    const path = issue.path as Path;
    if (issue.code === 'unrecognized_keys')
      for (const key of issue.keys) report([...path, key], 'there is no such option', 'key');
    else report(path, describeIssue(issue, valueAt(written, path)));
  }
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
