import type { DatabaseSync } from 'node:sqlite';
import { renewalCauses, type SeqRange } from '../../../core/entry.ts';
import { AppError } from '../../../core/errors.ts';
import { RangeSet, rangesOf } from '../../../core/ranges.ts';
import type { Committed, KeptResults } from '../store.ts';
import { hourMs } from '../summary.ts';
import type { NumberedGap, PackedBatch, TaskIds } from './batch.ts';
import { KnownRuns, type ToldRun } from './known-runs.ts';
import { NewestRuns, type KeptRun } from './newest-runs.ts';
import type { RecordWriter } from './record-writer.ts';
import { slotMs } from './slots.ts';

/** An agent sends in two lanes, so a few ranges are normal; thousands mean that it skips numbers, and would grow without end. */
const maxRanges = 4096;

/** `known`: it is here already. `conflicting`: its number belongs to another entry. */
type Fate = 'kept' | 'known' | 'tooOld' | 'conflicting';

interface Coming {
  readonly isNew: boolean;
  readonly mayBeCopy: boolean;
}

interface Epoch {
  readonly id: number;
  /** The agent has begun another since: what comes in this one may have come in that one. */
  readonly isFollowed: boolean;
  /**
   * What has a lower number may have come in an epoch before: the number of the gap with which this one begins, as far as it has
   * come.
   */
  newFrom: number;
  readonly received: RangeSet;
}

/** Findings remembered at a time: beyond it all are written once more, which costs less than the memory. */
const maxOpenHours = 100_000;

/** The last values of a series, so that unchanged ones are written once an hour. */
interface OpenHour {
  readonly hour: number;
  readonly finding: string;
  readonly findingId: number;
}

/** Hears of each result that is the newest of its task, within the transaction that keeps it. */
interface NewestListener {
  note(batch: PackedBatch, index: number): void;
  /** Called after those of one batch. */
  keepNoted(): void;
}

/** Writes entries, each once. Its memory only saves queries, so `forget` is always safe. */
export class LedgerWriter {
  readonly #statements;
  readonly #records: RecordWriter;
  readonly #states: NewestListener;
  readonly #known: KnownRuns;
  readonly #newest: NewestRuns;
  readonly #epochs = new Map<string, Epoch>();
  readonly #series = new Map<string, { readonly id: number; readonly agentId: string }>();
  readonly #openHours = new Map<number, OpenHour>();
  #horizonHour: number | undefined;

  constructor(
    db: DatabaseSync,
    { records, states }: { readonly records: RecordWriter; readonly states: NewestListener },
  ) {
    this.#statements = prepare(db);
    this.#records = records;
    this.#states = states;
    this.#known = new KnownRuns(db);
    this.#newest = new NewestRuns(db);
  }

  /** To be called within a transaction; `forget` after one that failed. */
  commit(batch: PackedBatch): Committed {
    const { agentId, gaps, absences, records } = batch;
    const epoch = this.#epochOf(agentId, batch.epoch);
    const sent = rangesOf(batch.seqs);
    for (const { seq } of [...gaps, ...absences, ...records]) sent.add([seq, seq]);
    const added = new RangeSet(sent.ranges.flatMap((range) => epoch.received.missingIn(range)));
    for (const range of [...added.ranges, ...gaps.flatMap(({ item }) => item.ranges)]) epoch.received.add(range);
    if (epoch.received.ranges.length > maxRanges) {
      throw new AppError(
        'usage',
        `Expected nearly contiguous numbers from agent ${agentId}, got over ${maxRanges} ranges.`,
      );
    }
    const { tooOld, newest, conflicting } = this.#keepResults(batch, epoch, added);
    for (const gap of gaps) if (added.has(gap.seq)) this.#keepGap(epoch, gap, batch.receivedAt);
    for (const { seq, item } of absences)
      if (added.has(seq)) this.#statements.addAbsence.run(agentId, item.from, item.to, item.reason);
    this.#statements.saveEpoch.run(JSON.stringify(epoch.received.ranges), batch.receivedAt, epoch.id);
    const kept = this.#records.keep(agentId, records, added.ranges);
    for (const range of tooOld) added.delete(range);
    return { added: added.ranges, newest, tooOld, conflicting, ...kept };
  }

