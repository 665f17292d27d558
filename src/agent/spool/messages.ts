import type { SeqRange } from '../../core/entry.ts';
import type { Lane } from '../../protocol/messages.ts';
import type { ReadLimit, SpooledEntry } from './reader.ts';
import type { Receipt } from './intake.ts';
import type { SpoolStats } from './queue.ts';
import type { Recovered } from './recovery.ts';

/** What the spool's thread is told at its start. */
export interface SpoolSizes {
  /** Bytes on the disk beyond which the oldest droppable entries go. */
  readonly limitBytes: number;
  /** Bytes of entries that may wait in memory while the disk refuses. */
  readonly memoryBytes: number;
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
      readonly stats: SpoolStats;
    };
