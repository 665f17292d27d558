import { z } from 'zod';
import { describeIssue, valueAt } from '../core/issues.ts';
import { nearestWord } from '../core/nearest.ts';
import { readWritten } from '../core/scalars.ts';
import { partOf, type Path, type Report, type WrittenFile } from './mistake.ts';

const network = z.union([z.cidrv4(), z.cidrv6(), z.ipv4(), z.ipv6()]);

/** `10.0.0.0/8`, `192.0.2.7:5432`, `fd00::/8`, `[fd00::/8]:5432`; what a range covers is the egress policy's business. */
const range = z.string().refine((text) => {
  const [, bracketed, plain, port = '1'] = /^(?:\[(.+)\]|([\d./]+))(?::(\d{1,5}))?$/.exec(text.trim()) ?? [];
  return network.safeParse(bracketed ?? plain ?? text.trim()).success && Number(port) >= 1 && Number(port) <= 65_535;
}, 'expected an address or a range, like 10.0.0.0/8, fd00::/8 or [fd00::/8]:5432');

const schema = z.strictObject({ allow: z.array(range).default([]), deny: z.array(range).default([]) });

export type EgressSection = z.output<typeof schema>;

/** Undefined if there is a mistake in it, which is then reported. */
export function readEgress(written: unknown, file: WrittenFile): EgressSection | undefined {
  const { report, sourceOf } = partOf(file, ['egress']);
  const { result: parsed } = readWritten(schema, written ?? {}, sourceOf);
  if (parsed.success) return parsed.data;
  for (const issue of parsed.error.issues) {
    // What came from YAML has no symbols for keys.
    const path = issue.path as Path;
    if (issue.code === 'unrecognized_keys') reportUnknown(issue.keys, path, report);
    else report(path, describeIssue(issue, valueAt(written, issue.path)));
  }
  return undefined;
}

function reportUnknown(keys: readonly string[], path: Path, report: Report): void {
  for (const key of keys) {
    const nearest = nearestWord(key, Object.keys(schema.shape));
    report([...path, key], `expected allow or deny${nearest ? `; did you mean ${nearest}?` : ''}`, 'key');
  }
}
