import { z } from 'zod';
import { duration } from '../core/duration.ts';
import { describeIssue, valueAt } from '../core/issues.ts';
import { endpointOf, hostname, port } from '../core/target.ts';
import { readWritten } from '../core/scalars.ts';
import type { Path, WrittenFile } from './mistake.ts';

/** The sections of a file that only a server reads. */
export const serverKeys = ['agents', 'tls', 'retention'] as const;

const dayMs = 86_400_000;
const days = (defaultDays: number) => duration({ min: dayMs, max: 36_500 * dayMs, default: defaultDays * dayMs });

const endpoint = z
  .string()
  .max(300)
  .transform((text, context): unknown => {
    try {
      return endpointOf(text);
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message, input: text });
      return z.NEVER;
    }
  })
  .pipe(z.strictObject({ host: hostname, port }));

const sectionSchema = z.strictObject({
  /** Agents that listen, and that this server calls. */
  agents: z
    .array(
      z.strictObject({
        name: z.string().trim().min(1).max(200),
        address: endpoint,
        /** What the agent printed when it first listened; needed until the two have met. */
        token: z.string().max(200).optional(),
      }),
    )
    .max(10_000)
    .default([]),
  /** Files in PEM; without them a server beyond loopback makes its own certificate. */
  tls: z.strictObject({ certificate: z.string().min(1), key: z.string().min(1) }).optional(),
  /** How long each class of data is kept. */
  retention: z
    .strictObject({
      results: days(400),
      hours: days(1200),
      days: days(3650),
      devices: days(180),
      traffic: days(30),
    })
    .prefault({}),
});
export type ServerSection = z.output<typeof sectionSchema>;

/** The server's sections; undefined if there is a mistake in them, which is then reported. */
export function readServer(
  file: Readonly<Partial<Record<(typeof serverKeys)[number], unknown>>>,
  { report, sourceOf }: WrittenFile,
): ServerSection | undefined {
  const given = Object.fromEntries(serverKeys.filter((key) => key in file).map((key) => [key, file[key]]));
  const { result: parsed } = readWritten(sectionSchema, given, sourceOf);
  if (parsed.success) return parsed.data;
  for (const issue of parsed.error.issues) {
    // Paths into data that came from YAML have no symbols.
    const path = issue.path as Path;
    if (issue.code === 'unrecognized_keys')
      for (const key of issue.keys) report([...path, key], 'there is no such key', 'key');
    else report(path, describeIssue(issue, valueAt(given, path)));
  }
  return undefined;
}
