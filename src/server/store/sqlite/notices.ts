import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import type { NoticeSeverity } from '../../../core/notice.ts';
import type { SensorName } from '../../../core/sensor.ts';
import type { Acknowledgement, KeptNotice, NewNotice, NoticeQuery } from '../notices.ts';

/** The same sentence within this time is one notice. */
const foldMs = 600_000;

/** Writes notices. Every method is to be called within a transaction. */
export class NoticeWriter {
  readonly #statements;

  constructor(db: DatabaseSync) {
    this.#statements = prepareWriter(db);
  }

  add({ agentId, sensor = null, kind, severity, text, at, sessionId = null }: Unsensed<NewNotice>): KeptNotice {
    const same = { agentId, kind, text, sessionId };
    const folded = this.#statements.fold.get({ ...same, at, since: at - foldMs });
    // An INSERT that succeeds returns its row.
    return noticeIn(folded ?? this.#statements.add.get({ ...same, sensor, severity, at })!);
  }

  acknowledge(id: number, { by, at, note }: Acknowledgement): KeptNotice | undefined {
    this.#statements.acknowledge.run({ id, by, at, note });
    const row = this.#statements.one.get(id);
    return row && noticeIn(row);
  }
}

type Unsensed<T extends { readonly sensor: unknown; readonly sessionId?: unknown }> = Omit<
  T,
  'sensor' | 'sessionId'
> & {
  readonly sensor?: T['sensor'] | null;
  readonly sessionId?: T['sessionId'] | null;
};

/** Newest first. */
export class NoticeReader {
  readonly #statement;

  constructor(db: DatabaseSync) {
    this.#statement = db.prepare(`
      SELECT * FROM notices
      WHERE (:before IS NULL OR id < :before) AND (:kind IS NULL OR kind = :kind)
        AND (:severity IS NULL OR severity = :severity) AND (:isOpen = 0 OR seenBy IS NULL)
        AND ((:agentIds IS NULL AND :sessionIds IS NULL)
          OR agentId IN (SELECT value FROM json_each(:agentIds))
          OR sessionId IN (SELECT value FROM json_each(:sessionIds)))
        AND lastAt >= :from AND lastAt < :to
      ORDER BY id DESC LIMIT :limit`);
  }

  notices({
    limit,
    before,
    agentIds,
    sessionIds,
    kind,
    severity,
    from = 0,
    to = 8.64e15,
    isOpen = false,
  }: NoticeQuery) {
    const rows = this.#statement.all({
      limit,
      from,
      to,
      before: before ?? null,
      agentIds: agentIds ? JSON.stringify(agentIds) : null,
      sessionIds: sessionIds ? JSON.stringify(sessionIds) : null,
      kind: kind ?? null,
      severity: severity ?? null,
      isOpen: Number(isOpen),
    });
    return rows.map(noticeIn);
  }
}

function noticeIn(row: Readonly<Record<string, SQLOutputValue>>): KeptNotice {
  const { id, agentId, sensor, kind, severity, text, at, lastAt, count, seenBy, seenAt, note, sessionId } = row;
  return {
    id: Number(id),
    agentId: String(agentId),
    // The columns hold what a NewNotice had.
    sensor: (sensor ?? undefined) as SensorName | undefined,
    severity: String(severity) as NoticeSeverity,
    kind: String(kind),
    text: String(text),
    at: Number(at),
    ...(typeof sessionId === 'string' && { sessionId }),
    lastAt: Number(lastAt),
    count: Number(count),
    acknowledged: seenBy === null ? undefined : { by: String(seenBy), at: Number(seenAt), note: String(note) },
  };
}

function prepareWriter(db: DatabaseSync) {
  return {
    fold: db.prepare(`
      UPDATE notices SET count = count + 1, lastAt = max(lastAt, :at)
      WHERE id = (SELECT max(id) FROM notices WHERE agentId = :agentId AND kind = :kind AND text = :text
          AND sessionId IS :sessionId)
        AND seenBy IS NULL AND lastAt >= :since RETURNING *`),
    add: db.prepare(`
      INSERT INTO notices (agentId, sensor, kind, severity, text, at, lastAt, count, sessionId)
      VALUES (:agentId, :sensor, :kind, :severity, :text, :at, :at, 1, :sessionId) RETURNING *`),
    acknowledge: db.prepare(`
      UPDATE notices SET seenBy = :by, seenAt = :at, note = :note WHERE id = :id AND seenBy IS NULL`),
    one: db.prepare('SELECT * FROM notices WHERE id = ?'),
  };
}
