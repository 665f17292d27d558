import { join } from 'node:path';
import { lineText } from '../record-line.ts';
import { linesOf } from './evidence-lines.ts';
import { TextComparison } from './text-comparison.ts';

/** A difference from what was signed or sealed: where, what was expected and what was found. */
export interface Finding {
  readonly file: string;
  /** Line number from 1; absent if the finding is about the whole file. */
  readonly line?: number;
  readonly message: string;
  /** A text for people is incomplete but right as far as it goes. */
  readonly isShort?: true;
}

export interface Verdict {
  readonly findings: readonly Finding[];
  /** Sentences: what was verified, and what that proves and does not prove. */
  readonly notes: readonly string[];
}

export interface LinesFile {
  readonly folder: string;
  /** Ends with `.jsonl`; the text for people beside it ends with `.log`. */
  readonly name: string;
  /** That text is there. */
  readonly hasText: boolean;
}

export interface LineReader {
  /** The fault of the next line; undefined if there is none. */
  next(text: string): string | undefined;
  /** What is missing at the end; undefined if nothing is. */
  missing(): string | undefined;
}

/** Limit of findings in one file; reading stops there. */
const maxFindings = 20;

/** Verifies a file of lines, and that the text beside it, if any, matches them. */
export async function verifyFile(
  { folder, name, hasText }: LinesFile,
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
    if ('text' in found) await text?.expect(`${lineText(found.text)}\n`);
  }
  const missing = reader.missing();
  if (missing !== undefined) findings.push({ file: name, line: line + 1, message: missing });
  const difference = await text?.difference();
  if (difference !== undefined) findings.push({ file: log, ...difference });
  return findings;
}
