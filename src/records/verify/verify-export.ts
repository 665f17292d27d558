import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../core/errors.ts';
import { keyPin, verifyBytes } from '../../protocol/identity.ts';
import { ChainReader } from './chain-reader.ts';
import { filesOf } from './folder-files.ts';
import { readManifest, type Manifest, type LineRun } from '../manifest.ts';
import { verifyFile, type Finding, type LineReader, type Verdict } from './verify-file.ts';

export const manifestFile = 'manifest.json';
export const signatureFile = 'manifest.sig';
const maxManifestBytes = 64 * 1024 * 1024;
/** Verifies that a folder is exactly what a server exported. @throws {AppError} usage, unavailable */
export async function verifyExport(folder: string): Promise<Verdict> {
  const { names: present, findings: strangers } = await filesOf(folder);
  const findings: Finding[] = [...strangers];
  const manifest = await readSigned({ folder, present }, findings);
  if (!manifest) return { findings, notes: [] };
  const sensors = [...new Set(manifest.chains.map(({ sensor }) => sensor))];
  const expected = new Set([
    manifestFile,
    signatureFile,
    ...sensors.flatMap((name) => [`${name}.jsonl`, `${name}.log`]),
  ]);
  for (const file of present.difference(expected)) findings.push({ file, message: 'expected no such file, got one' });
  for (const file of expected.difference(present)) findings.push({ file, message: 'expected this file, got none' });
  for (const sensor of sensors.filter((name) => present.has(`${name}.jsonl`))) {
    const runs = manifest.chains.filter((chain) => chain.sensor === sensor).flatMap((chain) => chain.runs);
    const hasText = present.has(`${sensor}.log`);
    findings.push(...(await verifyFile({ folder, name: `${sensor}.jsonl`, hasText }, new RunReader(runs))));
  }
  return { findings, notes: notesOn(manifest) };
}

interface ExportFolder {
  readonly folder: string;
  readonly present: ReadonlySet<string>;
}

async function readSigned({ folder, present }: ExportFolder, findings: Finding[]): Promise<Manifest | undefined> {
  const [bytes = Buffer.alloc(0), signed = Buffer.alloc(0)] = await Promise.all(
    [manifestFile, signatureFile].map(async (name) => (present.has(name) ? await contentOf(folder, name) : undefined)),
  );
  const signature = signed.toString('latin1');
  const manifest = readManifest(bytes.toString());
  if (!manifest) {
    findings.push({ file: manifestFile, message: 'expected the list that a server signed, got something else' });
    return undefined;
  }
  const bare = signature.slice(0, -1);
  // Base64 has several spellings of the same bytes; the server writes one of them.
  const isSpelled = Buffer.from(bare, 'base64url').toString('base64url') === bare && signature.endsWith('\n');
  if (!isSpelled) findings.push({ file: signatureFile, message: 'expected a signature as a server writes it' });
  if (!verifyBytes(manifest.serverKey, bytes, bare)) {
    const message = `expected bytes that ${signatureFile} signs with the key in it: one of the two was changed`;
    findings.push({ file: manifestFile, message });
  }
  return manifest;
}

/** Follows lines through the runs that were signed. */
class RunReader implements LineReader {
  readonly #runs: Iterator<LineRun>;
  #run: LineRun | undefined;
  #chain: ChainReader | undefined;

  constructor(runs: Iterable<LineRun>) {
    this.#runs = runs[Symbol.iterator]();
    this.#begin();
  }

  next(text: string): string | undefined {
    const [run, chain] = [this.#run, this.#chain];
    if (!run || !chain) return 'expected the end of the file, got a line more';
    const wrong = chain.next(text);
    const { n, head } = chain.place;
    if (n < run.last) return wrong;
    this.#begin();
    if (n > run.last) return wrong;
    return (
      wrong ??
      (head === run.head ? undefined : `expected record ${n} with the hash ${run.head} that was signed, got ${head}`)
    );
  }

  missing(): string | undefined {
    if (!this.#run || !this.#chain) return undefined;
    return `expected records ${this.#chain.place.n + 1} to ${this.#run.last} of its chain, got the end of the file`;
  }

  #begin(): void {
    const { value, done } = this.#runs.next();
    this.#run = done ? undefined : value;
    this.#chain = this.#run && new ChainReader({ n: this.#run.first - 1, head: this.#run.previous });
  }
}

function notesOn({ agent, serverKey, madeAt, version, chains }: Manifest): readonly string[] {
  const counts = chains.map(({ sensor, chain, runs, verifiedTo }) => {
    const lines = runs.reduce((sum, { first, last }) => sum + last - first + 1, 0);
    const breaks = runs.length > 1 ? `, with ${runs.length - 1} breaks that the server knew of` : '';
    return `${sensor}: ${lines} records of chain ${chain}${breaks}; the server had checked their seals up to record ${verifiedTo}.`;
  });
  const alarms = chains.flatMap(({ sensor, alarms }) =>
    alarms.map(({ at, cause, message }) => `ALARM of the server, ${at}, ${sensor}, ${cause}: ${message}.`),
  );
  const signed = `Signed ${madeAt} by Watchkeeper ${version} with the key whose pin is ${keyPin(serverKey)}. Whoever made another key could sign as well: compare the pin with that of your server, which follows wk1. in what 'watchkeeper invite' prints there.`;
  const whose = chains.length === 0 ? `Agent ${agent} has no records here.` : `Evidence of agent ${agent}.`;
  return [whose, ...counts, ...alarms, signed];
}

/** @throws {AppError} usage, unavailable */
async function contentOf(folder: string, name: string): Promise<Buffer> {
  const file = join(folder, name);
  try {
    const { size } = await stat(file);
    if (size > maxManifestBytes)
      throw new AppError('usage', `expected ${file} to be of at most ${maxManifestBytes} bytes, got ${size}`);
    return await readFile(file);
  } catch (error) {
    throw error instanceof AppError
      ? error
      : new AppError('unavailable', `${file} cannot be read: ${(error as Error).message}`);
  }
}
