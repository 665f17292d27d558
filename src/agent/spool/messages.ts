import type { SeqRange } from '../../core/entry.ts';
import type { Lane } from '../../protocol/messages.ts';
import type { ReadLimit, SpooledEntry } from './reader.ts';
import type { Receipt } from './intake.ts';
import type { SpoolStats } from './stats.ts';
import type { Recovered } from './recovery.ts';

/** What the spool's thread is told at its start. */
export interface SpoolSizes {
  /** Bytes on the disk beyond which the oldest droppable entries go. */
  readonly limitBytes: number;
  /** Bytes of entries that may wait in memory while the disk refuses. */
  readonly memoryBytes: number;
}

/** What the agent knows of the spool's past. */
export interface SpoolHistory {
  /** Why a new epoch must begin. */
  readonly renewal?: 'copied' | undefined;
  /** Whether the spool was used before. If so, an empty folder means that entries were lost, and the server is told. */
  readonly isUsed?: boolean;
}

/** The appends of one turn: `droppable` holds one letter for each, 'd' or '-', because a string crosses threads more cheaply than a list. */
export interface AppendMessage {
  readonly type: 'append';
  readonly firstTicket: number;
  readonly jsons: readonly string[];
  readonly droppable: string;
}

/** What the main thread asks of the spool's thread. */
export type SpoolRequest =
  | AppendMessage
  | { readonly type: 'acknowledge'; readonly ranges: readonly SeqRange[] }
  | { readonly type: 'reconcile'; readonly id: number; readonly received: readonly SeqRange[] }
  | { readonly type: 'start-sending'; readonly id: number }
  | { readonly type: 'read'; readonly id: number; readonly lane: Lane; readonly limit: ReadLimit }
  | { readonly type: 'close'; readonly id: number };

/** What the spool's thread says. */
export type SpoolReply =
  | { readonly type: 'opened'; readonly recovered: Recovered; readonly stats: SpoolStats }
  | { readonly type: 'refused'; readonly message: string }
  | { readonly type: 'receipts'; readonly receipts: readonly Receipt[]; readonly stats: SpoolStats }
  | {
      readonly type: 'done';
      readonly id: number;
      readonly entries: readonly SpooledEntry[];
      /** The answer to `reconcile`: why nothing may be sent. */
      readonly obstacle?: string | undefined;
      readonly stats: SpoolStats;
    };
