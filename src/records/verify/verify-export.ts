import type { SensorName } from '../../core/sensor.ts';
import { keyPin } from '../../protocol/identity.ts';
import { readManifest, type Manifest, type ManifestChain } from '../manifest.ts';
import { filesOf } from './folder-files.ts';
import { fileContent, readSigned } from './signed-file.ts';
import { SignedRuns } from './signed-runs.ts';
import { judgementOf, type Finding, type SensorFacts, type TimestampFact, type Verdict } from './verdict.ts';
import { verifyFile } from './verify-file.ts';
import { WatchedTime, type Period } from './watched-time.ts';

export const manifestFile = 'manifest.json';
export const signatureFile = 'manifest.sig';
/** Not in every folder. */
export const timestampFile = 'manifest.tsr';

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
  const names = { list: manifestFile, signature: signatureFile };
  const manifest = await readSigned({ folder, names, read: readManifest }, findings);
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
  const [response, stamped] = [await fileContent(folder, timestampFile), await fileContent(folder, manifestFile)];
  if (!response || !stamped) return undefined;
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
