import { join } from 'node:path';
import { contentOf, contentText } from '../record-line.ts';
import { linesOf } from './evidence-lines.ts';
import { TextComparison } from './text-comparison.ts';
import type { Finding } from './verdict.ts';
import type { WatchedTime } from './watched-time.ts';

export interface LinesFile {
  readonly folder: string;
  /** Ends with `.jsonl`; the text for people beside it ends with `.log`. */
  readonly name: string;
  /** That text is there. */
  readonly hasText: boolean;
  /** Of the sensor whose file it is. */
  readonly watched: WatchedTime;
}

export interface LineReader {
  /** The fault of the next line; undefined if there is none. */
  next(text: string): string | undefined;
  /** What is missing at the end; undefined if nothing is. */
  missing(): string | undefined;
}

/** Limit of findings in one file; reading stops there. */
const maxFindings = 20;

/** Verifies a file of lines, and that the text beside it, if any, matches them; and tells what they say of the time watched. */
export async function verifyFile(
  { folder, name, hasText, watched }: LinesFile,
  reader: LineReader,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const log = name.replace(/jsonl$/, 'log');
  await using text = hasText ? await TextComparison.open(join(folder, log)) : undefined;
  let line = 0;
  for await (const found of linesOf(join(folder, name))) {
    line++;
    const message = 'problem' in found ? found.problem : reader.next(found.text);
    if (message !== undefined) findings.push({ file: name, line, message });
    if (findings.length >= maxFindings) return findings;
    if ('problem' in found) continue;
    const content = contentOf(found.text);
    if (content) watched.add(content);
    else watched.addUnreadable();
    await text?.expect(`${contentText(content)}\n`);
  }
  const missing = reader.missing();
  if (missing !== undefined) findings.push({ file: name, line: line + 1, message: missing });
  const difference = await text?.difference();
  if (difference !== undefined) findings.push({ file: log, ...difference });
  return findings;
}
