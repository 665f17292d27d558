import { parseDuration } from '../../core/duration.ts';
import { AppError } from '../../core/errors.ts';
import type { Status } from '../../core/outcome.ts';
import { printable } from '../../core/printable.ts';
import { paintFor, styleOf, type Paint } from '../../terminal/paint.ts';
import { wrap } from '../../terminal/text.ts';
import { formatMs } from '../../terminal/units.ts';
import { columnsFor } from '../../terminal/width.ts';
import { exitCodeOfWorst } from '../exit-codes.ts';
import { pathPart } from './path-part.ts';
import { monitorAnswer, runsAnswer, type ListedRun } from './server-answers.ts';
import { ServerClient } from './server-client.ts';
import { lineTo, type ServerPlace } from './server-line.ts';

interface JsonFlag {
  readonly json?: true | undefined;
}

/** Stops the schedule of a monitor, or lets it go on. */
export async function setPaused(
  what: 'pause' | 'resume',
  name: string,
  { json, ...place }: ServerPlace & JsonFlag,
): Promise<void> {
  const client = new ServerClient(lineTo(place));
  const { monitor } = await client.post(`/monitors/${pathPart(name)}/${what}`, monitorAnswer);
  const text = what === 'pause' ? 'is paused.' : 'goes on.';
  process.stdout.write(json ? `${JSON.stringify(monitor)}\n` : `${printable(monitor.name)} ${text}\n`);
}

interface MonitorRunFlags extends ServerPlace, JsonFlag {
  readonly agent?: string | undefined;
}

/** What a result needs beside the run itself: the way to the server and its disk. */
const deliveryMs = 15_000;

/** Runs a monitor of a server once, now, shows what each agent found, and returns the exit code of the worst. */
export async function runOnServer(
  name: string,
  { agent, json, ...place }: MonitorRunFlags,
  output: NodeJS.WriteStream,
): Promise<number> {
  const client = new ServerClient(lineTo(place));
  const path = `/monitors/${pathPart(name)}`;
  const { monitor } = await client.get(path, monitorAnswer);
  const waitMs = (parseDuration(monitor.timeout) ?? 0) + deliveryMs;
  const query = new URLSearchParams({ wait: `${waitMs}ms`, ...(agent !== undefined && { agent }) });
  const { runs } = await client.post(`${path}/run?${query.toString()}`, runsAnswer, { silenceMs: waitMs + deliveryMs });
  if (runs.length === 0) throw new AppError('unavailable', `${client.name} ran it nowhere`);
  const paint = paintFor(output);
  for (const run of runs)
    output.write(json ? `${JSON.stringify(run)}\n` : `${wrap(lineOf(run, paint), columnsFor(output)).join('\n')}\n`);
  // Where it did not run nothing is known.
  return exitCodeOfWorst(runs.map(({ result }): Status => result?.status ?? 'unknown'));
}

function lineOf({ agent, problem, result }: ListedRun, paint: Paint): string {
  const who = printable(agent);
  if (problem !== null) return `${who}: did not run: ${printable(problem)}`;
  if (!result) return `${who}: has begun; its result did not come in time and will be among the others`;
  const { status, latencyMs, message } = result;
  const latency = latencyMs === null ? '' : `, ${formatMs(latencyMs)}`;
  return `${who}: ${paint(styleOf[status], status)}${latency} - ${printable(message)}`;
}
