import { existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { AppError } from '../core/errors.ts';

/** Where a server keeps its data unless told otherwise (XDG Base Directory Specification). */
export function defaultServerFolder(): string {
  return join(stateFolder(), 'server');
}

/** Where an agent keeps its data unless told otherwise. */
export function defaultAgentFolder(): string {
  return join(stateFolder(), 'agent');
}

/** Where the unit in deploy/ lets an agent keep its data. */
export const installedAgentFolder = '/var/lib/watchkeeper-agent';

/**
 * Makes the folder and those above it, for their owner only. Step by step: in a place like /proc, which takes no folders and says
 * that what is above is missing, mkdir of all at once never ends. @throws {AppError} unavailable
 */
export function makeFolder(path: string): string {
  const missing: string[] = [];
  for (let folder = resolve(path); !existsSync(folder); folder = dirname(folder)) missing.unshift(folder);
  try {
    for (const folder of missing) mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    const why = `the data folder ${path} cannot be made: ${(error as Error).message}`;
    throw new AppError('unavailable', `${why}. Choose another with --data`, { cause: error });
  }
  return path;
}

function stateFolder(): string {
  return join(process.env['XDG_STATE_HOME'] ?? join(homedir(), '.local', 'state'), 'watchkeeper');
}
