import type { SeqRange } from '../../core/entry.ts';
import type { AlarmCause } from '../../core/event.ts';
import type { SensorName } from '../../core/sensor.ts';
import type { KeptNotice } from './notices.ts';

/** What sensors wrote, how far its chains were verified, and what was found wrong. Records come in with `commit`. */
export interface Evidence {
  /** `known`: it was begun before, with this key; `taken`: with another, or by another agent. */
  beginChain(chain: NewChain): Promise<'begun' | 'known' | 'taken'>;
  chains(): Promise<readonly Chain[]>;
  /** Keeps how far chains were verified and what was found, all or nothing; resolves to the alarms that are new. */
  saveChains(progress: readonly ChainProgress[], alarms: readonly NewAlarm[]): Promise<readonly Alarm[]>;
  /** Lines of one chain from a number on, in order, at most `limit`. */
  lines(query: LineQuery): Promise<readonly KeptLine[]>;
  /** Records whose time lies in [from, to), oldest first, at most `limit`. */
  records(query: RecordQuery): Promise<readonly KeptRecord[]>;
  /** Records in the order in which they arrived, after a position, at most `limit`. */
  recordsAfter(position: number, limit: number): Promise<readonly KeptRecord[]>;
  /** Newest first, at most `limit`. */
  alarms(query: AlarmQuery): Promise<readonly Alarm[]>;
}

export interface NewChain {
  readonly chain: string;
  readonly agentId: string;
  readonly sensor: SensorName;
  /** Of the first line, and what that line names as the hash before it. */
  readonly key: string;
  readonly head: string;
  readonly begunAt: number;
}

/** Verified up to line `n`: its hash, and the key of the next; undefined where they are not known. */
export interface Cursor {
  readonly n: number;
  readonly head: string | undefined;
  readonly key: string | undefined;
}

/** The newest line that an agent said it has written. */
export interface Anchor {
  readonly n: number;
  readonly head: string;
}

export interface Chain extends ChainProgress {
  readonly agentId: string;
  readonly sensor: SensorName;
  readonly begunAt: number;
  /** Lines up to this one were dropped by retention. */
  readonly droppedTo: number;
  /** The highest number that was kept. */
  readonly last: number;
}

export interface ChainProgress {
  readonly chain: string;
  readonly cursor: Cursor;
  readonly anchor: Anchor | undefined;
}

export interface NewAlarm {
  readonly chain: string;
  readonly n: number;
  readonly cause: AlarmCause;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly message: string;
  /** The line that is not in its place: the other one of a fork. */
  readonly line?: string;
}

/** Raised once for a cause and a line of a chain. */
export interface Alarm extends NewAlarm {
  readonly agentId: string;
  readonly sensor: SensorName;
}

export interface LineQuery {
  readonly chain: string;
  readonly from: number;
  readonly limit: number;
}

export interface KeptLine {
  readonly n: number;
  readonly at: number;
  readonly line: string;
  readonly hash: string;
}

export interface RecordQuery {
  readonly from: number;
  readonly to: number;
  readonly limit: number;
  /** All if absent. */
  readonly agentId?: string | undefined;
  readonly sensor?: SensorName | undefined;
}

export interface KeptRecord {
  /** Its place in the order of arrival. */
  readonly position: number;
  readonly agentId: string;
  readonly chain: string;
  readonly sensor: SensorName;
  readonly n: number;
  readonly at: number;
  readonly event: string;
  readonly address: string | undefined;
  readonly receivedAt: number;
  readonly line: string;
}

export interface AlarmQuery {
  readonly agentId?: string | undefined;
  readonly limit: number;
}

/** What came of the records of a batch. */
export interface CommittedRecords {
  /** Sequence numbers of the records whose line was there already, or was dropped by retention. */
  readonly repeated: readonly SeqRange[];
  readonly alarms: readonly Alarm[];
  /** Those of the new records, as they are kept: folded with the same that came before. */
  readonly notices: readonly KeptNotice[];
}

/** Epoch milliseconds before which a sensor's records are dropped. */
export type RecordsBefore = Readonly<Partial<Record<SensorName, number>>>;
