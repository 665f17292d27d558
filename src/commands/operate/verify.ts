import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { printable } from '../../core/printable.ts';
import { verifyAgentFolder } from '../../records/verify/verify-agent-folder.ts';
import { manifestFile, signatureFile, verifyExport } from '../../records/verify/verify-export.ts';
import type { Verdict } from '../../records/verify/verify-file.ts';
import { paintFor } from '../../terminal/paint.ts';
import { counted } from '../../terminal/units.ts';
import { exitCodeOf } from '../exit-codes.ts';
import { AppError } from '../../core/errors.ts';

/** Says whether a folder of evidence is as it was signed or sealed; returns the exit code. @throws {AppError} usage, unavailable */
export async function verify(folder: string, output: NodeJS.WriteStream): Promise<number> {
  const { findings, notes } = await verdictOn(folder);
  const paint = paintFor(output);
  for (const note of notes) output.write(`${printable(note)}\n`);
  for (const { file, line, message } of findings) {
    const where = line === undefined ? file : `${file}:${line}`;
    output.write(`${paint('red', printable(`${where}: ${message}`))}\n`);
  }
  const isWhole = findings.length === 0;
  output.write(isWhole ? `${paint('green', 'Nothing was changed.')}\n` : `${counted(findings.length, 'fault')}\n`);
  return isWhole ? exitCodeOf.up : exitCodeOf.down;
}

async function verdictOn(folder: string): Promise<Verdict> {
  try {
    const isExport = [manifestFile, signatureFile].some((name) => existsSync(join(folder, name)));
    return isExport ? await verifyExport(folder) : await verifyAgentFolder(folder);
  } catch (error) {
    if (error instanceof AppError || !('code' in (error as Error))) throw error;
    throw new AppError('unavailable', `${folder} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}
