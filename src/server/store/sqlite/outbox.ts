import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import type { Clock } from '../../../core/clock.ts';
import {
  messageSeverities,
  type Message,
  type MessageKind,
  type MessageReceipt,
  type MessageSeverity,
} from '../../../core/message.ts';
import type { IncidentRecord } from '../../../core/state/incident-record.ts';
import type { IncidentStanding, NewOutboxRow, Outbox, OutboxChange, OutboxRow } from '../outbox.ts';

/** Writes messages on their way. Every method is to be called within a transaction. */
export class OutboxWriter {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #statements;

  constructor(db: DatabaseSync, clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
    this.#statements = prepareWriter(db);
  }

  add(rows: readonly NewOutboxRow[]): void {
    const addedAt = this.#clock.now();
    for (const { message, repeatMs = null, incident, transition, kind, step, notifier, dueAt } of rows) {
      const key = { incident, transition, kind, step, notifier };
      this.#statements.add.run({ ...key, dueAt, message: JSON.stringify(message), repeatMs, addedAt });
    }
  }

  claim({ notifier, now, leaseMs, limit }: Parameters<Outbox['claim']>[0]): readonly OutboxRow[] {
    const rows = this.#statements.due.all({ notifier, now, limit });
    for (const row of rows) this.#statements.lease.run(now + leaseMs, row['id'] ?? null);
    return rows.map(rowIn);
  }

  settle(changes: readonly OutboxChange[], added: readonly NewOutboxRow[] = []): void {
    for (const change of changes) {
      const { id, text = null } = change;
      if ('outcome' in change) {
        const { outcome, at, receipt } = change;
        this.#statements.finish.run({ id, outcome, at, text, receipt: receipt ? JSON.stringify(receipt) : null });
      } else {
        const { dueAt, attempts, triedAt = null, held = null } = change;
        this.#statements.putOff.run({ id, dueAt, attempts, triedAt, held, text });
      }
    }
    this.add(added);
  }
}

export class OutboxReader {
  readonly #statements;

  constructor(db: DatabaseSync) {
    this.#statements = prepareReader(db);
  }

  waiting(): Awaited<ReturnType<Outbox['waiting']>> {
    return this.#statements.waiting
      .all()
      .map((row) => ({ notifier: String(row['notifier']), dueAt: Number(row['dueAt']) }));
  }

  receipt(incident: string, notifier: string): MessageReceipt | undefined {
    const row = this.#statements.receipt.get(incident, notifier);
    return row && (JSON.parse(String(row['receipt'])) as MessageReceipt);
  }

  told(incident: string, notifier: string): MessageSeverity | undefined {
    const told = this.#statements.told
      .all(incident, notifier)
      .map((row) => messageSeverities.indexOf(String(row['severity']) as MessageSeverity));
    return messageSeverities[Math.max(-1, ...told)];
  }

  standing(incident: string): IncidentStanding | undefined {
    const row = this.#statements.incident.get(incident);
    if (!row) return undefined;
    const { ack } = JSON.parse(String(row['json'])) as IncidentRecord;
    return { isOpen: row['endedAt'] === null, isAcknowledged: ack !== undefined };
  }
}

/** The columns hold what a NewOutboxRow and an OutboxChange had. */
function rowIn(row: Readonly<Record<string, SQLOutputValue>>): OutboxRow {
  const { id, incident, transition, kind, step, notifier, dueAt, message, repeatMs, addedAt, attempts, triedAt, held } =
    row;
  return {
    id: Number(id),
    incident: String(incident),
    transition: Number(transition),
    kind: String(kind) as MessageKind,
    step: Number(step),
    notifier: String(notifier),
    dueAt: Number(dueAt),
    message: JSON.parse(String(message)) as Message,
    addedAt: Number(addedAt),
    attempts: Number(attempts),
    ...(typeof repeatMs === 'number' && { repeatMs }),
    ...(typeof triedAt === 'number' && { triedAt }),
    ...(typeof held === 'string' && { held }),
  };
}

function prepareWriter(db: DatabaseSync) {
  return {
    add: db.prepare(`
      INSERT OR IGNORE INTO outbox (incident, transition, kind, step, notifier, dueAt, message, repeatMs, addedAt)
      VALUES (:incident, :transition, :kind, :step, :notifier, :dueAt, :message, :repeatMs, :addedAt)`),
    due: db.prepare(`
      SELECT * FROM outbox WHERE outcome IS NULL AND notifier = :notifier AND dueAt <= :now AND leaseUntil <= :now
      ORDER BY dueAt, id LIMIT :limit`),
    lease: db.prepare('UPDATE outbox SET leaseUntil = ? WHERE id = ?'),
    finish: db.prepare(`
      UPDATE outbox SET outcome = :outcome, finishedAt = :at, text = :text, receipt = :receipt, leaseUntil = 0
      WHERE id = :id AND outcome IS NULL`),
    putOff: db.prepare(`
      UPDATE outbox SET dueAt = :dueAt, attempts = :attempts, triedAt = coalesce(:triedAt, triedAt), held = :held, text = :text,
        leaseUntil = 0
      WHERE id = :id AND outcome IS NULL`),
  };
}

function prepareReader(db: DatabaseSync) {
  return {
    waiting: db.prepare(`
      SELECT notifier, min(max(dueAt, leaseUntil)) AS dueAt FROM outbox WHERE outcome IS NULL GROUP BY notifier`),
    receipt: db.prepare(`
      SELECT receipt FROM outbox WHERE incident = ? AND notifier = ? AND outcome = 'delivered' AND receipt IS NOT NULL
      ORDER BY finishedAt, id LIMIT 1`),
    told: db.prepare(`
      SELECT DISTINCT json_extract(message, '$.severity') AS severity FROM outbox
      WHERE incident = ? AND notifier = ? AND outcome IN ('delivered', 'digested')`),
    incident: db.prepare('SELECT endedAt, json FROM incidents WHERE id = ?'),
  };
}
