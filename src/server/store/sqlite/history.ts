import type { DatabaseSync } from 'node:sqlite';
import type { Absence, SeqRange } from '../../../core/entry.ts';
import { AppError } from '../../../core/errors.ts';
import { RangeSet } from '../../../core/ranges.ts';
import type { Gap, Missing, ResultQuery, StoredResult, SummaryQuery, TimeRange } from '../store.ts';
import { hourMs, type Summary } from '../summary.ts';
import { unpackChunk } from './chunk.ts';
import type { DamagedHours } from './damaged-hours.ts';
import { isDamage, quickCheck } from './database.ts';
import { blobIn, hourOf, runIn, RunReader, type Row } from './rows.ts';
import { slotMs } from './slots.ts';
import { itemOf, type Origin, type Run } from './run.ts';
import { SummaryReader } from './summaries.ts';

const maxResults = 100_000;
/** A number that no agent gives away. */
const beyondAll: SeqRange = [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER];
/** As many as quick_check lists; one is enough to restore a backup. */
const maxProblems = 100;

/** Answers questions about what agents said. */
export class HistoryReader {
  readonly #db: DatabaseSync;
  readonly #runs: RunReader;
  readonly #summaries: SummaryReader;
  readonly #statements;

  constructor(db: DatabaseSync, damaged: DamagedHours) {
    this.#db = db;
    this.#runs = new RunReader(db, damaged);
    this.#summaries = new SummaryReader(db, this.#runs);
    this.#statements = prepare(db);
  }

  results({ taskId, from, to, limit }: ResultQuery): readonly StoredResult[] {
    if (!(limit >= 1 && limit <= maxResults)) {
      throw new AppError('usage', `Expected a limit from 1 to ${maxResults}, got ${limit}.`);
    }
    const series = this.#statements.seriesOfTask.get(taskId);
    if (series === undefined) return [];
    const found: StoredResult[] = [];
    const last = hourOf(to);
    let hour = this.#runs.nextHour(hourOf(from));
    while (hour !== undefined && hour <= last && found.length < limit) {
      const runs = this.#runs.hour(Number(series['id']), hour).filter(({ at }) => at >= from && at < to);
      found.push(...runs.slice(0, limit - found.length).map((run) => resultOf(run, series)));
      hour = this.#runs.nextHour(hour + 1);
    }
    return found;
  }

  summaries({ taskId, resolution, from, to }: SummaryQuery): readonly Summary[] {
    const series = this.#statements.seriesOfTask.get(taskId);
    return series === undefined ? [] : this.#summaries.read(Number(series['id']), resolution, { from, to });
  }

