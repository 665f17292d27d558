import { readFileSync } from 'node:fs';
import { AppError } from '../../core/errors.ts';

/** So short a passphrase is found by trying. */
const minLength = 8;
const maxLength = 1024;

/**
 * The passphrase of a backup: the content of the file without the end of its line, or that of the environment; never an argument,
 * which everyone on the machine could read. Undefined if neither is given. @throws {AppError} usage
 */
export function passphraseFrom(file: string | undefined): string | undefined {
  const found = file === undefined ? process.env['WATCHKEEPER_PASSPHRASE'] : readPassphrase(file);
  if (found === undefined || (found.length >= minLength && found.length <= maxLength)) return found;
  const expected = `expected a passphrase of ${minLength} to ${maxLength} characters, got ${found.length}`;
  throw new AppError('usage', file === undefined ? `WATCHKEEPER_PASSPHRASE: ${expected}` : `${file}: ${expected}`);
}

function readPassphrase(file: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    throw new AppError('usage', `the passphrase cannot be read: ${(error as Error).message}`, { cause: error });
  }
}
