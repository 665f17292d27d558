import { join } from 'node:path';
import { lineText } from '../record-line.ts';
import { linesOf } from './evidence-lines.ts';
import { TextComparison } from './text-comparison.ts';

/** Something is not as it was signed, or sealed: where, what was expected and what came. */
export interface Finding {
  readonly file: string;
  /** From 1; absent where it is the file as a whole. */
  readonly line?: number;
  readonly message: string;
  /** A text for people ends before its records do; what there is of it is right. */
  readonly isShort?: true;
}

export interface Verdict {
  readonly findings: readonly Finding[];
  /** What was verified, and what that does and does not prove; a sentence each. */
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
  /** What is wrong with the next line; undefined if nothing is. */
  next(text: string): string | undefined;
  /** What should still have come; undefined if nothing should. */
  missing(): string | undefined;
}

/** Of one file, behind which nothing more of it is read; more say nothing new. */
const maxFindings = 20;

/** Verifies a file of lines, and that the text beside it, where there is one, says what they say. */
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
