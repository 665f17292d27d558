import type { Milliseconds } from './duration.ts';
import type { Outcome } from './outcome.ts';
import type { NoticeText } from './notice.ts';
import type { BlindCause } from './record.ts';
import type { SensorName } from './sensor.ts';

/** One run of a task, as the agent reports it. Times are the agent's, epoch milliseconds. */
export interface ResultItem extends Outcome {
  readonly kind: 'result';
  /** UUID v7 of the task that was run. */
  readonly taskId: string;
  readonly monitorId: string;
  /** The slot the run was due in; with the task it names the run. */
  readonly scheduledAt: number;
  readonly startedAt: number;
  readonly durationMs: Milliseconds;
}

/** A result as the server has it. */
export interface ReceivedResult extends ResultItem {
  /** When the server received it, by its own clock, epoch milliseconds; absent where an earlier version kept it. */
  readonly receivedAt?: number;
  /** The agent's clock minus the server's when it was received. */
  readonly clockOffsetMs?: number;
}

/** Sequence numbers from..to, both included. */
export type SeqRange = readonly [from: number, to: number];

/**
 * Why a new epoch begins. `set-back`: the server knows numbers that this agent never sent, so its folder is an older copy of
 * itself. `copied`: the folder was made on another machine, or by copying. `lost`: the spool was empty and should not have been.
 */
export const renewalCauses = ['set-back', 'copied', 'lost'] as const;
export type RenewalCause = (typeof renewalCauses)[number];

/**
 * Why an agent sends no entry under a number. `overflow`: the spool was full. `corrupt`: the disk lost it. `restored`: the server
 * had acknowledged it and knows it no more, as after a restored backup. With a renewal, the numbers were used in the epoch before.
 */
export const gapCauses = ['overflow', 'corrupt', 'restored', ...renewalCauses] as const;

/** Closes numbers under which no entry will come, and says why. */
export interface GapItem {
  readonly kind: 'gap';
  /** Ascending and disjoint. */
  readonly ranges: readonly SeqRange[];
  /** `refused`: the server did not accept the entry, for instance because the task is not this agent's. */
  readonly cause: (typeof gapCauses)[number] | 'refused';
  /** When the agent noticed. */
  readonly at: number;
}

/** A sensor's record as the agent sealed it. The line contains everything; the seal covers its bytes. */
export interface RecordItem {
  readonly kind: 'record';
  /** UUID v7 of the chain that the line belongs to. */
  readonly chain: string;
  /** JSON without a line end; see records/chain.ts. */
  readonly line: string;
}

/** A record as the server stores it: the line, and the facts that queries need without parsing it. */
export interface SealedRecord {
  readonly seq: number;
  readonly chain: string;
  readonly sensor: SensorName;
  readonly n: number;
  /** By the agent's clock, epoch milliseconds. */
  readonly at: number;
  readonly event: string;
  readonly line: string;
  /** See records/chain.ts. */
  readonly hash: string;
  /** Address that the agent reported from; the time of receipt is by the server's clock. */
  readonly address: string | undefined;
  readonly receivedAt: number;
  /** What people are to be told, kept with it. */
  readonly notice?: NoticeText;
}

/** Time in which an agent ran nothing, by its own clock, epoch milliseconds. */
export interface AbsenceItem {
  readonly kind: 'absence';
  readonly from: number;
  readonly to: number;
  readonly reason: BlindCause;
}

/** `unheard`: the server heard nothing of the agent, which may have run; then its results say so. */
export interface Absence extends Omit<AbsenceItem, 'kind' | 'reason'> {
  readonly reason: BlindCause | 'unheard';
}

/** What an agent sends through its spool. */
export type Item = ResultItem | GapItem | RecordItem | AbsenceItem;

/**
 * An item and its number: `seq` counts from 1 without a gap within an `epoch`, which changes only when its numbers can no longer
 * be trusted (see RenewalCause). (agent, epoch, seq) is unique; the server keeps each once.
 */
export interface Entry {
  readonly seq: number;
  readonly item: Item;
}
