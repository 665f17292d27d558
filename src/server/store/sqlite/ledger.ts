import type { DatabaseSync } from 'node:sqlite';
import type { SeqRange } from '../../../core/entry.ts';
import { AppError } from '../../../core/errors.ts';
import { RangeSet, rangesOf } from '../../../core/ranges.ts';
import type { Committed } from '../store.ts';
import { hourMs } from '../summary.ts';
import type { NumberedGap, PackedBatch, Task } from './batch.ts';
import type { RecordWriter } from './record-writer.ts';

/** Results of the same 10 s lie together on disk. */
export const slotMs = 10_000;
export const slotsPerHour = hourMs / slotMs;

/** An agent sends in two lanes, so a few ranges are normal; thousands mean that it skips numbers, and would grow without end. */
const maxRanges = 4096;

interface Epoch {
  readonly id: number;
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

/** Writes entries, each once. Its memory only saves queries, so `forget` is always safe. */
export class LedgerWriter {
  readonly #statements;
  readonly #records: RecordWriter;
  readonly #epochs = new Map<string, Epoch>();
  readonly #series = new Map<string, { readonly id: number; readonly agentId: string }>();
  readonly #openHours = new Map<number, OpenHour>();
  #horizonHour: number | undefined;

  constructor(db: DatabaseSync, records: RecordWriter) {
    this.#statements = prepare(db);
    this.#records = records;
  }

  /** To be called within a transaction; `forget` after one that failed. */
  commit(batch: PackedBatch): Committed {
    const { agentId, gaps, records } = batch;
    const epoch = this.#epochOf(agentId, batch.epoch);
    const sent = rangesOf(batch.seqs);
    for (const { seq } of [...gaps, ...records]) sent.add([seq, seq]);
    const added = new RangeSet(sent.ranges.flatMap((range) => epoch.received.missingIn(range)));
    for (const range of [...added.ranges, ...gaps.flatMap(({ item }) => item.ranges)]) epoch.received.add(range);
    if (epoch.received.ranges.length > maxRanges) {
      throw new AppError(
        'usage',
        `Expected nearly contiguous numbers from agent ${agentId}, got over ${maxRanges} ranges.`,
      );
    }
    const tooOld = this.#keepResults(batch, epoch.id, added);
    for (const gap of gaps) if (added.has(gap.seq)) this.#keepGap(epoch.id, gap, batch.receivedAt);
    this.#statements.saveEpoch.run(JSON.stringify(epoch.received.ranges), batch.receivedAt, epoch.id);
    const kept = this.#records.keep(agentId, records, added.ranges);
    for (const range of tooOld) added.delete(range);
    return { added: added.ranges, tooOld, ...kept };
  }

  /** Call it when a transaction was undone, or when hours were sealed or dropped. */
  forget(): void {
    this.#epochs.clear();
    this.#series.clear();
    this.#openHours.clear();
    this.#horizonHour = undefined;
  }

  /** The hour was sealed: what is late for it opens it again. */
  closeHour(series: number): void {
    this.#openHours.delete(series);
  }

  /** The numbers of those that are older than what is kept; they are declared missing, with the time of the oldest. */
  #keepResults(batch: PackedBatch, epochId: number, added: RangeSet): readonly SeqRange[] {
    const tooOld = new RangeSet();
    let oldest = Infinity;
    const series = batch.tasks.map((task) => this.#seriesOf(batch.agentId, task));
    const numbers = new Uint8Array(batch.numbers.buffer);
    let end = 0;
    for (const [index, seq] of batch.seqs.entries()) {
      const start = end;
      // The columns are equally long, and point into lists that were made with them.
      end = batch.ends[index]! * Float64Array.BYTES_PER_ELEMENT;
      if (!added.has(seq)) continue;
      const at = batch.slots[index]!;
      const inSeries = series[batch.taskOf[index]!]!;
      const hour = Math.floor(at / hourMs);
      if (hour < this.#horizon()) {
        tooOld.add([seq, seq]);
        oldest = Math.min(oldest, at);
        continue;
      }
      const findingId = this.#findingOf(inSeries, hour, batch.findings[batch.findingOf[index]!]!);
      const slot = Math.floor(at / slotMs);
      this.#statements.addResult.run(slot, inSeries, at, epochId, seq, findingId, numbers.subarray(start, end));
    }
    this.#keepTooOld(epochId, tooOld, { at: oldest, receivedAt: batch.receivedAt });
    return tooOld.ranges;
  }

  #keepGap(epochId: number, { seq, item }: NumberedGap, receivedAt: number): void {
    this.#statements.addGap.run(epochId, seq, JSON.stringify(item.ranges), item.cause, item.at, receivedAt);
  }

  /** One row for all of a batch: there may be as many as there are results. */
  #keepTooOld(
    epochId: number,
    { ranges }: RangeSet,
    times: { readonly at: number; readonly receivedAt: number },
  ): void {
    const [first] = ranges;
    if (first === undefined) return;
    const { at, receivedAt } = times;
    this.#statements.addGap.run(epochId, first[0], JSON.stringify(ranges), 'too-old', at, receivedAt);
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
      if (row)
        return { id: Number(row['id']), received: new RangeSet(JSON.parse(String(row['ranges'])) as SeqRange[]) };
      return { id: Number(this.#statements.addEpoch.run(agentId, epoch).lastInsertRowid), received: new RangeSet() };
    });
  }

  #seriesOf(agentId: string, { taskId, monitorId }: Task): number {
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

export function numbersOf(bytes: Uint8Array): number[] {
  // SQLite's bytes may begin anywhere; a Float64Array must not.
  return [...new Float64Array(Uint8Array.from(bytes).buffer)];
}

function prepare(db: DatabaseSync) {
  return {
    epoch: db.prepare('SELECT id, ranges FROM epochs WHERE agentId = ? AND epoch = ?'),
    addEpoch: db.prepare("INSERT INTO epochs (agentId, epoch, ranges) VALUES (?, ?, '[]')"),
    saveEpoch: db.prepare('UPDATE epochs SET ranges = ?, heardAt = max(heardAt, ?) WHERE id = ?'),
    addGap: db.prepare('INSERT INTO gaps VALUES (?, ?, ?, ?, ?, ?)'),
    series: db.prepare('SELECT id, agentId FROM series WHERE taskId = ?'),
    addSeries: db.prepare('INSERT INTO series (taskId, agentId, monitorId) VALUES (?, ?, ?)'),
    openHour: db.prepare('INSERT OR IGNORE INTO unsealed VALUES (?, ?)'),
    addFinding: db.prepare('INSERT INTO findings (text) VALUES (?)'),
    addResult: db.prepare('INSERT INTO results VALUES (?, ?, ?, ?, ?, ?, ?)'),
    horizon: db.prepare('SELECT hour FROM horizon'),
  };
}
