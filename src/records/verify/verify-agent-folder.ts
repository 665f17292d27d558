import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { AppError } from '../../core/errors.ts';
import { sensorNames } from '../../core/sensor.ts';
import { follow, readLine, type ChainState } from '../chain.ts';
import { filesOf } from './folder-files.ts';
import { ChainReader } from './chain-reader.ts';
import { verifyFile, type LineReader } from './verify-file.ts';
import type { Finding, NumberedRun, SensorFacts, Verdict } from './verdict.ts';
import { WatchedTime } from './watched-time.ts';

/** The state file beside the lines; its key is that of the next line. */
const chainState = z.object({ chain: z.uuid(), n: z.int().min(0), head: z.string(), key: z.string() });
const stateFile = 'chain.json';

/** Verifies the links of the lines in an agent's evidence folder, or in that of one sensor. @throws {AppError} usage */
export async function verifyAgentFolder(folder: string): Promise<Verdict> {
  const names = await readdir(folder);
  const isOfOne = names.some((name) => name.endsWith('.jsonl'));
  const folders = isOfOne
    ? [{ folder, sensor: basename(folder), prefix: '' }]
    : sensorNames
        .filter((name) => names.includes(name))
        .map((name) => ({ folder: join(folder, name), sensor: name, prefix: `${name}/` }));
  const parts = await Promise.all(folders.map(verifySensor));
  const [findings, sensors] = [parts.flatMap((part) => part.findings), parts.flatMap((part) => part.facts ?? [])];
  if (findings.length + sensors.length === 0) {
    const expected = 'expected what `watchkeeper evidence` wrote, or the evidence folder of an agent';
    throw new AppError('usage', `${expected}, got ${folder}, where there are neither manifest.json nor *.jsonl`);
  }
  return { judgement: findings.length > 0 ? 'altered' : 'unsigned', findings, sensors, alarms: [] };
}

interface SensorFolder {
  readonly folder: string;
  readonly sensor: string;
  /** Of its files, in findings. */
  readonly prefix: string;
}

interface FolderPart {
  readonly findings: readonly Finding[];
  /** Undefined if the folder has no lines. */
  readonly facts?: SensorFacts;
}

async function verifySensor({ folder, sensor, prefix }: SensorFolder): Promise<FolderPart> {
  const { names: present, findings: strangers } = await filesOf(folder);
  const findings: Finding[] = strangers.map(({ file, message }) => ({ file: prefix + file, message }));
  const names = [...present].filter((name) => name.endsWith('.jsonl')).toSorted();
  if (names.length === 0) return { findings };
  const chain = new FolderChain(present.has(stateFile) ? await readState(folder) : undefined);
  for (const name of names) {
    const hasText = present.has(name.replace(/jsonl$/, 'log'));
    const found = await verifyFile({ folder, name, hasText, watched: chain.watched }, chain);
    for (const finding of found) findings.push({ ...finding, file: prefix + finding.file });
  }
  const end = chain.end();
  if (end !== undefined) findings.push({ file: `${prefix}${names.at(-1) ?? ''}`, message: end });
  const newest = `${prefix}${(names.at(-1) ?? '').replace(/jsonl$/, 'log')}`;
  // The text is written after the lines, so a running or killed agent may not have written it yet.
  const isLate = ({ file, isShort }: Finding): boolean => isShort === true && file === newest;
  return { findings: findings.filter((finding) => !isLate(finding)), facts: chain.facts(sensor) };
}

/** The lines of one sensor, over all its files. */
class FolderChain implements LineReader {
  readonly #state: ChainState | undefined;
  readonly watched = new WatchedTime();
  readonly #runs: NumberedRun[] = [];
  #reader: ChainReader | undefined;
  /** Verifies the lines after the one that chain.json names, by its key. */
  #ahead: ChainState | undefined;

  constructor(state: ChainState | undefined) {
    this.#state = state;
  }

  next(text: string): string | undefined {
    const [broken, forged] = [this.#link(text), this.#unseal(text)];
    return broken ?? forged;
  }

  #link(text: string): string | undefined {
    const line = readLine(text);
    // The first line kept, because earlier files may have been deleted; or the first of a chain begun anew.
    if (!this.#reader || line?.n === 1) this.#reader = this.#readerFrom(line?.n ?? 1);
    const problem = this.#reader.next(text);
    const { n } = this.#reader.place;
    this.#runs.push({ first: this.#runs.pop()?.first ?? n, last: n });
    return problem;
  }

  /** The lines after the one that chain.json names were sealed with its key and those that follow from it. */
  #unseal(text: string): string | undefined {
    if (this.#ahead) {
      const { fault, state } = follow(this.#ahead, text);
      this.#ahead = state;
      return fault && `expected a line sealed with the key of chain.json, got one that is ${fault}`;
    }
    const { n, head } = this.#reader?.place ?? {};
    if (n === this.#state?.n && head === this.#state?.head) this.#ahead = this.#state;
    return undefined;
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

  facts(sensor: string): SensorFacts {
    const { records, lost, orders } = this.watched;
    return {
      sensor,
      chains: this.#runs.map((run, index) => ({
        chain: index === this.#runs.length - 1 ? this.#state?.chain : undefined,
        runs: [run],
      })),
      records,
      blind: this.watched.times(),
      orders,
      lost,
    };
  }

  #readerFrom(n: number): ChainReader {
    this.#runs.push({ first: n, last: n });
    return new ChainReader({ n: n - 1, head: undefined });
  }
}

async function readState(folder: string): Promise<ChainState | undefined> {
  try {
    return chainState.parse(JSON.parse(await readFile(join(folder, stateFile), 'utf8')));
  } catch {
    return undefined;
  }
}
