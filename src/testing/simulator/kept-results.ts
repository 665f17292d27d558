import type { DatabaseSync } from 'node:sqlite';
import type { ResultItem, SeqRange } from '../../core/entry.ts';
import { unpackChunk } from '../../server/store/sqlite/chunk.ts';
import { blobIn, type Row } from '../../server/store/sqlite/rows.ts';
import { slotMs } from '../../server/store/sqlite/slots.ts';
import { hourMs } from '../../server/store/summary.ts';

/** Names one run of one task, as exactly as the store keeps it. */
export function keyOf({
  taskId,
  scheduledAt,
  startedAt,
}: Pick<ResultItem, 'taskId' | 'scheduledAt' | 'startedAt'>): string {
  return `${taskId} ${Math.round(scheduledAt)} ${Math.round(startedAt)}`;
}

export function absenceKey(agentId: string, from: number, to: number): string {
  return `${agentId} absent ${from} ${to}`;
}

/** Numbers that are said to be missing. */
export interface Declared {
  readonly epoch: string;
  readonly cause: string;
  readonly ranges: readonly SeqRange[];
}

/** The results in a database, read by their keys alone: a judge reads all of them again and again. */
export class KeptResults {
  readonly #statements;

  constructor(db: DatabaseSync) {
    this.#statements = {
      recent: db.prepare('SELECT s.taskId, r.at, r.numbers FROM results r JOIN series s ON s.id = r.series'),
      sealed: db.prepare('SELECT s.taskId, c.runs FROM chunks c JOIN series s ON s.id = c.series'),
      // The server itself notes when it hears nothing.
      absences: db.prepare("SELECT agentId, fromAt, toAt FROM absences WHERE reason <> 'unheard'"),
      series: db.prepare('SELECT id FROM series WHERE taskId = ?'),
      recentAt: db.prepare('SELECT at, numbers FROM results WHERE slot = ? AND series = ? AND at = ?'),
      refused: db.prepare(`
        SELECT e.epoch, g.seq FROM gaps g JOIN epochs e ON e.id = g.epochId WHERE e.agentId = ? AND g.cause = 'refused'`),
      sealedAt: db.prepare('SELECT runs FROM chunks WHERE hour = ? AND series = ?'),
    };
  }

  /** How often each result, and each absence that an agent told, is kept. */
  counts(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    const count = (key: string): void => void counts.set(key, (counts.get(key) ?? 0) + 1);
    for (const row of this.#statements.recent.iterate()) count(recentKey(String(row['taskId']), row));
    for (const row of this.#statements.sealed.iterate())
      for (const key of sealedKeys(String(row['taskId']), row)) count(key);
    for (const { agentId, fromAt, toAt } of this.#statements.absences.iterate())
      count(absenceKey(String(agentId), Number(fromAt), Number(toAt)));
    return counts;
  }

  /** The numbers of entries that the server did not take and closed itself. */
  refused(agentId: string): readonly Declared[] {
    return this.#statements.refused.all(agentId).map(({ epoch, seq }) => {
      return { epoch: String(epoch), cause: 'refused', ranges: [[Number(seq), Number(seq)]] };
    });
  }

  has(item: Pick<ResultItem, 'taskId' | 'scheduledAt' | 'startedAt'>): boolean {
    const series = this.#statements.series.get(item.taskId)?.['id'];
    if (series === undefined) return false;
    const [key, at] = [keyOf(item), Math.round(item.scheduledAt)];
    const recent = this.#statements.recentAt.all(Math.floor(at / slotMs), series, at);
    if (recent.some((row) => recentKey(item.taskId, row) === key)) return true;
    const sealed = this.#statements.sealedAt.get(Math.floor(at / hourMs), series);
    return sealed !== undefined && sealedKeys(item.taskId, sealed).includes(key);
  }
}

function recentKey(taskId: string, row: Row): string {
  const at = Number(row['at']);
  const { buffer, byteOffset } = blobIn(row, 'numbers');
  return runKey(taskId, at, new DataView(buffer, byteOffset).getFloat64(0, true));
}

function sealedKeys(taskId: string, row: Row): readonly string[] {
  return unpackChunk(blobIn(row, 'runs')).map(({ at, numbers: [lateMs = 0] }) => runKey(taskId, at, lateMs));
}

/** The first number of a run is how late it started. */
function runKey(taskId: string, at: number, lateMs: number): string {
  return `${taskId} ${at} ${at + lateMs}`;
}
