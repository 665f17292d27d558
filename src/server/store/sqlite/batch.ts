import type { AbsenceItem, GapItem, Item, ResultItem, SealedRecord } from '../../../core/entry.ts';
import type { Batch } from '../store.ts';
import { runOf } from './run.ts';

/** A batch on its way to the writing thread, as columns: objects take a thread far longer to read. */
export interface PackedBatch {
  readonly agentId: string;
  readonly epoch: string;
  readonly receivedAt: number;
  readonly clockOffsetMs: number;
  /** Of the results; ascending, each number once. The other columns are in this order. */
  readonly seqs: Float64Array<ArrayBuffer>;
  /** Slots, whole epoch milliseconds. */
  readonly slots: Float64Array<ArrayBuffer>;
  /** Which of `tasks`, and which of `findings`. */
  readonly taskOf: Uint32Array<ArrayBuffer>;
  readonly findingOf: Uint32Array<ArrayBuffer>;
  /** All numbers, one result's after the other's; those of result i end before `ends[i]`. */
  readonly numbers: Float64Array<ArrayBuffer>;
  readonly ends: Uint32Array<ArrayBuffer>;
  readonly tasks: readonly TaskIds[];
  readonly findings: readonly string[];
  readonly gaps: readonly NumberedGap[];
  readonly absences: readonly Numbered<AbsenceItem>[];
  /** Ascending, each number once. */
  readonly records: readonly SealedRecord[];
}

export type TaskIds = Pick<ResultItem, 'taskId' | 'monitorId'>;

interface Numbered<Item> {
  readonly seq: number;
  readonly item: Item;
}

export type NumberedGap = Numbered<GapItem>;

export function packBatch({
  agentId,
  epoch,
  entries,
  records = [],
  receivedAt = 0,
  clockOffsetMs = 0,
}: Batch): PackedBatch {
  const inOrder = eachOnce(entries);
  const results = inOrder.filter((entry) => isResult(entry));
  const gaps = inOrder.flatMap(({ seq, item }) => (item.kind === 'gap' ? [{ seq, item }] : []));
  const absences = inOrder.flatMap(({ seq, item }) => (item.kind === 'absence' ? [{ seq, item }] : []));
  const tasks = new Map<string, TaskIds & { readonly index: number }>();
  const findings = new Map<string, number>();
  const numbers: number[] = [];
  const columns = {
    seqs: new Float64Array(results.length),
    slots: new Float64Array(results.length),
    taskOf: new Uint32Array(results.length),
    findingOf: new Uint32Array(results.length),
    ends: new Uint32Array(results.length),
  };
  for (const [index, { seq, item }] of results.entries()) {
    const { taskId, monitorId } = item;
    const run = runOf(item, receivedAt > 0 ? { receivedAt, clockOffsetMs } : undefined);
    columns.seqs[index] = seq;
    columns.slots[index] = run.at;
    columns.taskOf[index] = tasks.getOrInsertComputed(taskId, () => ({ taskId, monitorId, index: tasks.size })).index;
    columns.findingOf[index] = findings.getOrInsert(run.finding, findings.size);
    columns.ends[index] = numbers.push(...run.numbers);
  }
  return {
    agentId,
    epoch,
    receivedAt,
    clockOffsetMs,
    ...columns,
    numbers: new Float64Array(numbers),
    tasks: [...tasks.values()],
    findings: [...findings.keys()],
    gaps,
    absences,
    records: eachOnce(records),
  };
}

/** The memory that the batch takes while it waits, to within some kilobytes. */
export function memoryOf(batch: PackedBatch): number {
  const texts = [...batch.findings, ...batch.records.map(({ line }) => line)];
  const textBytes = texts.reduce((sum, text) => sum + 2 * text.length, 0);
  return textBytes + buffersOf(batch).reduce((sum, { byteLength }) => sum + byteLength, 0);
}

/** Buffers that are moved to the other thread instead of copied. */
export function buffersOf(batch: PackedBatch): readonly ArrayBuffer[] {
  const { seqs, slots, taskOf, findingOf, numbers, ends } = batch;
  return [seqs, slots, taskOf, findingOf, numbers, ends].map(({ buffer }) => buffer);
}

function isResult(entry: Numbered<Item>): entry is Numbered<ResultItem> {
  return entry.item.kind === 'result';
}

function eachOnce<Each extends { readonly seq: number }>(entries: readonly Each[]): readonly Each[] {
  const sorted = entries.toSorted((a, b) => a.seq - b.seq);
  return sorted.filter(({ seq }, index) => seq !== sorted[index - 1]?.seq);
}
