import { randomUUIDv7 } from 'node:crypto';
import { beginChain, follow, hashOf, readLine, type WrittenChain } from '../../records/chain.ts';
import { readChain, saveChain, type KeptChain } from './chain-file.ts';
import type { NumberedLine } from './delivery.ts';
import type { EvidenceDisk } from './evidence-disk.ts';
import { linesFiles, linesIn, type FilesAtHand } from './evidence-files.ts';

/** A chain read from its folder, with damage repaired. */
export interface RecoveredChain {
  readonly kept: KeptChain;
  readonly files: FilesAtHand;
  /** Lines that may be missing from the spool. */
  readonly undelivered: readonly NumberedLine[];
  /** Damage found, for `lost` records. */
  readonly faults: readonly string[];
  /** The last line of the run before, if there was one and its file is kept. */
  readonly last?: string | undefined;
}

interface ReadFile {
  readonly name: string;
  readonly bytes: Buffer;
}

interface FoundLine {
  readonly file: string;
  readonly line: string;
  readonly end: number;
}

/** Larger than any file that an agent writes; larger files are not read. */
const maxFileBytes = 16 * 1024 * 1024;
/** At most this many files are searched for lines that the spool may lack. */
const maxFilesRead = 8;

/** Reads the chain of a folder, or begins one. Rejects with the disk's error. */
export async function recoverChain(disk: EvidenceDisk): Promise<RecoveredChain> {
  const kept = await readChain(disk);
  const files = linesFiles(await disk.list());
  const names = files.filter(({ bytes }) => bytes <= maxFileBytes).map(({ name }) => name);
  const lastName = files.at(-1)?.name;
  if (!kept) return { ...(await begun(disk, files.length)), files: { current: undefined, lastName } };
  const found = await readBack(disk, names, kept);
  const all = found.flatMap(({ name: file, bytes }) => linesIn(bytes).map(({ line, end }) => ({ file, line, end })));
  const lines = kept.n === 0 ? linesFrom(all, kept.head) : all;
  if (all.length > 0 && lines.length === 0) {
    const fault = 'the chain before has ended; its files stay, and this one takes its place';
    return { kept, files: { current: undefined, lastName }, undelivered: [], faults: [fault] };
  }
  return await resumed(disk, { kept, found, lines, lastName });
}

/** Without those of the chains before. */
function linesFrom(lines: readonly FoundLine[], head: string): readonly FoundLine[] {
  const first = lines.findIndex(({ line }) => readLine(line)?.previous === head);
  return first === -1 ? [] : lines.slice(first);
}

/** Begins another chain in place of the saved one, if any. Rejects with the disk's error. */
export async function newChain(disk: EvidenceDisk): Promise<KeptChain> {
  const kept: KeptChain = { ...beginChain(randomUUIDv7()), announced: false, delivered: 0, deletedTo: 0 };
  await saveChain(disk, kept);
  return kept;
}

async function begun(disk: EvidenceDisk, files: number): Promise<Omit<RecoveredChain, 'files'>> {
  const kept = await newChain(disk);
  const fault = 'the state of the chain before is gone or not readable; its files stay, and a new chain begins';
  return { kept, undelivered: [], faults: files > 0 ? [fault] : [] };
}

/** Reads the newest files, back to the last line and the first that the spool may lack. */
async function readBack(disk: EvidenceDisk, names: readonly string[], kept: KeptChain): Promise<readonly ReadFile[]> {
  const wanted = Math.min(kept.n, kept.delivered + 1);
  const read: ReadFile[] = [];
  for (const name of names.slice(-maxFilesRead).toReversed()) {
    const bytes = await disk.read(name);
    read.unshift({ name, bytes });
    const [first] = linesIn(bytes);
    if ((numberOf(first?.line ?? '') ?? Infinity) <= wanted) break;
  }
  return read;
}

interface Found {
  readonly kept: KeptChain;
  readonly found: readonly ReadFile[];
  readonly lines: readonly FoundLine[];
  readonly lastName: string | undefined;
}

async function resumed(disk: EvidenceDisk, { kept, found, lines, lastName }: Found): Promise<RecoveredChain> {
  const known = lines.findIndex(({ line }) => hashOf(line) === kept.head) + 1;
  const anew = { current: undefined, lastName };
  if (known === 0 && kept.n > 0) {
    const faults = missingHead(kept, lines);
    return { kept, files: anew, undelivered: undeliveredOf(lines, kept), faults, ...endOf(lines) };
  }
  const { state, count } = followed(kept, lines.slice(known));
  const ours = lines.slice(0, known + count);
  const chain = { ...kept, ...state };
  const undelivered = undeliveredOf(ours, chain);
  const stranger = lines[known + count];
  const last = found.at(-1);
  if (!last || (stranger && !isTorn(stranger, { file: last.name, head: state.head }))) {
    if (count > 0) await saveChain(disk, chain);
    const faults = stranger ? [strangerFault(chain, stranger)] : [];
    return { kept: chain, files: anew, undelivered, faults, ...endOf(ours) };
  }
  const current = { name: last.name, bytes: endIn(last.name, ours) };
  const torn = last.bytes.length - current.bytes;
  // Added lines are written again too, because they may not have been synced.
  if (torn > 0 || count > 0) await disk.replace(last.name, last.bytes.subarray(0, current.bytes));
  if (count > 0) await saveChain(disk, chain);
  const faults = torn > 0 ? [`a write was cut short: ${torn} bytes after line ${chain.n} were no whole line`] : [];
  return { kept: chain, files: { current, lastName }, undelivered, faults, ...endOf(ours) };
}

/** The lines that were synced before the state was saved: they are sealed with the saved key. */
function followed(
  kept: WrittenChain,
  lines: readonly FoundLine[],
): { readonly state: WrittenChain; readonly count: number } {
  let state = kept;
  for (const [count, { line }] of lines.entries()) {
    const next = follow(state, line);
    if (next.fault) return { state, count };
    state = next.state;
  }
  return { state, count: lines.length };
}

/** A crash can only leave a whole line that follows the last one. Any other line is of an older chain or was planted, and stays. */
function isTorn(found: FoundLine, last: { readonly file: string; readonly head: string }): boolean {
  const line = readLine(found.line);
  return found.file === last.file && (line === undefined || line.previous === last.head);
}

function endIn(file: string, lines: readonly FoundLine[]): number {
  const last = lines.at(-1);
  return last?.file === file ? last.end : 0;
}

function endOf(lines: readonly FoundLine[]): Pick<RecoveredChain, 'last'> {
  return { last: lines.at(-1)?.line };
}

function undeliveredOf(lines: readonly FoundLine[], { delivered, n: last }: KeptChain): readonly NumberedLine[] {
  return lines.flatMap(({ line }) => {
    const n = numberOf(line);
    return n !== undefined && n > delivered && n <= last ? [{ n, line }] : [];
  });
}

function numberOf(line: string): number | undefined {
  return readLine(line)?.n;
}

function missingHead({ n, deletedTo }: KeptChain, lines: readonly FoundLine[]): readonly string[] {
  const end = lines.at(-1);
  if (!end && deletedTo === n) return [];
  const found = end ? `end with line ${numberOf(end.line) ?? 'that is none of this chain'}` : 'are gone';
  return [`expected the evidence files to hold line ${n} as it was written; they ${found}, or that line was changed`];
}

function strangerFault({ n }: KeptChain, { file }: FoundLine): string {
  return `expected line ${n} to be the last of the evidence files; ${file} goes on with one that does not follow it`;
}
