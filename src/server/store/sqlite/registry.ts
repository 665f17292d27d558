import type { DatabaseSync } from 'node:sqlite';
import type { Absence } from '../../../core/entry.ts';
import type {
  Agent,
  Assignment,
  JoinToken,
  JoinVerdict,
  StoredAgentState,
  KnownTask,
  MeasuredTask,
  SavedMonitor,
  TokenUse,
} from '../store.ts';
import type { Row } from './rows.ts';

/** Changes who and what there is. Every method is to be called within a transaction. */
export class RegistryWriter {
  readonly #newId: () => string;
  readonly #statements;

  constructor(db: DatabaseSync, newId: () => string) {
    this.#newId = newId;
    this.#statements = prepare(db);
  }

  saveAgent({ id, name, publicKey, joinedAt, revokedAt, removedAt }: Agent): void {
    this.#statements.saveAgent.run(id, name, publicKey, joinedAt, revokedAt ?? null, removedAt ?? null);
  }

  joinAgent(agent: Agent, token?: TokenUse): JoinVerdict {
    const owner = this.#statements.agentKey.get(agent.id);
    if (owner !== undefined && owner['publicKey'] !== agent.publicKey) return 'taken';
    const verdict = token === undefined ? 'accepted' : this.#useToken(token);
    if (verdict === 'accepted') this.saveAgent(agent);
    return verdict;
  }

  revokeAgent(agentId: string, at: number): boolean {
    return this.#statements.revokeAgent.run(at, agentId).changes === 1;
  }

  removeAgent(agentId: string, at: number): boolean {
    return this.#statements.removeAgent.run(at, at, agentId).changes === 1;
  }

  saveAgentStates(states: readonly StoredAgentState[]): void {
    for (const { agentId, state } of states) this.#statements.saveState.run(JSON.stringify(state), agentId);
  }

  saveAbsence(agentId: string, { from, to, reason }: Absence): void {
    this.#statements.addAbsence.run(agentId, from, to, reason);
  }

  createJoinToken({ id, key, createdAt, expiresAt, numbersNames }: JoinToken): void {
    this.#statements.addToken.run(id, key, createdAt, expiresAt, Number(numbersNames));
  }

  saveMonitor({ id, definition }: SavedMonitor): void {
    this.#statements.saveMonitor.run(id, JSON.stringify(definition));
  }

  deleteMonitor(monitorId: string, at: number): boolean {
    return this.#statements.deleteMonitor.run(at, monitorId).changes === 1;
  }

  setPaused(monitorId: string, isPaused: boolean): void {
    const statement = isPaused ? this.#statements.pause : this.#statements.resume;
    statement.run(monitorId);
  }

  assignTasks(agentId: string, monitorIds: readonly string[]): Assignment {
    const revision = Number(this.#statements.nextRevision.get(agentId)?.['revision']);
    const tasks = monitorIds.map((monitorId) => ({ id: this.#taskOf(agentId, monitorId), monitorId }));
    return { revision, tasks };
  }

  #useToken({ id, at }: TokenUse): JoinVerdict {
    const token = this.#statements.token.get(id);
    if (token === undefined) return 'unknown';
    if (token['usedAt'] !== null) return 'used';
    if (Number(token['expiresAt']) <= at) return 'expired';
    this.#statements.useToken.run(at, id);
    return 'accepted';
  }

  #taskOf(agentId: string, monitorId: string): string {
    const known = this.#statements.task.get(agentId, monitorId);
    if (known !== undefined) return String(known['id']);
    const id = this.#newId();
    this.#statements.addTask.run(agentId, monitorId, id);
    return id;
  }
}

/** Answers questions about who and what there is. */
export class RegistryReader {
  readonly #statements;

  constructor(db: DatabaseSync) {
    this.#statements = {
      agents: db.prepare(
        'SELECT id, name, publicKey, joinedAt, revokedAt, removedAt FROM agents ORDER BY joinedAt, id',
      ),
      states: db.prepare('SELECT agentId, state FROM agent_states ORDER BY agentId'),
      token: db.prepare('SELECT key, numbersNames FROM join_tokens WHERE id = ?'),
      monitors: db.prepare('SELECT id, definition FROM monitors WHERE deletedAt IS NULL ORDER BY id'),
      paused: db.prepare('SELECT monitorId FROM paused ORDER BY monitorId'),
      tasks: db.prepare('SELECT id, agentId, monitorId FROM tasks ORDER BY agentId, monitorId'),
      measured: db.prepare(`
        SELECT s.taskId AS id, s.agentId, s.monitorId, m.definition ->> '$.name' AS monitorName, a.name AS agentName
        FROM series s LEFT JOIN monitors m ON m.id = s.monitorId LEFT JOIN agents a ON a.id = s.agentId
        ORDER BY s.taskId`),
    };
  }

  agents(): readonly Agent[] {
    return this.#statements.agents.all().map(agentIn);
  }

  agentStates(): readonly StoredAgentState[] {
    return this.#statements.states.all().map((row) => ({
      agentId: String(row['agentId']),
      // saveAgentStates wrote it.
      state: JSON.parse(String(row['state'])) as StoredAgentState['state'],
    }));
  }

  joinToken(tokenId: string): Pick<JoinToken, 'key' | 'numbersNames'> | undefined {
    const row = this.#statements.token.get(tokenId);
    return row && { key: String(row['key']), numbersNames: row['numbersNames'] === 1 };
  }

  monitors(): readonly SavedMonitor[] {
    return this.#statements.monitors.all().map((row) => ({
      id: String(row['id']),
      // saveMonitor wrote it.
      definition: JSON.parse(String(row['definition'])) as SavedMonitor['definition'],
    }));
  }

  paused(): readonly string[] {
    return this.#statements.paused.all().map((row) => String(row['monitorId']));
  }

  tasks(): readonly KnownTask[] {
    return this.#statements.tasks.all().map(taskIn);
  }

  measured(): readonly MeasuredTask[] {
    return this.#statements.measured.all().map((row) => {
      const [monitorName, agentName] = [textOrNone(row['monitorName']), textOrNone(row['agentName'])];
      return Object.assign(taskIn(row), { monitorName, agentName });
    });
  }
}

