import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SmallFiles } from '../core/small-files.ts';
import type { Heartbeat } from '../protocol/messages.ts';
import { isFresh, readReport, replaceReport } from './report-file.ts';
import type { LinkState } from './uplink.ts';

/** What a running agent tells about itself, for `agent status`. Its tasks are in a file of their own: there may be thousands. */
export interface AgentStatusReport {
  readonly agentId: string;
  readonly name: string;
  readonly version: string;
  readonly pid: number;
  readonly startedAt: number;
  /** When this was written; an agent that runs writes it every two seconds. */
  readonly writtenAt: number;
  readonly link: LinkState;
  readonly lastAcknowledgedAt: number | undefined;
  readonly queue: Heartbeat['queue'];
  readonly health: Heartbeat['health'];
}

const fileName = 'status.json';

/** Replaces the report, for the agent's own user. */
export function writeStatus(files: SmallFiles, report: AgentStatusReport): void {
  replaceReport(files, fileName, { report, mode: 0o600 });
}

/** The last report in this data folder; undefined if no agent ever ran there, or it is not for this user. */
export function readStatus(folder: string): AgentStatusReport | undefined {
  // Our own file, replaced whole.
  return readReport(join(folder, fileName)) as AgentStatusReport | undefined;
}

/** Whether the agent of this report still runs: it wrote a moment ago, and its process is there. */
export function isRunning(report: AgentStatusReport, now: number): boolean {
  return isFresh(report, now) && isAlive(report.pid);
}

function isAlive(pid: number): boolean {
  try {
    // proc(5): the state follows the name in parentheses; a zombie has ended and only waits to be noticed.
    const [, state] = /\) (\w)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
    return state !== 'Z';
  } catch {
    return false;
  }
}
