import { join } from 'node:path';
import type { SmallFiles } from '../core/small-files.ts';
import type { SensorReport } from '../protocol/messages.ts';
import type { Privilege } from './privileges.ts';
import { readReport, replaceReport } from './report-file.ts';

/** One kind of collected data and how much there is of it. */
export interface Collected {
  readonly title: string;
  /** What is collected, in a sentence. */
  readonly summary: string;
  readonly state: SensorReport['state'];
  readonly message: string;
  /** How many records there are, and when the last one was written, epoch milliseconds; absent if none was since the start. */
  readonly records: number;
  readonly lastRecordAt?: number;
}

/** What a running agent tells everybody on its machine. The watched person has a right to know it. */
export interface AgentNotice {
  readonly name: string;
  readonly pid: number;
  /** When this was written; an agent that runs writes it every two seconds. */
  readonly writtenAt: number;
  /** Where the records are sent. */
  readonly server: string;
  readonly isConnected: boolean;
  /** Who ordered the collection; the purpose is in `purpose`. */
  readonly by: string;
  readonly purpose?: string;
  /** Collection ends at this time, epoch milliseconds. */
  readonly until?: number;
  /** Empty if nothing is collected of this machine. */
  readonly collected: readonly Collected[];
  /** Entries waiting to be sent, including results of checks. */
  readonly waiting: number;
  readonly lastAcknowledgedAt?: number;
  readonly privileges: readonly Privilege[];
}

const fileName = 'notice.json';

/** Replaces the notice, for everybody to read. */
export function writeNotice(files: SmallFiles, notice: AgentNotice): void {
  replaceReport(files, fileName, { report: notice, mode: 0o644 });
}

/** The last notice in this data folder; undefined if there is none, or none that this user may read. */
export function readNotice(folder: string): AgentNotice | undefined {
  // The agent itself wrote the file, in one atomic replace.
  return readReport(join(folder, fileName)) as AgentNotice | undefined;
}
