import type { z } from 'zod';
import type { Milliseconds } from '../../core/duration.ts';
import type { Status } from '../../core/outcome.ts';
import { formatAlarms } from '../../terminal/alarm-view.ts';
import { formatHistory } from '../../terminal/history-view.ts';
import { formatMissing } from '../../terminal/missing-view.ts';
import {
  formatAgents,
  formatMonitors,
  formatQueues,
  formatRunsNowhere,
  formatTasks,
  queueOf,
  type View,
} from '../../terminal/fleet-view.ts';
import { paintFor } from '../../terminal/paint.ts';
import { columnsFor } from '../../terminal/width.ts';
import { pathPart } from './path-part.ts';
import {
  agentsAnswer,
  alarmsAnswer,
  done,
  historyAnswer,
  inviteAnswer,
  missingAnswer,
  monitorsAnswer,
  tasksAnswer,
} from './server-answers.ts';
import { ServerClient } from './server-client.ts';
import { lineTo, type ServerPlace } from './server-line.ts';

export interface ListFlags extends ServerPlace {
  readonly json?: true;
  /** Filters of tasks and monitors. */
  readonly down?: true;
  readonly state?: readonly Status[];
  readonly agent?: string;
  readonly monitor?: string;
}

const lists = {
  agents: listOf('/agents', agentsAnswer, { rowsOf: ({ agents }) => agents, format: formatAgents }),
  queues: listOf('/agents', agentsAnswer, { rowsOf: ({ agents }) => agents.map(queueOf), format: formatQueues }),
  tasks: listOf('/tasks', tasksAnswer, { rowsOf: ({ tasks }) => tasks, format: formatTasks }),
  monitors: listOf('/monitors', monitorsAnswer, { rowsOf: ({ monitors }) => monitors, format: formatMonitors }),
  alarms: listOf('/alarms', alarmsAnswer, { rowsOf: ({ alarms }) => alarms, format: formatAlarms }),
  history: listOf('/history?limit=100000', historyAnswer, { rowsOf: ({ tasks }) => tasks, format: formatHistory }),
  missing: listOf('/missing', missingAnswer, { rowsOf: ({ missing }) => missing, format: formatMissing }),
} as const;
export type ListName = keyof typeof lists;

/** Prints what the server knows: a table, or with `json` an object a line. */
export async function printList(name: ListName, flags: ListFlags, output: NodeJS.WriteStream): Promise<void> {
  const client = clientFor(flags);
  await lists[name](client, flags, output);
  if (name !== 'tasks' || flags.json || queryOf(flags) !== '') return;
  const { monitors } = await client.get('/monitors', monitorsAnswer);
  const idle = formatRunsNowhere(monitors, viewOn(output));
  if (idle !== '') output.write(`${idle}\n`);
}

function viewOn(output: NodeJS.WriteStream): View {
  return { paint: paintFor(output), columns: columnsFor(output), now: Date.now() };
}

interface InviteFlags extends ServerPlace {
  readonly for?: Milliseconds;
  readonly numberNames?: true;
}

/** Prints the line that joins a machine: alone on stdout, so that scripts can use it. */
export async function invite({ for: lifetimeMs, numberNames, ...place }: InviteFlags): Promise<void> {
  const body = { ...(lifetimeMs !== undefined && { lifetimeMs }), ...(numberNames && { numbersNames: true }) };
  const { command, expiresAt } = await clientFor(place).post('/invites', inviteAnswer, { body });
  process.stderr.write(`Run this on the machine that is to join, once, before ${expiresAt}:\n`);
  process.stdout.write(`${command}\n`);
}

/** Ends an agent's connection and refuses its key from now on. */
export async function revoke(agent: string, place: ServerPlace): Promise<void> {
  await clientFor(place).post(`/agents/${pathPart(agent)}/revoke`, done);
  process.stdout.write(`${agent} is revoked; it returns only with a new invitation and a new key.\n`);
}

/** Revokes an agent and takes it off the list. */
export async function removeAgent(agent: string, place: ServerPlace): Promise<void> {
  await clientFor(place).delete(`/agents/${pathPart(agent)}`, done);
  process.stdout.write(`${agent} is revoked and no longer listed; what it reported stays until retention drops it.\n`);
}

/** Gives an agent another name. */
export async function renameAgent(agent: string, name: string, place: ServerPlace): Promise<void> {
  await clientFor(place).post(`/agents/${pathPart(agent)}/rename`, done, { body: { name } });
  process.stdout.write(`${agent} is called ${name} from now on.\n`);
}

function clientFor(place: ServerPlace): ServerClient {
  return new ServerClient(lineTo(place));
}

interface Listing<Answer, Row> {
  readonly rowsOf: (answer: Answer) => readonly Row[];
  readonly format: (rows: readonly Row[], view: View) => string;
}

function listOf<Schema extends z.ZodType, Row>(
  path: string,
  schema: Schema,
  { rowsOf, format }: Listing<z.output<Schema>, Row>,
) {
  return async (client: ServerClient, flags: ListFlags, output: NodeJS.WriteStream): Promise<void> => {
    const { json } = flags;
    const rows = rowsOf(await client.get(path + queryOf(flags), schema));
    if (json) for (const row of rows) output.write(`${JSON.stringify(row)}\n`);
    else output.write(`${format(rows, viewOn(output))}\n`);
  };
}

function queryOf({ down, state = [], agent, monitor }: ListFlags): string {
  const states = [...new Set(down ? [...state, 'down'] : state)];
  const query = new URLSearchParams({
    ...(states.length > 0 && { state: states.join(',') }),
    ...(agent !== undefined && { agent }),
    ...(monitor !== undefined && { monitor }),
  });
  return query.size === 0 ? '' : `?${query.toString()}`;
}