  /** Call it when a transaction was undone, or when hours were sealed or dropped. */
  forget(): void {
    this.#epochs.clear();
    this.#series.clear();
    this.#openHours.clear();
    this.#newest.forget();
    this.#horizonHour = undefined;
  }

  /** The hour was sealed: what is late for it opens it again. */
  closeHour(series: number): void {
    this.#openHours.delete(series);
  }

  /** What is not kept because it is too old, or its number is another's, is declared missing, with the time of the oldest. */
  #keepResults(batch: PackedBatch, epoch: Epoch, added: RangeSet): KeptResults {
    const seqs: Record<Fate | 'newest', number[]> = { kept: [], newest: [], known: [], tooOld: [], conflicting: [] };
    const oldest = { tooOld: Infinity, conflicting: Infinity };
    const series = batch.tasks.map((task) => this.#seriesOf(batch.agentId, task));
    let end = 0;
    for (const [index, seq] of batch.seqs.entries()) {
      const start = end;
      // The columns are equally long, and point into lists that were made with them.
      end = batch.ends[index]!;
      const at = batch.slots[index]!;
      const run = { series: series[batch.taskOf[index]!]!, at, epochId: epoch.id, seq };
      const told = {
        at,
        finding: batch.findings[batch.findingOf[index]!]!,
        numbers: batch.numbers.subarray(start, end),
      };
      const mayBeCopy = epoch.isFollowed || seq < epoch.newFrom;
      const fate = this.#fateOf(run, told, { isNew: added.has(seq), mayBeCopy });
      seqs[fate].push(seq);
      if (fate === 'tooOld' || fate === 'conflicting') oldest[fate] = Math.min(oldest[fate], at);
      if (fate !== 'kept') continue;
      this.#addResult(run, told);
      if (!this.#newest.note(run)) continue;
      seqs.newest.push(seq);
      this.#states.note(batch, index);
    }
    this.#states.keepNoted();
    const newest = rangesOf(seqs.newest).ranges;
    const tooOld = rangesOf(seqs.tooOld).ranges;
    const conflicting = rangesOf(seqs.conflicting).ranges;
    const { receivedAt } = batch;
    this.#declare('too-old', tooOld, { epochId: epoch.id, at: oldest.tooOld, receivedAt });
    this.#declare('conflicting', conflicting, { epochId: epoch.id, at: oldest.conflicting, receivedAt });
    return { newest, tooOld, conflicting };
  }

  /** What becomes of a result. A number that came before is the same run again, or an agent has given it away twice. */
  #fateOf({ series }: KeptRun, told: ToldRun, { isNew, mayBeCopy }: Coming): Fate {
    if (Math.floor(told.at / hourMs) < this.#horizon()) return isNew ? 'tooOld' : 'known';
    if (!isNew) return this.#known.has(series, told, true) ? 'known' : 'conflicting';
    // An entry that two copies of a folder had comes from each under an epoch of its own.
    return mayBeCopy && this.#known.has(series, told, false) ? 'known' : 'kept';
  }

  #addResult({ series, at, epochId, seq }: KeptRun, { finding, numbers }: ToldRun): void {
    const findingId = this.#findingOf(series, Math.floor(at / hourMs), finding);
    this.#statements.addResult.run(Math.floor(at / slotMs), series, at, epochId, seq, findingId, numbers);
  }

