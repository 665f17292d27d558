import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../core/errors.ts';
import type { SensorName } from '../../core/sensor.ts';
import { keyPin, verifyBytes } from '../../protocol/identity.ts';
import { readManifest, type Manifest, type ManifestChain } from '../manifest.ts';
import { filesOf } from './folder-files.ts';
import { SignedRuns } from './signed-runs.ts';
import { judgementOf, type Finding, type SensorFacts, type TimestampFact, type Verdict } from './verdict.ts';
import { verifyFile } from './verify-file.ts';
import { WatchedTime, type Period } from './watched-time.ts';

export const manifestFile = 'manifest.json';
export const signatureFile = 'manifest.sig';
/** Not in every folder. */
export const timestampFile = 'manifest.tsr';
const maxManifestBytes = 64 * 1024 * 1024;

export interface ExportTrust {
  /** Of the key that must have signed. */
  readonly pin?: string | undefined;
  /** Reads the response of a time-stamping authority about these bytes; a text says what is wrong with it. */
  readonly readTimestamp?: (response: Buffer, stamped: Buffer) => TimestampFact | string;
}

/** Verifies that a folder is exactly what the server with the expected key exported. @throws {AppError} usage, unavailable */
export async function verifyExport(
  folder: string,
  { pin: expectedPin, readTimestamp }: ExportTrust = {},
): Promise<Verdict> {
  const { names: present, findings: strangers } = await filesOf(folder);
  const findings: Finding[] = [...strangers];
  const manifest = await readSigned({ folder, present }, findings);
  if (!manifest) return { judgement: 'altered', findings, sensors: [], alarms: [] };
  const bySensor = Map.groupBy(manifest.chains, ({ sensor }) => sensor);
  const expected = new Set([
    manifestFile,
    signatureFile,
    ...[...bySensor.keys()].flatMap((name) => [`${name}.jsonl`, `${name}.log`]),
  ]);
  const timestamp = present.has(timestampFile) ? await stampOf(folder, readTimestamp, findings) : undefined;
  if (present.has(timestampFile)) expected.add(timestampFile);
  for (const file of present.difference(expected)) findings.push({ file, message: 'expected no such file, got one' });
  for (const file of expected.difference(present)) findings.push({ file, message: 'expected this file, got none' });
  const sensors: SensorFacts[] = [];
  for (const [sensor, chains] of bySensor) {
    const watched = new WatchedTime();
    if (present.has(`${sensor}.jsonl`)) {
      const file = { folder, name: `${sensor}.jsonl`, hasText: present.has(`${sensor}.log`), watched };
      findings.push(...(await verifyFile(file, new SignedRuns(chains, watched))));
    }
    sensors.push(factsOf({ sensor, chains, watched, period: periodOf(manifest, watched) }));
  }
  return verdictOn(manifest, { findings, sensors, expectedPin, timestamp });
}

async function stampOf(
  folder: string,
  read: ExportTrust['readTimestamp'],
  findings: Finding[],
): Promise<TimestampFact | undefined> {
  const [response, stamped] = [await contentOf(folder, timestampFile), await contentOf(folder, manifestFile)];
  const fact = read?.(response, stamped) ?? 'expected no time stamp, which is not read here';
  if (typeof fact !== 'string') return fact;
  findings.push({ file: timestampFile, message: fact });
  return undefined;
}

interface Found {
  readonly findings: readonly Finding[];
  readonly sensors: readonly SensorFacts[];
  readonly expectedPin: string | undefined;
  readonly timestamp: TimestampFact | undefined;
}

function verdictOn(manifest: Manifest, { findings, sensors, expectedPin, timestamp }: Found): Verdict {
  const { agentId, agent, serverId, serverKey, madeAt, version, asked, chains } = manifest;
  const facts = {
    findings,
    agent: { id: agentId, name: agent },
    signature: { serverId, pin: keyPin(serverKey), expectedPin, madeAt, version },
    ...(timestamp && { timestamp }),
    asked,
    sensors,
    alarms: chains.flatMap(({ sensor, alarms }) => alarms.map((alarm) => ({ sensor, ...alarm }))),
  };
  return { judgement: judgementOf(facts), ...facts };
}

/** What was asked for, as far as it lay in the past when it was signed; undefined if everything was. */
function periodOf({ asked, madeAt }: Manifest, { records }: WatchedTime): Period | undefined {
  if (asked?.from === undefined && asked?.to === undefined) return undefined;
  const from = asked.from === undefined ? (records?.from ?? 0) : Date.parse(asked.from);
  const to = asked.to === undefined ? (records?.to ?? from) : Date.parse(asked.to);
  return { from, to: Math.max(from, Math.min(to, Date.parse(madeAt))) };
}

interface OfSensor {
  readonly sensor: SensorName;
  readonly chains: readonly ManifestChain[];
  readonly watched: WatchedTime;
  readonly period: Period | undefined;
}

function factsOf({ sensor, chains, watched, period }: OfSensor): SensorFacts {
  return {
    sensor,
    chains: chains.map(({ chain, runs, kept, verifiedTo }) => ({
      chain,
      runs: runs.map(({ first, last }) => ({ first, last })),
      kept,
      verifiedTo,
    })),
    records: watched.records,
    blind: watched.times(period),
    orders: watched.orders,
    lost: watched.lost,
  };
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
