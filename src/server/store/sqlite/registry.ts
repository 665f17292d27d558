import { randomUUIDv7 } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { Agent, Assignment, JoinToken, SavedMonitor, TokenVerdict } from '../store.ts';

/** Changes who and what there is. Every method is to be called within a transaction. */
export class RegistryWriter {
  readonly #statements;

  constructor(db: DatabaseSync) {
    this.#statements = prepare(db);
  }

  saveAgent({ id, name, publicKey, joinedAt, revokedAt }: Agent): void {
    this.#statements.saveAgent.run(id, name, publicKey, joinedAt, revokedAt ?? null);
  }

  revokeAgent(agentId: string, at: number): boolean {
    return this.#statements.revokeAgent.run(at, agentId).changes === 1;
  }

  createJoinToken({ hash, createdAt, expiresAt }: JoinToken): void {
    this.#statements.addToken.run(hash, createdAt, expiresAt);
  }

  consumeJoinToken(hash: string, at: number): TokenVerdict {
    const token = this.#statements.token.get(hash);
    if (token === undefined) return 'unknown';
    if (token['usedAt'] !== null) return 'used';
    if (Number(token['expiresAt']) <= at) return 'expired';
    this.#statements.useToken.run(at, hash);
    return 'accepted';
  }

  saveMonitor({ id, definition }: SavedMonitor): void {
    this.#statements.saveMonitor.run(id, JSON.stringify(definition));
  }

  deleteMonitor(monitorId: string): boolean {
    return this.#statements.deleteMonitor.run(monitorId).changes === 1;
  }

  assignTasks(agentId: string, monitorIds: readonly string[]): Assignment {
    const revision = Number(this.#statements.nextRevision.get(agentId)?.['revision']);
    const tasks = monitorIds.map((monitorId) => ({ id: this.#taskOf(agentId, monitorId), monitorId }));
    return { revision, tasks };
  }

  #taskOf(agentId: string, monitorId: string): string {
    const known = this.#statements.task.get(agentId, monitorId);
    if (known !== undefined) return String(known['id']);
    const id = randomUUIDv7();
    this.#statements.addTask.run(agentId, monitorId, id);
    return id;
  }
}

function prepare(db: DatabaseSync) {
  return {
    saveAgent: db.prepare('INSERT OR REPLACE INTO agents VALUES (?, ?, ?, ?, ?)'),
    revokeAgent: db.prepare('UPDATE agents SET revokedAt = ? WHERE id = ? AND revokedAt IS NULL'),
    addToken: db.prepare('INSERT INTO join_tokens (hash, createdAt, expiresAt) VALUES (?, ?, ?)'),
    token: db.prepare('SELECT expiresAt, usedAt FROM join_tokens WHERE hash = ?'),
    useToken: db.prepare('UPDATE join_tokens SET usedAt = ? WHERE hash = ?'),
    saveMonitor: db.prepare('INSERT OR REPLACE INTO monitors VALUES (?, ?)'),
    deleteMonitor: db.prepare('DELETE FROM monitors WHERE id = ?'),
    nextRevision: db.prepare(`
      INSERT INTO assignments VALUES (?, 1) ON CONFLICT DO UPDATE SET revision = revision + 1 RETURNING revision`),
    task: db.prepare('SELECT id FROM tasks WHERE agentId = ? AND monitorId = ?'),
    addTask: db.prepare('INSERT INTO tasks VALUES (?, ?, ?)'),
  };
}
