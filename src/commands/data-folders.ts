import { chmodSync, existsSync, mkdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { AppError } from '../core/errors.ts';
import { systemReason } from '../core/system-error.ts';
import { lockFile } from '../sys/lock.ts';

/** Where a server keeps its data unless told otherwise (XDG Base Directory Specification). */
export function defaultServerFolder(): string {
  return join(stateFolder(), 'server');
}

/** Where an agent keeps its data unless told otherwise. */
export function defaultAgentFolder(): string {
  return join(stateFolder(), 'agent');
}

/** Where the unit in deploy/ lets an agent keep its data. */
const installedAgentFolder = '/var/lib/watchkeeper-agent';

/** Where an agent of this machine may keep its data: this user's own, where it has a home, or the installed one. */
export function agentFolders(): readonly string[] {
  return [...(homeFolder() === undefined ? [] : [defaultAgentFolder()]), installedAgentFolder];
}

interface FolderOwner {
  /** Of the folder itself where it is made; those above it are their owner's only. */
  readonly mode: 0o700 | 0o711;
  /** Who uses it, for the sentence that says that it is in use. */
  readonly user: 'agent' | 'server';
}

/**
 * Makes a data folder, or takes one that is this user's and writable for nobody else, and locks it: one process a folder.
 * @throws {AppError} unavailable
 */
export function takeFolder(path: string, { mode, user }: FolderOwner): Disposable & { readonly path: string } {
  makeFolder(path, mode);
  refuseIfForeign(path);
  let release;
  try {
    release = lockFile(join(path, 'lock'));
  } catch (error) {
    throw cannotBe('used', path, error);
  }
  if (release) return { path, [Symbol.dispose]: release };
  const next = 'stop it, or choose another with --data';
  throw new AppError('unavailable', `another ${user} uses the data folder ${path}: ${next}`);
}

/**
 * Makes the folder and those above it, step by step: in a place like /proc, which takes no folders and says that what is above
 * is missing, mkdir of all at once never ends.
 */
function makeFolder(path: string, mode: number): void {
  const missing: string[] = [];
  for (let folder = resolve(path); !existsSync(folder); folder = dirname(folder)) missing.unshift(folder);
  try {
    for (const folder of missing) mkdirSync(folder, { mode: 0o700 });
    // The mode of a folder that was there is its owner's matter.
    if (missing.length > 0) chmodSync(path, mode);
  } catch (error) {
    throw cannotBe('made', path, error);
  }
}

/** What others can write there could be put in the place of keys and results. */
function refuseIfForeign(path: string): void {
  const { uid, mode } = statSync(path);
  const own = process.geteuid?.() ?? uid;
  if (uid !== own) {
    const next = `start it as that user, or give the folder to this one: chown -R ${own} ${path}`;
    throw new AppError(
      'unavailable',
      `the data folder ${path} belongs to user ${uid}, and this is user ${own}: ${next}`,
    );
  }
  if ((mode & 0o022) === 0) return;
  throw new AppError('unavailable', `others may write into the data folder ${path}: chmod go-w ${path}`);
}

function cannotBe(what: 'made' | 'used', path: string, cause: unknown): AppError {
  const { code, message } = cause as NodeJS.ErrnoException;
  // What is missing above it was made before: only places like /proc still say so.
  const reason = code === 'ENOENT' ? 'no folder can be made there' : (systemReason(cause) ?? message);
  const why = `the data folder ${path} cannot be ${what}: ${reason}`;
  return new AppError('unavailable', `${why}. Choose another with --data`, { cause });
}

/** @throws {AppError} usage, where this user has no home, as in many a container */
function stateFolder(): string {
  const state = process.env['XDG_STATE_HOME'] ?? '';
  // The specification has relative paths ignored.
  if (isAbsolute(state)) return join(state, 'watchkeeper');
  const home = homeFolder();
  if (home !== undefined) return join(home, '.local', 'state', 'watchkeeper');
  throw new AppError('usage', 'this user has no home folder: say with --data where the data is, or set HOME');
}

/** Undefined without HOME and without an entry for this user in the list of users. */
function homeFolder(): string | undefined {
  try {
    const home = homedir();
    return isAbsolute(home) ? home : undefined;
  } catch {
    return undefined;
  }
}
