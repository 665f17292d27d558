import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '../../core/errors.ts';
import { verifyAgentFolder } from '../../records/verify/verify-agent-folder.ts';
import type { Judgement, Verdict } from '../../records/verify/verdict.ts';
import { manifestFile, signatureFile, verifyExport, type ExportTrust } from '../../records/verify/verify-export.ts';
import { sessionFile, sessionSignatureFile, verifySession } from '../../records/verify/session-folder.ts';
import { paintFor } from '../../terminal/paint.ts';
import { formatSessionVerdict } from '../../terminal/session-verdict-view.ts';
import { formatVerdict } from '../../terminal/verdict-view.ts';
import { columnsFor } from '../../terminal/width.ts';
import { exitCodeOf } from '../exit-codes.ts';
import { timestampReader } from './timestamp.ts';

export interface VerifyFlags {
  /** Of the key that must have signed. */
  readonly pin?: string;
  /** Certificates (PEM) of time-stamping authorities that are trusted. */
  readonly timestampCa?: string;
  readonly json?: boolean;
}

const exitCodeFor: Readonly<Record<Judgement, number>> = {
  complete: exitCodeOf.up,
  genuine: exitCodeOf.degraded,
  altered: exitCodeOf.down,
  'signer-unknown': exitCodeOf.unknown,
  unsigned: exitCodeOf.unknown,
};

/** Says what a folder of evidence proves; returns the exit code. @throws {AppError} usage, unavailable */
export async function verify(
  folder: string,
  { pin, timestampCa, json = false }: VerifyFlags,
  output: NodeJS.WriteStream,
): Promise<number> {
  const view = { paint: paintFor(output), columns: columnsFor(output), zone: Temporal.Now.timeZoneId() };
  const trust = { pin, readTimestamp: timestampReader(timestampCa) };
  const isSession = [sessionFile, sessionSignatureFile].some((name) => existsSync(join(folder, name)));
  if (isSession) {
    const verdict = await readable(folder, () => verifySession(folder, trust));
    output.write(`${json ? JSON.stringify(verdict) : formatSessionVerdict(verdict, view)}\n`);
    return exitCodeFor[verdict.judgement];
  }
  const verdict = await readable(folder, () => verdictOn(folder, trust));
  output.write(`${json ? JSON.stringify(verdict) : formatVerdict(verdict, view)}\n`);
  return exitCodeFor[verdict.judgement];
}

async function verdictOn(folder: string, trust: ExportTrust): Promise<Verdict> {
  const isExport = [manifestFile, signatureFile].some((name) => existsSync(join(folder, name)));
  return isExport ? await verifyExport(folder, trust) : await verifyAgentFolder(folder);
}

async function readable<Result>(folder: string, read: () => Promise<Result>): Promise<Result> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof AppError || !('code' in (error as Error))) throw error;
    throw new AppError('unavailable', `${folder} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}