  #keepGap(epoch: Epoch, { seq, item }: NumberedGap, receivedAt: number): void {
    this.#statements.addGap.run(epoch.id, seq, JSON.stringify(item.ranges), item.cause, item.at, receivedAt);
    if (isRenewal(item.cause)) epoch.newFrom = Math.min(epoch.newFrom, seq);
  }

  /** One row for all of a batch: there may be as many as there are results. */
  #declare(
    cause: 'too-old' | 'conflicting',
    ranges: readonly SeqRange[],
    { epochId, at, receivedAt }: { readonly epochId: number; readonly at: number; readonly receivedAt: number },
  ): void {
    const [first] = ranges;
    if (first) this.#statements.declare.run(epochId, first[0], JSON.stringify(ranges), cause, at, receivedAt);
  }

  #findingOf(series: number, hour: number, finding: string): number {
    const open = this.#openHours.get(series);
    if (open?.hour === hour && open.finding === finding) return open.findingId;
    if (open?.hour !== hour) this.#statements.openHour.run(hour, series);
    const findingId = Number(this.#statements.addFinding.run(finding).lastInsertRowid);
    if (this.#openHours.size >= maxOpenHours) this.#openHours.clear();
    this.#openHours.set(series, { hour, finding, findingId });
    return findingId;
  }

  #epochOf(agentId: string, epoch: string): Epoch {
    return this.#epochs.getOrInsertComputed(`${agentId} ${epoch}`, () => {
      const row = this.#statements.epoch.get(agentId, epoch);
      // Only saveEpoch writes there.
      const ranges = row ? (JSON.parse(String(row['ranges'])) as SeqRange[]) : [];
      // Those that were known as the last one are not any more.
      if (!row) this.#epochs.clear();
      const id = row ? Number(row['id']) : Number(this.#statements.addEpoch.run(agentId, epoch).lastInsertRowid);
      const { first, last } = this.#statements.epochsOf.get(agentId) ?? {};
      const isFollowed = Number(last) > id;
      return { id, isFollowed, newFrom: Number(first) < id ? this.#newFrom(id) : 0, received: new RangeSet(ranges) };
    });
  }

  #newFrom(epochId: number): number {
    const renewals = this.#statements.gaps.all(epochId).filter(({ cause }) => isRenewal(String(cause)));
    return Math.min(...renewals.map(({ seq }) => Number(seq)));
  }

  #seriesOf(agentId: string, { taskId, monitorId }: TaskIds): number {
    const series = this.#series.getOrInsertComputed(taskId, () => {
      const row = this.#statements.series.get(taskId);
      if (row) return { id: Number(row['id']), agentId: String(row['agentId']) };
      return { id: Number(this.#statements.addSeries.run(taskId, agentId, monitorId).lastInsertRowid), agentId };
    });
    if (series.agentId === agentId) return series.id;
    throw new AppError(
      'usage',
      `Expected results of agent ${agentId}'s own tasks, got task ${taskId} of agent ${series.agentId}.`,
    );
  }

  #horizon(): number {
    this.#horizonHour ??= Number(this.#statements.horizon.get()?.['hour'] ?? 0);
    return this.#horizonHour;
  }
}

function isRenewal(cause: string): boolean {
  return (renewalCauses as readonly string[]).includes(cause);
}

function prepare(db: DatabaseSync) {
  return {
    epoch: db.prepare('SELECT id, ranges FROM epochs WHERE agentId = ? AND epoch = ?'),
    epochsOf: db.prepare('SELECT min(id) AS first, max(id) AS last FROM epochs WHERE agentId = ?'),
    addEpoch: db.prepare("INSERT INTO epochs (agentId, epoch, ranges) VALUES (?, ?, '[]')"),
    saveEpoch: db.prepare('UPDATE epochs SET ranges = ?, heardAt = max(heardAt, ?) WHERE id = ?'),
    gaps: db.prepare('SELECT seq, cause FROM gaps WHERE epochId = ?'),
    addGap: db.prepare('INSERT INTO gaps VALUES (?, ?, ?, ?, ?, ?)'),
    // A number that two entries claim may be that of a gap.
    declare: db.prepare('INSERT OR IGNORE INTO gaps VALUES (?, ?, ?, ?, ?, ?)'),
    addAbsence: db.prepare('INSERT OR IGNORE INTO absences VALUES (?, ?, ?, ?)'),
    series: db.prepare('SELECT id, agentId FROM series WHERE taskId = ?'),
    addSeries: db.prepare('INSERT INTO series (taskId, agentId, monitorId) VALUES (?, ?, ?)'),
    openHour: db.prepare('INSERT OR IGNORE INTO unsealed VALUES (?, ?)'),
    addFinding: db.prepare('INSERT INTO findings (text) VALUES (?)'),
    addResult: db.prepare('INSERT INTO results VALUES (?, ?, ?, ?, ?, ?, ?)'),
    horizon: db.prepare('SELECT hour FROM horizon'),
  };
}
