import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { AppError } from '../../core/errors.ts';
import { sensorNames } from '../../core/sensor.ts';
import { follow, readLine, type ChainState } from '../chain.ts';
import { filesOf } from './folder-files.ts';
import { ChainReader, type ChainPlace } from './chain-reader.ts';
import { verifyFile, type Finding, type LineReader, type Verdict } from './verify-file.ts';

/** The state file beside the lines; its key is that of the next line. */
const chainState = z.object({ chain: z.uuid(), n: z.int().min(0), head: z.string(), key: z.string() });
const stateFile = 'chain.json';

const caveat =
  'The links hold or fail here; the seals are verified by the server alone, which has the first key. A chain that was written anew from its beginning, or cut together with its chain.json, would not be seen: compare it with what `watchkeeper evidence` gets from the server.';

/** Verifies the links of the lines in an agent's evidence folder, or in that of one sensor. @throws {AppError} usage */
export async function verifyAgentFolder(folder: string): Promise<Verdict> {
  const names = await readdir(folder);
  const sensors = sensorNames.filter((name) => names.includes(name));
  const isOfOne = names.some((name) => name.endsWith('.jsonl'));
  const verdicts = isOfOne
    ? [await verifySensor(folder, '')]
    : await Promise.all(sensors.map((name) => verifySensor(join(folder, name), `${name}/`)));
  if (verdicts.every(({ findings, notes }) => findings.length + notes.length === 0)) {
    const expected = 'expected what `watchkeeper evidence` wrote, or the evidence folder of an agent';
    throw new AppError('usage', `${expected}, got ${folder}, where there are neither manifest.json nor *.jsonl`);
  }
  return {
    findings: verdicts.flatMap(({ findings }) => findings),
    notes: [...verdicts.flatMap(({ notes }) => notes), caveat],
  };
}

async function verifySensor(folder: string, prefix: string): Promise<Verdict> {
  const { names: present, findings: strangers } = await filesOf(folder);
  const findings: Finding[] = strangers.map(({ file, message }) => ({ file: prefix + file, message }));
  const names = [...present].filter((name) => name.endsWith('.jsonl')).toSorted();
  if (names.length === 0) return { findings, notes: [] };
  const chain = new FolderChain(present.has(stateFile) ? await readState(folder) : undefined);
  for (const name of names) {
    const hasText = present.has(name.replace(/jsonl$/, 'log'));
    const found = await verifyFile({ folder, name, hasText }, chain);
    for (const finding of found) findings.push({ ...finding, file: prefix + finding.file });
  }
  const end = chain.end();
  if (end !== undefined) findings.push({ file: `${prefix}${names.at(-1) ?? ''}`, message: end });
  const newest = `${prefix}${(names.at(-1) ?? '').replace(/jsonl$/, 'log')}`;
  // The text is written after the lines, so a running or killed agent may not have written it yet.
  const isLate = ({ file, isShort }: Finding): boolean => isShort === true && file === newest;
  const late = findings.some(isLate) ? [`${newest}: the text of the last records is not written yet.`] : [];
  return {
    findings: findings.filter((finding) => !isLate(finding)),
    notes: [`${prefix || basename(folder)}: ${chain.summary()}`, ...late],
  };
}

/** The lines of one sensor, over all its files. */
class FolderChain implements LineReader {
  readonly #state: ChainState | undefined;
  #reader: ChainReader | undefined;
  #first: number | undefined;
  #count = 0;
  #chains = 0;
  /** Verifies the lines after the one that chain.json names, by its key. */
  #ahead: ChainState | undefined;

  constructor(state: ChainState | undefined) {
    this.#state = state;
  }

  next(text: string): string | undefined {
    const line = readLine(text);
    this.#count++;
    // The first line kept, because earlier files may have been deleted; or the first of a chain begun anew.
    if (line && (!this.#reader || line.n === 1)) {
      this.#reader = new ChainReader({ n: line.n - 1, head: undefined });
      this.#first ??= line.n;
      this.#chains++;
    }
    this.#reader ??= new ChainReader({ n: 0, head: undefined });
    const problem = this.#reader.next(text);
    if (this.#ahead) {
      const { fault, state } = follow(this.#ahead, text);
      this.#ahead = state;
      return problem ?? (fault && `expected a line sealed with the key of chain.json, got one that is ${fault}`);
    }
    const { n, head } = this.#reader.place;
    if (n === this.#state?.n && head === this.#state.head) this.#ahead = this.#state;
    return problem;
  }

  /** Another file may follow. */
  missing(): undefined {
    return undefined;
  }

  /** The fault at the end of the last file. */
  end(): string | undefined {
    const place = this.#reader?.place;
    if (!this.#state || !place || this.#ahead) return undefined;
    const { n, head } = this.#state;
    return `expected record ${n} with the hash ${head} of chain.json to be the last, got record ${place.n} with ${place.head ?? 'none'}`;
  }

  summary(): string {
    const place: ChainPlace | undefined = this.#reader?.place;
    const anew = this.#chains > 1 ? `, in ${this.#chains} chains that were begun one after the other` : '';
    const count = (this.#ahead?.n ?? 0) - (this.#state?.n ?? 0);
    const newer = count > 0 ? `, but for the ${count} newest, which are sealed with its key` : '';
    const against = this.#state ? `chain.json says which is the last${newer}` : 'no chain.json says which is the last';
    return `${this.#count} records, from ${this.#first ?? 0} to ${place?.n ?? 0}${anew}; ${against}.`;
  }
}

async function readState(folder: string): Promise<ChainState | undefined> {
  try {
    return chainState.parse(JSON.parse(await readFile(join(folder, stateFile), 'utf8')));
  } catch {
    return undefined;
  }
}
