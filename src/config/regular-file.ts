import { readFileSync, statSync } from 'node:fs';
import { AppError } from '../core/errors.ts';

/**
 * The text of a file that a configuration names. It must be a regular one: opening a pipe would wait for somebody to write.
 * @throws {AppError} not-found, invalid-config; the message says why and does not name the file
 */
export function readRegularFile(file: string, maxBytes: number): string {
  try {
    const status = statSync(file);
    if (status.isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' });
    if (!status.isFile()) throw new AppError('invalid-config', 'this is a pipe or a device, not a file');
    if (status.size > maxBytes)
      throw new AppError('invalid-config', `expected at most ${maxBytes} bytes, got ${status.size}`);
    return utf8TextOf(readFileSync(file));
  } catch (error) {
    throw error instanceof AppError ? error : unreadable(error);
  }
}

/** @throws {TypeError} if the bytes are no UTF-8 */
export function utf8TextOf(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  EACCES: 'this user may not read it',
  EISDIR: 'this is a directory, not a file',
  ELOOP: 'its symbolic links lead in a circle',
  ENAMETOOLONG: 'its name is too long',
  ERR_INVALID_ARG_VALUE: 'its name has a null byte',
  ERR_ENCODING_INVALID_ENCODED_DATA: 'this is not text in UTF-8',
};

/** Why a file cannot be read, in words. */
export function unreadable(cause: unknown): AppError {
  // What the calls of the file system throw is an error of the system.
  const { code = '', message } = cause as NodeJS.ErrnoException;
  return new AppError(code === 'ENOENT' ? 'not-found' : 'invalid-config', reasons[code] ?? message, { cause });
}