function taskIn(row: Row): KnownTask {
  return { id: String(row['id']), agentId: String(row['agentId']), monitorId: String(row['monitorId']) };
}

function textOrNone(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function agentIn(row: Row): Agent {
  return {
    id: String(row['id']),
    name: String(row['name']),
    publicKey: String(row['publicKey']),
    joinedAt: Number(row['joinedAt']),
    ...(row['revokedAt'] === null ? {} : { revokedAt: Number(row['revokedAt']) }),
    ...(row['removedAt'] === null ? {} : { removedAt: Number(row['removedAt']) }),
  };
}

function prepare(db: DatabaseSync) {
  return {
    saveAgent: db.prepare('INSERT OR REPLACE INTO agents VALUES (?, ?, ?, ?, ?, ?)'),
    addAbsence: db.prepare('INSERT OR IGNORE INTO absences SELECT id, ?2, ?3, ?4 FROM agents WHERE id = ?1'),
    saveState: db.prepare('INSERT OR REPLACE INTO agent_states SELECT id, ? FROM agents WHERE id = ?'),
    agentKey: db.prepare('SELECT publicKey FROM agents WHERE id = ?'),
    revokeAgent: db.prepare('UPDATE agents SET revokedAt = ? WHERE id = ? AND revokedAt IS NULL'),
    removeAgent: db.prepare(`
      UPDATE agents SET removedAt = ?, revokedAt = coalesce(revokedAt, ?) WHERE id = ? AND removedAt IS NULL`),
    addToken: db.prepare(
      'INSERT INTO join_tokens (id, key, createdAt, expiresAt, numbersNames) VALUES (?, ?, ?, ?, ?)',
    ),
    token: db.prepare('SELECT expiresAt, usedAt FROM join_tokens WHERE id = ?'),
    useToken: db.prepare('UPDATE join_tokens SET usedAt = ? WHERE id = ?'),
    saveMonitor: db.prepare('INSERT OR REPLACE INTO monitors (id, definition) VALUES (?, ?)'),
    deleteMonitor: db.prepare('UPDATE monitors SET deletedAt = ? WHERE id = ? AND deletedAt IS NULL'),
    pause: db.prepare('INSERT OR IGNORE INTO paused VALUES (?)'),
    resume: db.prepare('DELETE FROM paused WHERE monitorId = ?'),
    nextRevision: db.prepare(`
      INSERT INTO assignments VALUES (?, 1) ON CONFLICT DO UPDATE SET revision = revision + 1 RETURNING revision`),
    task: db.prepare('SELECT id FROM tasks WHERE agentId = ? AND monitorId = ?'),
    addTask: db.prepare('INSERT INTO tasks VALUES (?, ?, ?)'),
  };
}
