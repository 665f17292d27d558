import { closeSync, constants, openSync } from 'node:fs';
import { checked, libc, SystemError } from './libc.ts';

/** flock(2), <sys/file.h>. */
const LOCK_EX = 2;
const LOCK_NB = 4;

/**
 * Locks a file, which is made if there is none, until what is returned is called or this process ends, however it ends: the
 * kernel holds the lock, so that neither a killed process nor another PID namespace matters. Undefined if another has it.
 * @throws {SystemError} when the file cannot be locked at all
 */
export function lockFile(path: string): (() => void) | undefined {
  const { O_RDWR, O_CREAT, O_NOFOLLOW } = constants;
  // Node opens files close-on-exec: no child inherits the lock.
  const descriptor = openSync(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0o600);
  try {
    checked(libc().flock(descriptor, LOCK_EX | LOCK_NB), 'flock');
  } catch (error) {
    closeSync(descriptor);
    if (error instanceof SystemError && error.code === 'EAGAIN') return undefined;
    throw error;
  }
  return () => closeSync(descriptor);
}
