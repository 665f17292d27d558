import type { DatabaseSync } from 'node:sqlite';
import type { SensorName } from '../../../core/sensor.ts';
import type { Alarm, AlarmQuery, Chain, KeptLine, KeptRecord, LineQuery, RecordQuery } from '../evidence.ts';
import type { Row } from './rows.ts';

/** Answers questions about what sensors wrote. */
export class RecordReader {
  readonly #statements;

  constructor(db: DatabaseSync) {
    this.#statements = prepare(db);
  }

  chains(): readonly Chain[] {
    return this.#statements.chains.all().map(chainIn);
  }

  lines({ chain, from, limit }: LineQuery): readonly KeptLine[] {
    const rows = this.#statements.lines.all(chain, from, limit);
    return rows.map((row) => ({
      n: Number(row['n']),
      at: Number(row['at']),
      line: String(row['line']),
      hash: String(row['hash']),
    }));
  }

  records({ from, to, limit, agentId, sensor }: RecordQuery): readonly KeptRecord[] {
    if (agentId === undefined && sensor === undefined)
      return this.#statements.records.all(from, to, limit).map(recordIn);
    const ofChains = { agentId: agentId ?? null, sensor: sensor ?? null };
    return this.#statements.recordsOf.all({ ...ofChains, from, to, limit }).map(recordIn);
  }

  recordsAfter(position: number, limit: number): readonly KeptRecord[] {
    return this.#statements.recordsAfter.all(position, limit).map(recordIn);
  }

  alarms({ agentId, limit }: AlarmQuery): readonly Alarm[] {
    return this.#statements.alarms.all({ agentId: agentId ?? null, limit }).map(alarmIn);
  }
}

function chainIn(row: Row): Chain {
  const anchorHead = textIn(row, 'anchorHead');
  return {
    ...originIn(row),
    begunAt: Number(row['begunAt']),
    droppedTo: Number(row['droppedTo']),
    last: Number(row['last']),
    cursor: { n: Number(row['n']), head: textIn(row, 'head'), key: textIn(row, 'key') },
    anchor: anchorHead === undefined ? undefined : { n: Number(row['anchorN']), head: anchorHead },
  };
}

function recordIn(row: Row): KeptRecord {
  return {
    ...originIn(row),
    position: Number(row['position']),
    n: Number(row['n']),
    at: Number(row['at']),
    event: String(row['event']),
    address: textIn(row, 'address'),
    receivedAt: Number(row['receivedAt']),
    line: String(row['line']),
  };
}

function alarmIn(row: Row): Alarm {
  const line = textIn(row, 'line');
  return {
    ...originIn(row),
    n: Number(row['n']),
    // The column holds what a NewAlarm had.
    cause: String(row['cause']) as Alarm['cause'],
    at: Number(row['at']),
    message: String(row['message']),
    ...(line !== undefined && { line }),
  };
}

function originIn(row: Row): { readonly chain: string; readonly agentId: string; readonly sensor: SensorName } {
  // The column holds what a NewChain or a SealedRecord had.
  const sensor = String(row['sensor']) as SensorName;
  return { chain: String(row['chain']), agentId: String(row['agentId']), sensor };
}

function textIn(row: Row, name: string): string | undefined {
  const value = row[name];
  return value === null || value === undefined ? undefined : String(value);
}

function prepare(db: DatabaseSync) {
  const record = `
    SELECT position, chain, agentId, sensor, r.n, at, event, address, receivedAt, line
    FROM records r JOIN chains c ON c.id = r.chainId`;
  const ofChains = '(:agentId IS NULL OR agentId = :agentId) AND (:sensor IS NULL OR sensor = :sensor)';
  return {
    chains: db.prepare(`
      SELECT chain, agentId, sensor, begunAt, droppedTo, n, head, key, anchorN, anchorHead,
        coalesce((SELECT max(n) FROM records WHERE chainId = id), droppedTo) AS last
      FROM chains ORDER BY id`),
    lines: db.prepare(`
      SELECT n, at, line, hash FROM records
      WHERE chainId = (SELECT id FROM chains WHERE chain = ?) AND n >= ? ORDER BY n LIMIT ?`),
    records: db.prepare(`${record} WHERE at >= ? AND at < ? ORDER BY at, position LIMIT ?`),
    recordsOf: db.prepare(`
      ${record} WHERE chainId IN (SELECT id FROM chains WHERE ${ofChains}) AND at >= :from AND at < :to
      ORDER BY at, position LIMIT :limit`),
    recordsAfter: db.prepare(`${record} WHERE position > ? ORDER BY position LIMIT ?`),
    alarms: db.prepare(`
      SELECT chain, agentId, sensor, a.n, cause, at, message, line FROM alarms a JOIN chains c ON c.id = a.chainId
      WHERE :agentId IS NULL OR agentId = :agentId ORDER BY a.id DESC LIMIT :limit`),
  };
}
