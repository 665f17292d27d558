import type { DatabaseSync } from 'node:sqlite';
import { AppError } from '../../../core/errors.ts';

/** Brings the schema up to date in one transaction, or leaves all as it was; returns the version found. A newer one is refused with `usage`. */
export function migrate(db: DatabaseSync, migrations: readonly string[]): number {
  const from = knownVersionOf(db, migrations);
  const to = migrations.length;
  if (from === to) return from;
  db.exec('BEGIN IMMEDIATE');
  try {
    for (const statements of migrations.slice(from)) db.exec(statements);
    db.exec(`PRAGMA user_version = ${to}; COMMIT`);
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
  return from;
}

/** The version of the schema in this database. @throws {AppError} usage, when it is newer than these migrations */
export function knownVersionOf(db: DatabaseSync, { length: newest }: readonly string[]): number {
  const version = Number(db.prepare('PRAGMA user_version').get()?.['user_version']);
  if (version <= newest) return version;
  const found = `The data was written by a newer Watchkeeper (schema ${version}; this one knows up to ${newest})`;
  throw new AppError('usage', `${found}: start that version, or restore a backup from before the upgrade.`);
}
