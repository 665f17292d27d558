import { closeSync, existsSync, mkdirSync, openSync, readSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { AppError } from '../../../core/errors.ts';
import { systemFault, systemReason } from '../../../core/system-error.ts';
import { knownVersionOf, migrate } from './migrate.ts';
import { migrations } from './schema.ts';

/** Events that an operator should know, each reported once. */
export type Notice =
  | { readonly event: 'quarantined'; readonly file: string; readonly reason: string }
  | { readonly event: 'migrated'; readonly from: number; readonly to: number }
  | {
      /** `unsealable-hour`: by a fault of this program its results stay as they came, which takes more room. */
      readonly event: 'damaged-hour' | 'unsealable-hour';
      readonly taskId: string;
      readonly from: number;
      readonly reason: string;
    }
  | { readonly event: 'waiting-for-lock' | 'lock-gained' };

export const fileName = 'watchkeeper.db';

/** https://www.sqlite.org/rescode.html */
const resultCodes = {
  busy: 5,
  readOnly: 8,
  ioError: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  notADatabase: 26,
} as const;

/** The pages of the last slots and of what is being sealed; the system caches the rest. */
const cacheKiB = 16_384;

/** Larger files are checked in part, so that the server starts in time; `verify` reads them all. */
const fullCheckBytes = 128 * 2 ** 20;
const firstTables = ['agents', 'join_tokens', 'monitors', 'tasks', 'assignments', 'epochs', 'series'] as const;

/**
 * Opens the database for its only writer: a file that cannot be read is put aside and a new one begun, an older schema is brought
 * up to date, a newer one refused with `usage`.
 */
export function openForWriting(folder: string, say: (notice: Notice) => void): DatabaseSync {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, fileName);
  const damage = damageOf(file);
  if (damage !== undefined) quarantine(file, damage, say);
  const db = new DatabaseSync(file, { timeout: 5000 });
  try {
    // 16 KiB: a sealed hour of a busy check still fits a quarter of a page, beyond which SQLite would give it pages of its own.
    db.exec('PRAGMA page_size = 16384; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
    db.exec(`PRAGMA cache_size = ${-cacheKiB}; PRAGMA journal_size_limit = ${64 * 2 ** 20};`);
    const from = migrate(db, migrations);
    if (from > 0 && from < migrations.length) say({ event: 'migrated', from, to: migrations.length });
    // From here on locks are awaited between calls: waiting inside a call would block the thread.
    db.exec('PRAGMA busy_timeout = 0');
    return db;
  } catch (error) {
    db.close();
    throw asAppError(error);
  }
}

/** Opens the database, which exists, for queries. */
export function openForReading(folder: string): DatabaseSync {
  return new DatabaseSync(join(folder, fileName), { readOnly: true, timeout: 5000 });
}

/** Reads all of a database that nobody uses. @throws {AppError} usage, when this program could not use it */
export function assertUsable(file: string): void {
  const damage = damageOf(file, Infinity);
  if (damage !== undefined) throw new AppError('usage', `the store in it is damaged: ${damage}`);
  using db = new DatabaseSync(file);
  knownVersionOf(db, migrations);
}

export function quickCheck(db: DatabaseSync, table?: string): string[] {
  const rows = db.prepare(table === undefined ? 'PRAGMA quick_check' : `PRAGMA quick_check(${table})`).all();
  return rows.map((row) => String(row['quick_check'])).filter((line) => line !== 'ok');
}

export function isBusy(error: unknown): boolean {
  return codeOf(error) === resultCodes.busy;
}

/** Whether stored bytes are not what was written, and not that SQLite or the disk refuses. */
export function isDamage(error: unknown): error is Error {
  return error instanceof Error && codeOf(error) === undefined;
}

/** Translates an error of SQLite into what the caller can do about it. */
export function asAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  const cause = error as Error;
  switch (codeOf(error)) {
    case resultCodes.full:
      return new AppError(
        'unavailable',
        'The disk that holds the data folder is full: free some space; agents keep what they have.',
        { cause },
      );
    case resultCodes.busy:
      return new AppError('unavailable', 'Another process holds a lock on the database: end it or wait for it.', {
        cause,
      });
    case resultCodes.cannotOpen:
      return new AppError(
        'unavailable',
        `The database cannot be opened (${cause.message}): see who owns the files in the data folder.`,
        { cause },
      );
    case resultCodes.ioError:
    case resultCodes.readOnly:
      return new AppError('unavailable', `The database cannot be written (${cause.message}): look at its disk.`, {
        cause,
      });
    default:
      return systemReason(cause) === undefined
        ? new AppError('internal', `The database failed: ${cause.message}.`, { cause })
        : new AppError('unavailable', `The database cannot be used: ${systemFault(cause) ?? cause.message}.`, {
            cause,
          });
  }
}

function codeOf(error: unknown): number | undefined {
  // node:sqlite puts SQLite's extended result code there; its low byte is the code.
  const code = (error as { readonly errcode?: number }).errcode;
  return code === undefined ? undefined : code & 0xff;
}

/** What is wrong with the file; undefined if it is sound, or there is none. */
function damageOf(file: string, checkedBytes = fullCheckBytes): string | undefined {
  if (!existsSync(file) || statSync(file).size === 0) return undefined;
  // SQLite takes a file of less than a page for an empty one, and would overwrite it.
  if (!beginsWith(file, 'SQLite format 3\0')) return 'it does not begin as a database does';
  const isSmall = statSync(file).size <= checkedBytes;
  try {
    using db = new DatabaseSync(file, { timeout: 5000 });
    if (isSmall) return quickCheck(db)[0];
    return firstTables.flatMap((table) => quickCheck(db, table))[0];
  } catch (error) {
    const code = codeOf(error);
    if (code === resultCodes.corrupt || code === resultCodes.notADatabase) return (error as Error).message;
    throw asAppError(error);
  }
}

function beginsWith(file: string, text: string): boolean {
  const bytes = Buffer.alloc(text.length);
  const handle = openSync(file, 'r');
  try {
    readSync(handle, bytes);
  } finally {
    closeSync(handle);
  }
  return bytes.toString('latin1') === text;
}

function quarantine(file: string, reason: string, say: (notice: Notice) => void): void {
  const aside = `${file}.unreadable-${new Date().toISOString().replaceAll(':', '-')}`;
  for (const suffix of ['', '-wal', '-shm']) {
    if (existsSync(file + suffix)) renameSync(file + suffix, aside + suffix);
  }
  say({ event: 'quarantined', file: aside, reason });
}
