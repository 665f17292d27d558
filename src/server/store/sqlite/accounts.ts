import type { DatabaseSync } from 'node:sqlite';
import { roles, type Account, type SignIn } from '../accounts.ts';

/** Writes accounts and sign-ins. Every method is to be called within a transaction. */
export class AccountWriter {
  readonly #statements;

  constructor(db: DatabaseSync) {
    this.#statements = {
      saveAccount: db.prepare('INSERT OR REPLACE INTO accounts VALUES (?, ?, ?, ?, ?)'),
      saveSignIn: db.prepare('INSERT OR REPLACE INTO sign_ins VALUES (?, ?, ?, ?)'),
      endSignIn: db.prepare('DELETE FROM sign_ins WHERE key = ?'),
    };
  }

  saveAccount({ id, name, role, passwordHash, createdAt }: Account): void {
    this.#statements.saveAccount.run(id, name, role, passwordHash, createdAt);
  }

  saveSignIn({ key, accountId, createdAt, expiresAt }: SignIn): void {
    this.#statements.saveSignIn.run(key, accountId, createdAt, expiresAt);
  }

  endSignIn(key: string): void {
    this.#statements.endSignIn.run(key);
  }
}

export class AccountReader {
  readonly #statements;

  constructor(db: DatabaseSync) {
    this.#statements = {
      accounts: db.prepare('SELECT id, name, role, passwordHash, createdAt FROM accounts ORDER BY createdAt, id'),
      signIns: db.prepare('SELECT key, accountId, createdAt, expiresAt FROM sign_ins WHERE expiresAt > ?'),
    };
  }

  accounts(): readonly Account[] {
    return this.#statements.accounts.all().map((row) => ({
      id: String(row['id']),
      name: String(row['name']),
      role: roles.find((role) => role === row['role']) ?? 'viewer',
      passwordHash: String(row['passwordHash']),
      createdAt: Number(row['createdAt']),
    }));
  }

  signIns(now: number): readonly SignIn[] {
    return this.#statements.signIns.all(now).map((row) => ({
      key: String(row['key']),
      accountId: String(row['accountId']),
      createdAt: Number(row['createdAt']),
      expiresAt: Number(row['expiresAt']),
    }));
  }
}
