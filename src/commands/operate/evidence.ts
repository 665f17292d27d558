import { createHash } from 'node:crypto';
import { mkdir, open, readdir, writeFile, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../core/errors.ts';
import { proquints } from '../../core/proquint.ts';
import type { SensorName } from '../../core/sensor.ts';
import { keyPin } from '../../protocol/identity.ts';
import { lineText } from '../../records/record-line.ts';
import {
  readManifest,
  type Manifest,
  type ManifestChain,
  type LineRun,
  type SignedManifest,
} from '../../records/manifest.ts';
import { manifestFile, signatureFile, timestampFile } from '../../records/verify/verify-export.ts';
import { pathPart } from './path-part.ts';
import { evidenceAnswer, linesAnswer } from './server-answers.ts';
import { ServerClient } from './server-client.ts';
import { lineTo, type ServerPlace } from './server-line.ts';
import { stampedBy } from './timestamp.ts';
import { verify } from './verify.ts';

export interface EvidenceFlags extends ServerPlace {
  readonly sensor?: SensorName;
  /** ISO 8601 with a zone. */
  readonly from?: string;
  readonly to?: string;
  /** A time-stamping authority that is asked for a time stamp. */
  readonly timestamp?: URL;
}

/** Takes the records of an agent away from a server, signed, and verifies what was written; returns the exit code. @throws {AppError} */
export async function exportEvidence(agent: string, folder: string, flags: EvidenceFlags): Promise<number> {
  const { sensor, from, to, timestamp, ...place } = flags;
  await makeEmpty(folder);
  const client = new ServerClient(lineTo(place));
  const query = new URLSearchParams({ ...(sensor && { sensor }), ...(from && { from }), ...(to && { to }) });
  const signed = await client.get(`/agents/${pathPart(agent)}/evidence?${query.toString()}`, evidenceAnswer);
  const manifest = await writeEvidence({ client, folder, signed });
  if (timestamp) await writeFile(join(folder, timestampFile), await stampedBy(timestamp, Buffer.from(signed.manifest)));
  process.stdout.write(
    `Written to ${folder}. Write down the pin of the server's key: with it, \`verify\` needs nobody's word.\n`,
  );
  process.stdout.write(`${hashLines(signed.manifest).join('\n')}\n\n`);
  return await verify(folder, { pin: keyPin(manifest.serverKey) }, process.stdout);
}

interface SignedEvidence {
  readonly client: ServerClient;
  /** There, and empty. */
  readonly folder: string;
  readonly signed: SignedManifest;
}

/** Writes what a signed list names, and the list. @throws {AppError} */
export async function writeEvidence({ client, folder, signed }: SignedEvidence): Promise<Manifest> {
  const manifest = readManifest(signed.manifest);
  if (manifest === undefined)
    throw new AppError('unavailable', `${client.name} signs evidence in a form that this version does not know`);
  for (const [name, chains] of Map.groupBy(manifest.chains, (chain) => chain.sensor))
    await writeLines({ client, folder, sensor: name, chains });
  // Last: a folder without it is none that was finished.
  await writeFile(join(folder, manifestFile), signed.manifest);
  await writeFile(join(folder, signatureFile), `${signed.signature}\n`);
  return manifest;
}

/** The hash of the list, from which all the rest follows, to be noted down by somebody else. */
function hashLines(manifest: string): readonly string[] {
  const hash = createHash('sha256').update(manifest).digest();
  const words = proquints(hash);
  return [
    'So that nobody can exchange it, have somebody else write down the hash of its manifest.json, in words or digits:',
    `  ${words.slice(0, 8).join(' ')}`,
    `  ${words.slice(8).join(' ')}`,
    `  ${hash.toString('hex')}`,
  ];
}

interface Writing {
  readonly client: ServerClient;
  readonly folder: string;
  readonly sensor: SensorName;
  readonly chains: readonly ManifestChain[];
}

async function writeLines({ client, folder, sensor, chains }: Writing): Promise<void> {
  await using lines = await open(join(folder, `${sensor}.jsonl`), 'wx');
  await using text = await open(join(folder, `${sensor}.log`), 'wx');
  for (const { chain, runs } of chains) {
    for (const run of runs) {
      for await (const some of linesIn(client, chain, run)) {
        await append(lines, some);
        await append(text, some.map(lineText));
      }
    }
  }
}

async function* linesIn(
  client: ServerClient,
  chain: string,
  { first, last }: LineRun,
): AsyncGenerator<readonly string[]> {
  for (let next = first; next <= last;) {
    const limit = Math.min(linesAtOnce, last - next + 1);
    const { lines } = await client.get(`/chains/${chain}/lines?from=${next}&limit=${limit}`, linesAnswer);
    if (lines.length === 0) throw new AppError('unavailable', `record ${next} was dropped meanwhile: begin again`);
    yield lines;
    next += lines.length;
  }
}

const linesAtOnce = 100;

async function append(file: FileHandle, lines: readonly string[]): Promise<void> {
  await file.appendFile(lines.map((line) => `${line}\n`).join(''));
}

/** @throws {AppError} usage, when something is in it */
export async function makeEmpty(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const [first] = await readdir(folder);
  if (first === undefined) return;
  throw new AppError('usage', `expected a new or empty folder, got ${folder}, where there is ${first}`);
}
