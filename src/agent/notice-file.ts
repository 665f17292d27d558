import { join } from 'node:path';
import type { SensorReport } from '../protocol/messages.ts';
import type { Privilege } from './privileges.ts';
import { readReport, replaceReport } from './report-file.ts';

/** What is collected of one kind, and how far it went. */
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

/** What a running agent tells everybody on its machine: the watched person has a right to know. */
export interface AgentNotice {
  readonly name: string;
  readonly pid: number;
  /** When this was written; an agent that runs writes it every two seconds. */
  readonly writtenAt: number;
  /** Where everything goes. */
  readonly server: string;
  readonly isConnected: boolean;
  /** Who collects, and for what. */
  readonly by: string;
  readonly purpose?: string;
  /** From then on nothing is collected. */
  readonly until?: number;
  /** Empty if nothing is collected of this machine. */
  readonly collected: readonly Collected[];
  /** What waits to be sent, results of checks too. */
  readonly waiting: number;
  readonly lastAcknowledgedAt?: number;
  readonly privileges: readonly Privilege[];
}

const fileName = 'notice.json';

/** Replaces the notice, for everybody to read. */
export function writeNotice(folder: string, notice: AgentNotice): void {
  replaceReport(join(folder, fileName), notice, 0o644);
}

/** The last notice in this data folder; undefined if there is none, or none that this user may read. */
export function readNotice(folder: string): AgentNotice | undefined {
  // Our own file, replaced whole.
  return readReport(join(folder, fileName)) as AgentNotice | undefined;
}
