import type { Entry, SeqRange } from '../../core/entry.ts';
import type { ServerEvent } from '../../core/event.ts';
import { countOf, RangeSet } from '../../core/ranges.ts';
import type { LatestResults } from './latest-results.ts';

/** What one agent handed over in one frame. */
export interface Batch {
  readonly agentId: string;
  readonly epoch: string;
  readonly entries: readonly Entry[];
}

export interface PipelinePorts {
  readonly latest: LatestResults;
  /** Keeps what is new and resolves when it is durable, with the numbers that were new. */
  commit(batch: Batch): Promise<{ readonly added: readonly SeqRange[] }>;
  /** Whether this task is or was this agent's. */
  isTaskOf(taskId: string, agentId: string): boolean;
  publish(event: ServerEvent): void;
  /** So many entries were not kept, and why; told once a batch. */
  onRefused(agentId: string, count: number, why: string): void;
}

/**
 * What happens to results: they are made durable, then the newest of each task is its latest state, then whoever watches
 * is told. When this resolves the agent may be told to forget them.
 */
export async function commitResults(batch: Batch, ports: PipelinePorts): Promise<void> {
  sayUnreadable(batch, ports);
  const checked = { ...batch, entries: withoutForeign(batch, ports) };
  const { added } = await ports.commit(checked);
  for (const { seq, item } of newEntries(checked.entries, added)) {
    if (item.kind === 'result') {
      const isLate = !ports.latest.take(batch.agentId, item, { epoch: batch.epoch, seq });
      ports.publish({ type: 'result', agentId: batch.agentId, result: item, isLate });
    } else if (item.kind === 'gap') {
      ports.publish({ type: 'gap', agentId: batch.agentId, cause: item.cause, missing: countOf(item.ranges) });
    }
  }
}

/** The protocol reads an item that does not fit as one that is refused already. */
function sayUnreadable({ agentId, entries }: Batch, ports: PipelinePorts): void {
  const count = entries.filter(({ item }) => item.kind === 'gap' && item.cause === 'refused').length;
  if (count > 0) ports.onRefused(agentId, count, 'they do not fit the protocol');
}

/**
 * A result for somebody else's task is not kept, and its number is closed by a gap: refused without an acknowledgement it
 * would stand at the head of the agent's queue for ever.
 */
function withoutForeign({ agentId, entries }: Batch, ports: PipelinePorts): readonly Entry[] {
  const foreign = entries.filter(({ item }) => item.kind === 'result' && !ports.isTaskOf(item.taskId, agentId));
  const [first] = foreign;
  if (first?.item.kind !== 'result') return entries;
  ports.onRefused(agentId, foreign.length, `they are of tasks it never had (${first.item.taskId})`);
  const refused = new Set(foreign);
  return entries.map((entry) =>
    refused.has(entry) && entry.item.kind === 'result'
      ? { seq: entry.seq, item: { kind: 'gap', ranges: [], cause: 'refused', at: entry.item.startedAt } }
      : entry,
  );
}

function newEntries(entries: readonly Entry[], added: readonly SeqRange[]): readonly Entry[] {
  const numbers = new RangeSet(added);
  return entries.filter(({ seq }) => numbers.has(seq));
}
