import { open } from 'node:fs/promises';
import { AppError, type ErrorCode } from '../core/errors.ts';
import { readConfig, type LoadedConfig, type ReadOptions } from './config.ts';
import type { Environment } from './environment.ts';

/** Room for the most monitors a configuration may have, and a bound on the time and memory that one takes to read. */
const maxBytes = 16 * 1024 * 1024;

/**
 * Reads a configuration from a file.
 * @throws {AppError} not-found, or invalid-config when the file cannot be read; what is wrong inside is in the answer
 */
export async function readConfigFile(
  file: string,
  environment: Environment,
  options?: ReadOptions,
): Promise<LoadedConfig> {
  return readConfig(await readText(file), environment, options);
}

async function readText(file: string): Promise<string> {
  try {
    await using handle = await open(file);
    const { size } = await handle.stat();
    const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(Math.min(size, maxBytes) + 1), { position: 0 });
    if (bytesRead > maxBytes) throw new AppError('invalid-config', `${file}: expected at most 16 MiB; split the file.`);
    return new TextDecoder('utf-8', { fatal: true }).decode(buffer.subarray(0, bytesRead));
  } catch (error) {
    throw error instanceof AppError ? error : unreadable(file, error);
  }
}

const whyByCode: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  ENOENT: ['not-found', 'there is no such file'],
  EACCES: ['invalid-config', 'this user may not read it'],
  EISDIR: ['invalid-config', 'this is a directory, not a file'],
  ERR_ENCODING_INVALID_ENCODED_DATA: ['invalid-config', 'this is not text in UTF-8'],
};

function unreadable(file: string, error: unknown): AppError {
  const { code = '', message } = error as NodeJS.ErrnoException;
  const [errorCode, why] = whyByCode[code] ?? (['invalid-config', message] as const);
  return new AppError(errorCode, `${file} cannot be read: ${why}.`, { cause: error });
}