  absences({ taskId, from, to }: TimeRange & { readonly taskId: string }): readonly Absence[] {
    const series = this.#statements.seriesOfTask.get(taskId);
    if (series === undefined) return [];
    return this.#statements.absences.all(series['agentId'] ?? '', to, from).flatMap((row) => {
      const [begins, ends] = [Number(row['fromAt']), Number(row['toAt'])];
      const ranUntil = this.#runs.lastSlot(Number(series['id']), { from: begins, to: ends }) ?? begins;
      const absence = { from: Math.max(ranUntil, from), to: Math.min(ends, to), reason: String(row['reason']) };
      // The column holds what an Absence had.
      return absence.from < absence.to ? [absence as Absence] : [];
    });
  }

  latest(): readonly StoredResult[] {
    return this.#statements.latest.all().map((row) => resultOf(runIn(row), row));
  }

  received(agentId: string, epoch: string): readonly SeqRange[] {
    const row = this.#statements.epoch.get(agentId, epoch);
    if (row === undefined) return [];
    return row['isFollowed'] === 1 ? [...rangesIn(row), beyondAll] : rangesIn(row);
  }

  missing(): readonly Missing[] {
    return this.#statements.epochs
      .all()
      .map((row) => ({ agentId: String(row['agentId']), epoch: String(row['epoch']), ranges: holes(rangesIn(row)) }))
      .filter(({ ranges }) => ranges.length > 0);
  }

  gaps(agentId: string): readonly Gap[] {
    return this.#statements.gaps.all(agentId).map((row) => ({
      epoch: String(row['epoch']),
      ranges: rangesIn(row),
      // The column holds what a GapItem had.
      cause: String(row['cause']) as Gap['cause'],
      at: Number(row['at']),
      receivedAt: Number(row['receivedAt']),
    }));
  }

  /** Undefined where an earlier version of this program decided last. */
  decidedAt(): number | undefined {
    const decidedAt = this.#statements.decidedAt.get()?.['decidedAt'];
    return typeof decidedAt === 'number' ? decidedAt : undefined;
  }

  async verify(): Promise<readonly string[]> {
    const problems = quickCheck(this.#db);
    let hour = this.#statements.firstSealed.get(0)?.['hour'];
    while (typeof hour === 'number' && problems.length < maxProblems) {
      for (const row of this.#statements.sealed.iterate(hour)) problems.push(...damageIn(row));
      hour = this.#statements.firstSealed.get(hour + 1)?.['hour'];
      // Years of results take minutes: whoever else asks is answered meanwhile.
      await new Promise((resolve) => setImmediate(resolve));
    }
    return problems;
  }
}

function damageIn(row: Row): readonly string[] {
  try {
    unpackChunk(blobIn(row, 'runs'));
    return [];
  } catch (error) {
    if (!isDamage(error)) throw error;
    const from = new Date(Number(row['hour']) * hourMs).toISOString();
    return [`task ${String(row['taskId'])}, the hour from ${from}: ${error.message}`];
  }
}

function resultOf(run: Run, series: Row): StoredResult {
  const origin: Origin = {
    agentId: String(series['agentId']),
    taskId: String(series['taskId']),
    monitorId: String(series['monitorId']),
  };
  return { agentId: origin.agentId, ...itemOf(run, origin) };
}

/** Between 1 and the highest number. */
function holes(ranges: readonly SeqRange[]): readonly SeqRange[] {
  return new RangeSet(ranges).missingIn([1, ranges.at(-1)?.[1] ?? 0]);
}

function rangesIn(row: Row): readonly SeqRange[] {
  // Only the ledger writes ranges, as JSON.
  return JSON.parse(String(row['ranges'])) as SeqRange[];
}

function prepare(db: DatabaseSync) {
  return {
    absences: db.prepare('SELECT fromAt, toAt, reason FROM absences WHERE agentId = ? AND fromAt < ? AND toAt > ?'),
    latest: db.prepare(`
      SELECT s.agentId, s.taskId, s.monitorId, l.at, coalesce(l.finding, f.text) AS finding, coalesce(l.numbers, r.numbers) AS numbers
      FROM latest l JOIN series s ON s.id = l.series
      LEFT JOIN results r ON l.numbers IS NULL AND r.slot = l.at / ${slotMs} AND r.series = l.series AND r.at = l.at
        AND r.epochId = l.epochId AND r.seq = l.seq
      LEFT JOIN findings f ON f.id = r.findingId
      WHERE coalesce(l.numbers, r.numbers) IS NOT NULL ORDER BY s.id`),
    seriesOfTask: db.prepare('SELECT id, agentId, taskId, monitorId FROM series WHERE taskId = ?'),
    decidedAt: db.prepare('SELECT decidedAt FROM horizon'),
    epoch: db.prepare(`
      SELECT ranges, EXISTS (SELECT 1 FROM epochs l WHERE l.agentId = e.agentId AND l.id > e.id) AS isFollowed
      FROM epochs e WHERE agentId = ? AND epoch = ?`),
    epochs: db.prepare('SELECT agentId, epoch, ranges FROM epochs ORDER BY id'),
    firstSealed: db.prepare('SELECT min(hour) AS hour FROM chunks WHERE hour >= ?'),
    sealed: db.prepare(
      'SELECT c.hour, c.runs, s.taskId FROM chunks c JOIN series s ON s.id = c.series WHERE c.hour = ?',
    ),
    gaps: db.prepare(`
      SELECT e.epoch, g.ranges, g.cause, g.at, g.receivedAt FROM epochs e JOIN gaps g ON g.epochId = e.id
      WHERE e.agentId = ? ORDER BY g.epochId, g.seq`),
  };
}
