import type { DatabaseSync } from 'node:sqlite';
import { AppError } from '../../../core/errors.ts';

/** Brings the schema up to date in one transaction, or leaves all as it was; returns the version found. A newer one is refused with `usage`. */
export function migrate(db: DatabaseSync, migrations: readonly string[]): number {
  const from = Number(db.prepare('PRAGMA user_version').get()?.['user_version']);
  const to = migrations.length;
  if (from > to) {
    const found = `The data was written by a newer Watchkeeper (schema ${from}; this one knows up to ${to})`;
    throw new AppError('usage', `${found}: start that version, or restore a backup from before the upgrade.`);
  }
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
