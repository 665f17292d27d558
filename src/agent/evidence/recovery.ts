import { randomUUIDv7 } from 'node:crypto';
import { beginChain, follow, hashOf, readLine, type WrittenChain } from '../../records/chain.ts';
import { readChain, saveChain, type KeptChain } from './chain-file.ts';
import type { NumberedLine } from './delivery.ts';
import type { EvidenceDisk } from './evidence-disk.ts';
import { linesFiles, linesIn, type FilesAtHand } from './evidence-files.ts';

/** A chain as its folder had it, made whole. */
export interface RecoveredChain {
  readonly kept: KeptChain;
  readonly files: FilesAtHand;
  /** Lines that the spool may not have. */
  readonly undelivered: readonly NumberedLine[];
  /** What was not as it should be, for `lost` records. */
  readonly faults: readonly string[];
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

/** More than any file that an agent writes; a larger one is not read. */
const maxFileBytes = 16 * 1024 * 1024;
/** So many files are looked through for lines that wait for the spool. */
const maxFilesRead = 8;

/** Reads the chain of a folder, or begins one. Rejects with what the disk says. */
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

/** Another chain takes the place of the one that was kept, if any. Rejects with what the disk says. */
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

/** The newest files, as far back as the last line, and the first that the spool may not have. */
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
    return { kept, files: anew, undelivered: undeliveredOf(lines, kept), faults: missingHead(kept, lines) };
  }
  const { state, count } = followed(kept, lines.slice(known));
  const ours = lines.slice(0, known + count);
  const chain = { ...kept, ...state };
  const undelivered = undeliveredOf(ours, chain);
  const stranger = lines[known + count];
  const last = found.at(-1);
  if (!last || (stranger && !isTorn(stranger, { file: last.name, head: state.head }))) {
    if (count > 0) await saveChain(disk, chain);
    return { kept: chain, files: anew, undelivered, faults: stranger ? [strangerFault(chain, stranger)] : [] };
  }
  const current = { name: last.name, bytes: endIn(last.name, ours) };
  const torn = last.bytes.length - current.bytes;
  // Also what was added is written anew: nobody knows whether it was synced.
  if (torn > 0 || count > 0) await disk.replace(last.name, last.bytes.subarray(0, current.bytes));
  if (count > 0) await saveChain(disk, chain);
  const faults = torn > 0 ? [`a write was cut short: ${torn} bytes after line ${chain.n} were no whole line`] : [];
  return { kept: chain, files: { current, lastName }, undelivered, faults };
}

/** The lines that were synced before the state with the next key was: they are sealed with the key that is here. */
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

/** A crash leaves no whole line that follows another than the last: such a line is of an older chain or was put there, and stays. */
function isTorn(found: FoundLine, last: { readonly file: string; readonly head: string }): boolean {
  const line = readLine(found.line);
  return found.file === last.file && (line === undefined || line.previous === last.head);
}

function endIn(file: string, lines: readonly FoundLine[]): number {
  const last = lines.at(-1);
  return last?.file === file ? last.end : 0;
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
