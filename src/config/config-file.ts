import { statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { AppError } from '../core/errors.ts';
import { readConfig, type LoadedConfig, type ReadOptions } from './config.ts';
import { configFilesOf, maxBytes, type ReadFile } from './loaded-documents.ts';
import { utf8TextOf, unreadable } from './regular-file.ts';
import type { Environment } from './variables.ts';

/** Where `-` reads from. */
const standardInput = '/dev/stdin';

/**
 * Reads a configuration from a file, a pipe (`-` is standard input), or every YAML and JSON file of a directory.
 * @throws {AppError} not-found, or invalid-config when the file cannot be read; what is wrong inside is in the answer
 */
export async function readConfigFile(
  name: string,
  environment: Environment,
  options?: ReadOptions,
): Promise<LoadedConfig> {
  return readConfig(await readFiles(name), environment, options);
}

/** A pipe was read to its end, and to open it again would wait for somebody to write. @throws {AppError} invalid-config */
export function assertRereadable(name: string): void {
  const status = name === '-' ? undefined : statSync(name, { throwIfNoEntry: false });
  if (name === '-' || (status && !status.isFile() && !status.isDirectory()))
    throw new AppError('invalid-config', `${name} is a pipe, which can be read only once; name a file instead`);
}

async function readFiles(name: string): Promise<readonly ReadFile[]> {
  const files = await explained(name, () => (name === '-' ? [standardInput] : configFilesOf(name)));
  if (files.length === 0)
    throw new AppError('not-found', `${name} has no configuration: expected files that end in .yaml, .yml or .json.`);
  const read: ReadFile[] = [];
  let left = maxBytes;
  for (const file of files) {
    const text = await explained(file, () => readText(file, left));
    left -= Buffer.byteLength(text);
    read.push({ file, text });
  }
  return read;
}

/** Reads to the end: a pipe has no size. */
async function readText(file: string, limit: number): Promise<string> {
  await using handle = await open(file);
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of handle.createReadStream({ autoClose: false })) {
    // A stream of a file without an encoding is one of buffers.
    pieces.push(piece as Buffer);
    bytes += (piece as Buffer).length;
    if (bytes > limit) throw new AppError('invalid-config', 'expected at most 16 MiB in all');
  }
  return utf8TextOf(Buffer.concat(pieces));
}

async function explained<Value>(file: string, work: () => Value | Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    const { code, message } = error instanceof AppError ? error : unreadable(error);
    throw new AppError(code, `${file} cannot be read: ${message}.`, { cause: error });
  }
}
