/** Suffix of a file that has not replaced its target yet. */
export const unfinished = '.new';

/** True for an error of the system (disk full, broken, read-only), false for a bug of ours. */
export function isDiskError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}
