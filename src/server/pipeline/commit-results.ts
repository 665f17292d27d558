import {
  renewalCauses,
  type Entry,
  type GapItem,
  type RecordItem,
  type ResultItem,
  type SealedRecord,
  type SeqRange,
} from '../../core/entry.ts';
import type { ServerEvent } from '../../core/event.ts';
import { countOf, RangeSet } from '../../core/ranges.ts';
import { latenessOf, type LatestResults } from './latest-results.ts';

/** What one agent handed over in one frame. */
export interface Batch {
  readonly agentId: string;
  readonly epoch: string;
  readonly entries: readonly Entry[];
  /** By this server's clock, epoch milliseconds. */
  readonly receivedAt: number;
  /** The agent's clock minus this server's, as it is now. */
  readonly clockOffsetMs: number;
}

export interface CheckedBatch extends Batch {
  /** What those of the entries that are records say. */
  readonly records: readonly SealedRecord[];
}

/** What became of the entries of a batch. */
interface Kept {
  readonly added: readonly SeqRange[];
  readonly repeated: readonly SeqRange[];
  /** Of results that are the newest of their task now. */
  readonly newest: readonly SeqRange[];
  /** Of results that came under the number of another entry. */
  readonly conflicting: readonly SeqRange[];
  /** Of results that are older than what is kept. */
  readonly tooOld: readonly SeqRange[];
}

/** A record that is this agent's to write: as it is kept, and as it is told; or why it is not taken. */
export type RecordReading =
  | { readonly record: Omit<SealedRecord, 'seq'>; readonly event: ServerEvent | undefined }
  | { readonly refusal: string };

export interface PipelinePorts {
  readonly clock: { monotonic(): number };
  readonly latest: LatestResults;
  /** Keeps what is new and resolves when it is durable, with the numbers that were new; `repeated` are records that said nothing new. */
  commit(batch: CheckedBatch): Promise<Kept>;
  /** Whether this task is or was this agent's, for this monitor. */
  isTaskOf(task: Pick<ResultItem, 'taskId' | 'monitorId'>, agentId: string): boolean;
  readRecord(agentId: string, item: RecordItem): RecordReading;
  /** The result without the secrets of its monitor that only the server knows as such. */
  withoutSecrets(item: ResultItem): ResultItem;
  publish(event: ServerEvent): void;
  /** So many entries were not kept, and why; told once a batch for each reason. */
  onRefused(agentId: string, count: number, why: string): void;
}

/**
 * What happens to results and records: they are made durable, then the newest result of each task is its latest state, then
 * whoever watches is told. When this resolves the agent may be told to forget them.
 */
export async function commitResults(batch: Batch, ports: PipelinePorts): Promise<void> {
  const { checked, events } = check(batch, ports);
  const kept = await ports.commit(checked);
  const nowMs = ports.clock.monotonic();
  tellNotKept(batch, kept, ports);
  const { added } = kept;
  const [newest, toldBefore] = [new RangeSet(kept.newest), new RangeSet(kept.repeated)];
  for (const { seq, item } of newEntries(checked.entries, added)) {
    if (item.kind === 'result') {
      const { agentId, receivedAt, clockOffsetMs } = batch;
      const result = { ...item, receivedAt, clockOffsetMs };
      const isLate = !newest.has(seq);
      const measuredMs = nowMs - latenessOf(result);
      if (!isLate) ports.latest.take({ agentId, result, receivedAt, measuredMs });
      ports.publish({ type: 'result', agentId, result, isLate });
    } else if (item.kind === 'gap') {
      ports.publish({ type: 'gap', agentId: batch.agentId, cause: item.cause, missing: missingIn(item) });
    } else {
      const event = events.get(seq);
      if (event && !toldBefore.has(seq)) ports.publish(event);
    }
  }
}

const whyNotKept = {
  'too-old': 'they are older than what is kept here',
  conflicting: 'their numbers belong to other entries; its folder was used twice, or set back',
} as const;

function tellNotKept({ agentId }: Batch, { tooOld, conflicting }: Kept, ports: PipelinePorts): void {
  for (const [cause, ranges] of [
    ['too-old', tooOld],
    ['conflicting', conflicting],
  ] as const) {
    const missing = countOf(ranges);
    if (missing === 0) continue;
    ports.onRefused(agentId, missing, whyNotKept[cause]);
    ports.publish({ type: 'gap', agentId, cause, missing });
  }
}

interface Checked {
  readonly checked: CheckedBatch;
  /** What is told of each record, by its number. */
  readonly events: ReadonlyMap<number, ServerEvent>;
}

/** Reads the records, and closes with a gap the numbers of entries that are not taken. */
function check(batch: Batch, ports: PipelinePorts): Checked {
  const records: SealedRecord[] = [];
  const events = new Map<number, ServerEvent>();
  const refusals = new Map<string, number>();
  const refuse = (why: string): void => void refusals.set(why, (refusals.get(why) ?? 0) + 1);
  const entries = batch.entries.map((entry): Entry => {
    const { seq, item } = entry;
    if (item.kind === 'result') {
      if (ports.isTaskOf(item, batch.agentId)) return { seq, item: ports.withoutSecrets(item) };
      refuse('they are of tasks it never had');
      return closed(seq, item.startedAt);
    }
    // The protocol reads an item that does not fit as one that is refused already.
    if (item.kind === 'gap' && item.cause === 'refused') refuse('they do not fit the protocol');
    if (item.kind !== 'record') return entry;
    const reading = ports.readRecord(batch.agentId, item);
    if ('refusal' in reading) {
      refuse(reading.refusal);
      return closed(seq, 0);
    }
    records.push({ seq, ...reading.record });
    if (reading.event) events.set(seq, reading.event);
    return entry;
  });
  for (const [why, count] of refusals) ports.onRefused(batch.agentId, count, why);
  return { checked: { ...batch, entries, records }, events };
}

/** Refused without an acknowledgement it would stand at the head of the agent's queue for ever. */
function closed(seq: number, at: number): Entry {
  return { seq, item: { kind: 'gap', ranges: [], cause: 'refused', at } };
}

/** How many entries a gap says are missing: the numbers that a renewal closes were used in an earlier epoch. */
function missingIn({ ranges, cause }: GapItem): number {
  return (renewalCauses as readonly string[]).includes(cause) ? 0 : countOf(ranges);
}

function newEntries(entries: readonly Entry[], added: readonly SeqRange[]): readonly Entry[] {
  const numbers = new RangeSet(added);
  return entries.filter(({ seq }) => numbers.has(seq));
}
