import { createHash } from 'node:crypto';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { keyPin } from '../../protocol/identity.ts';
import {
  sessionManifestSchema,
  sessionReportSchema,
  type SessionManifest,
  type SessionReport,
} from '../report/session-report.ts';
import { fileContent, readSigned } from './signed-file.ts';
import { gapsIn, type Finding, type Judgement, type Signature, type Verdict } from './verdict.ts';
import { manifestFile, verifyExport, type ExportTrust } from './verify-export.ts';

export const sessionFile = 'session.json';
export const sessionSignatureFile = 'session.sig';
export const reportFile = 'report.json';
export const pageFile = 'report.html';
const seatsFolder = 'seats';

export interface SeatEvidence {
  readonly folder: string;
  readonly name: string;
  readonly verdict: Verdict;
}

/** What a folder with the report of a session proves. */
export interface SessionVerdict {
  readonly judgement: Judgement;
  readonly findings: readonly Finding[];
  readonly signature?: Signature;
  /** Absent if it is not there readably. */
  readonly report?: SessionReport;
  readonly seats: readonly SeatEvidence[];
}

/** Undefined if the text is not the signed list of a session. */
export function readSessionManifest(text: string): SessionManifest | undefined {
  return sessionManifestSchema.safeParse(parsed(text)).data;
}

/** Verifies that a folder is the report of a session as the server with the expected key signed it. @throws {AppError} usage, unavailable */
export async function verifySession(folder: string, trust: ExportTrust = {}): Promise<SessionVerdict> {
  const expectedPin = trust.pin;
  const findings: Finding[] = [];
  const names = { list: sessionFile, signature: sessionSignatureFile };
  const manifest = await readSigned({ folder, names, read: readSessionManifest }, findings);
  if (!manifest) return { judgement: 'altered', findings, seats: [] };
  findings.push(...(await strangersIn(folder, manifest)));
  for (const { name, sha256 } of manifest.files) findings.push(...(await compare(folder, name, sha256)));
  const content = await fileContent(folder, reportFile);
  const report = sessionReportSchema.safeParse(parsed(content?.toString() ?? '')).data;
  if (!report) findings.push({ file: reportFile, message: 'expected the report of a session, got something else' });
  const seats = await seatsOf({ folder, manifest, trust });
  for (const { folder: seat, verdict } of seats)
    for (const finding of verdict.findings) findings.push({ ...finding, file: `${seat}/${finding.file}` });
  const { serverId, serverKey, madeAt, version } = manifest;
  const signature = { serverId, pin: keyPin(serverKey), expectedPin, madeAt, version };
  const judgement = judgementOn({ findings, signature, seats, report });
  return { judgement, findings, signature, ...(report && { report }), seats };
}

interface SeatsFolder {
  readonly folder: string;
  readonly manifest: SessionManifest;
  readonly trust: ExportTrust;
}

async function seatsOf({ folder, manifest, trust }: SeatsFolder): Promise<readonly SeatEvidence[]> {
  const seats: SeatEvidence[] = [];
  for (const { name: file } of manifest.files.filter(({ name }) => name.startsWith(`${seatsFolder}/`))) {
    const seat = file.slice(0, -manifestFile.length - 1);
    // What is missing or is a link was told already.
    if (!(await isFolder(join(folder, seatsFolder))) || !(await isFolder(join(folder, seat)))) continue;
    const verdict = await verifyExport(join(folder, seat), trust);
    seats.push({ folder: seat, name: verdict.agent?.name ?? seat, verdict });
  }
  return seats;
}

interface Facts extends Pick<SessionVerdict, 'findings' | 'seats'> {
  readonly signature: Signature;
  readonly report: SessionReport | undefined;
}

function judgementOn({ findings, signature, seats, report }: Facts): Judgement {
  if (findings.length > 0) return 'altered';
  if (signature.pin !== signature.expectedPin) return 'signer-unknown';
  if (seats.some(({ verdict }) => verdict.judgement === 'signer-unknown')) return 'altered';
  const isWhole = report?.seats.every(({ sensors }) =>
    sensors.every(({ blind, lost }) => blind.length + lost.length === 0),
  );
  const areQuiet = seats.every(({ verdict }) => verdict.judgement === 'complete' && gapsIn(verdict).length === 0);
  return isWhole === true && areQuiet && report?.seats.length === seats.length ? 'complete' : 'genuine';
}

/** What is in the folder and was not signed. Inside the folders of seats their own lists tell. */
async function strangersIn(folder: string, { files }: SessionManifest): Promise<readonly Finding[]> {
  const seats = files.map(({ name }) => name.split('/')).flatMap(([top, seat]) => (top === seatsFolder ? [seat] : []));
  const known = [sessionFile, sessionSignatureFile, reportFile, pageFile];
  const hasSeats = await isFolder(join(folder, seatsFolder));
  return [
    ...(await othersIn(folder, { files: known, folders: hasSeats ? [seatsFolder] : [] })),
    ...(hasSeats
      ? await othersIn(join(folder, seatsFolder), { files: [], folders: seats, as: `${seatsFolder}/` })
      : []),
  ];
}

interface ExpectedEntries {
  readonly files: readonly string[];
  readonly folders: readonly (string | undefined)[];
  /** Stands before a name in a finding. */
  readonly as?: string;
}

async function othersIn(folder: string, { files, folders, as = '' }: ExpectedEntries): Promise<readonly Finding[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const others = entries.filter(
    (entry) =>
      !(entry.isFile() && files.includes(entry.name)) && !(entry.isDirectory() && folders.includes(entry.name)),
  );
  return others.map(({ name }) => ({ file: `${as}${name}`, message: 'expected nothing of that name and kind' }));
}

/** A link to one is none. */
async function isFolder(path: string): Promise<boolean> {
  return await lstat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
}

async function compare(folder: string, name: string, expected: string): Promise<readonly Finding[]> {
  const content = await fileContent(folder, name);
  const hash = content && createHash('sha256').update(content).digest('base64url');
  if (hash === expected) return [];
  const what = hash === undefined ? 'no such file' : `another, whose hash is ${hash}`;
  return [{ file: name, message: `expected the file with the hash ${expected} that was signed, got ${what}` }];
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
