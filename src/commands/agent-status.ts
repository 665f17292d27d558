import { isRunning, readStatus, type AgentStatusReport } from '../agent/status-file.ts';
import { formatDuration } from '../core/duration.ts';
import { defaultAgentFolder } from './data-folders.ts';
import { misuse } from './exit-codes.ts';

interface StatusOptions {
  readonly data?: string;
  readonly json?: true;
}

/** Shows what the agent of this folder does, for whom, and what waits. Exits with 0 if it runs. */
export function showAgentStatus(
  { data = defaultAgentFolder(), json }: StatusOptions,
  output: NodeJS.WritableStream,
): number {
  const report = readStatus(data);
  if (!report) {
    output.write(`No agent has run in ${data}.\n`);
    return misuse;
  }
  const running = isRunning(report, Date.now());
  output.write(json ? `${JSON.stringify({ running, ...report })}\n` : textOf(report, running));
  return running ? 0 : 2;
}

function textOf(report: AgentStatusReport, running: boolean): string {
  const { name, agentId, version, pid, link, queue, health, tasks, lastAcknowledgedAt } = report;
  const oldest = queue.oldestUnsentAt === undefined ? '' : `, the oldest since ${timeOf(queue.oldestUnsentAt)}`;
  const server =
    link.state === 'connected' ? `connected to ${link.server}` : `not connected to ${link.server}: ${link.message}`;
  const lines = [
    `Agent      ${name} (${agentId}), version ${version}`,
    `State      ${running ? `runs, process ${pid}` : `does not run; this is from ${timeOf(report.writtenAt)}`}`,
    `Server     ${server}`,
    `Waiting    ${queue.depth} entries, ${queue.bytes} bytes${oldest}`,
    `Last taken ${lastAcknowledgedAt === undefined ? 'nothing yet' : timeOf(lastAcknowledgedAt)}`,
    `Health     ${health.impaired.map(({ message }) => message).join('; ') || 'well'}; timers at most ${health.lagMs} ms late`,
    `Tasks      ${tasks.length}`,
    ...tasks.map(
      ({ id, monitorName, type, target, intervalMs, paused }) =>
        `  ${id}  ${monitorName}: ${type} ${target} every ${formatDuration(intervalMs)}${paused ? ', paused' : ''}`,
    ),
  ];
  return `${lines.join('\n')}\n`;
}

function timeOf(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
