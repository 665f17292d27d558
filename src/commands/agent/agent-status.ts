import { readNotice, type AgentNotice, type Collected } from '../../agent/notice-file.ts';
import { isFresh } from '../../agent/report-file.ts';
import { isRunning, readStatus, type AgentStatusReport } from '../../agent/status-file.ts';
import { folderFiles } from '../../adapters/folder-files.ts';
import { AgentFolder } from '../../agent/agent-file.ts';
import { formatDuration } from '../../core/duration.ts';
import { printable } from '../../core/printable.ts';
import { agentFolders } from '../data-folders.ts';
import type { Task } from '../../core/task.ts';
import { misuse } from '../exit-codes.ts';

interface StatusOptions {
  readonly data?: string;
  readonly json?: true;
}

interface Report extends AgentStatusReport {
  readonly tasks: readonly Pick<Task, 'id' | 'monitorName' | 'type' | 'target' | 'intervalMs' | 'paused'>[];
}

interface Found {
  /** For whoever runs the agent. */
  readonly report: Report | undefined;
  /** For everybody on the machine. */
  readonly notice: AgentNotice | undefined;
}

/** Shows what the agent of this folder does, for whom, and what it collects. Exits with 0 if it runs. */
export function showAgentStatus({ data, json }: StatusOptions, output: NodeJS.WritableStream): number {
  const folders = data === undefined ? agentFolders() : [data];
  const { report, notice } = folders.map(found).find(({ report, notice }) => report ?? notice) ?? {};
  if (!report && !notice) {
    output.write(
      `No agent has run in ${folders.join(' or ')}, or its folder is closed to this user; --data FOLDER names another.\n`,
    );
    return misuse;
  }
  const now = Date.now();
  const running = report ? isRunning(report, now) : notice !== undefined && isFresh(notice, now);
  // What the server and others say is in them.
  const lines = [
    ...(report ? linesOf(report, running) : []),
    ...(notice ? noticeLines(notice, { running, report }) : []),
  ];
  output.write(
    json ? `${JSON.stringify({ running, ...report, notice }, withTimes)}\n` : `${lines.map(printable).join('\n')}\n`,
  );
  return running ? 0 : 2;
}

function found(folder: string): Found {
  const report = readStatus(folder);
  return { report: report && { ...report, tasks: tasksIn(folder) }, notice: readNotice(folder) };
}

/** Without options, which may hold secrets. */
function tasksIn(folder: string): Report['tasks'] {
  const tasks = new AgentFolder(folderFiles(folder)).tasks();
  return tasks.map(({ id, monitorName, type, target, intervalMs, paused }) => {
    return { id, monitorName, type, target, intervalMs, paused };
  });
}

function linesOf(report: Report, running: boolean): readonly string[] {
  const { name, agentId, version, link, queue, health, tasks, lastAcknowledgedAt } = report;
  const oldest = queue.oldestUnsentAt === undefined ? '' : `, the oldest since ${timeOf(queue.oldestUnsentAt)}`;
  const server =
    link.state === 'connected' ? `connected to ${link.server}` : `not connected to ${link.server}: ${link.message}`;
  return [
    `Agent      ${name} (${agentId}), version ${version}`,
    `State      ${stateOf(running, report)}`,
    `Server     ${server}`,
    `Waiting    ${queue.depth} entries, ${queue.bytes} bytes${oldest}`,
    `Last taken ${lastAcknowledgedAt === undefined ? 'nothing yet' : timeOf(lastAcknowledgedAt)}`,
    `Health     ${[...health.impaired.map(({ message }) => message), ...(health.warnings ?? [])].join('; ') || 'well'}; timers at most ${health.lagMs} ms late`,
    `Tasks      ${tasks.length}`,
    ...tasks.map(
      ({ id, monitorName, type, target, intervalMs, paused }) =>
        `  ${id}  ${monitorName}: ${type} ${target} every ${formatDuration(intervalMs)}${paused ? ', paused' : ''}`,
    ),
  ];
}

/** What everybody may know; where the rest is not for this user, also who speaks. */
function noticeLines(
  notice: AgentNotice,
  { running, report }: { readonly running: boolean; readonly report: Report | undefined },
): readonly string[] {
  const { name, server, isConnected, waiting, lastAcknowledgedAt, privileges } = notice;
  const taken = lastAcknowledgedAt === undefined ? 'nothing yet' : timeOf(lastAcknowledgedAt);
  const about = [
    `Agent      ${name}`,
    `State      ${stateOf(running, notice)}`,
    `Server     ${isConnected ? 'connected to' : 'not connected to'} ${server}`,
    `Waiting    ${waiting} entries; last taken by the server: ${taken}`,
  ];
  return [
    ...(report ? [] : about),
    ...collectedLines(notice),
    ...privileges.map(({ name, isHeld, cost }) => `Privilege  ${name} ${isHeld ? 'is held' : `is missing: ${cost}`}`),
  ];
}

function collectedLines({ collected, by, purpose, until }: AgentNotice): readonly string[] {
  if (collected.length === 0) return ['Collected  nothing of this machine'];
  const why = purpose === undefined ? '' : `, for: ${purpose}`;
  const end = until === undefined ? 'no end is set' : timeOf(until);
  return [
    `Collected  by ${by}${why}`,
    `Until      ${end}`,
    ...collected.flatMap((sensor) => [
      `  ${sensor.title}: ${sensor.summary}`,
      `    ${sensor.state}: ${sensor.message}; ${recordsOf(sensor)}`,
    ]),
  ];
}

function recordsOf({ records, lastRecordAt }: Collected): string {
  const last = lastRecordAt === undefined ? 'none since the agent started' : `the last at ${timeOf(lastRecordAt)}`;
  return `${records} records, ${last}`;
}

function stateOf(running: boolean, { pid, writtenAt }: { readonly pid: number; readonly writtenAt: number }): string {
  return running ? `runs, process ${pid}` : `does not run; this is from ${timeOf(writtenAt)}`;
}

function timeOf(epochMs: number): string {
  return new Date(epochMs).toISOString();
}

/** Times are epoch milliseconds inside, and ISO 8601 for others. */
function withTimes(key: string, value: unknown): unknown {
  return typeof value === 'number' && (key.endsWith('At') || key === 'until') ? timeOf(value) : value;
}
