import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Heartbeat } from '../protocol/messages.ts';
import type { Task } from '../core/task.ts';
import type { LinkState } from './uplink.ts';

/** What a running agent tells about itself, for `agent status`. */
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
  readonly tasks: readonly Pick<Task, 'id' | 'monitorName' | 'type' | 'target' | 'intervalMs' | 'paused'>[];
}

export const statusIntervalMs = 2000;
const fileName = 'status.json';

/** Replaces the report. It need not outlive a power cut, so it is not synced. */
export function writeStatus(folder: string, report: AgentStatusReport): void {
  const file = join(folder, fileName);
  writeFileSync(`${file}.new`, JSON.stringify(report), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/** The last report in this data folder; undefined if no agent ever ran there, or it is not for this user. */
export function readStatus(folder: string): AgentStatusReport | undefined {
  try {
    // Our own file, replaced whole.
    return JSON.parse(readFileSync(join(folder, fileName), 'utf8')) as AgentStatusReport;
  } catch (error) {
    if (['ENOENT', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

/** Whether the agent of this report still runs: it wrote a moment ago, and its process is there. */
export function isRunning({ pid, writtenAt }: AgentStatusReport, now: number): boolean {
  return now - writtenAt < 3 * statusIntervalMs && isAlive(pid);
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
