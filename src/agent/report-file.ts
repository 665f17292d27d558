import { readFileSync } from 'node:fs';
import type { SmallFiles } from '../core/small-files.ts';

/** An agent that runs writes its reports this often. */
export const reportIntervalMs = 2000;

interface ReportOptions {
  readonly report: object;
  readonly mode: 0o600 | 0o644;
}

/** Replaces a report atomically, with exactly this `mode` regardless of the umask. Not synced: a report need not survive a power cut. */
export function replaceReport(files: SmallFiles, name: string, { report, mode }: ReportOptions): void {
  files.replace(name, JSON.stringify(report), { mode, isDurable: false });
}

/** The last report; undefined if there is none, or it is not for this user. */
export function readReport(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if (['ENOENT', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

/** Whether an agent still writes this report; its process may be hidden from whoever asks. */
export function isFresh({ writtenAt }: { readonly writtenAt: number }, now: number): boolean {
  return now - writtenAt < 3 * reportIntervalMs;
}
