import type { z } from 'zod';
import type { Milliseconds } from '../../core/duration.ts';
import { AppError } from '../../core/errors.ts';
import { printable } from '../../core/printable.ts';
import { formatAvailability } from '../../terminal/availability-view.ts';
import { formatIncident, formatIncidents } from '../../terminal/incident-view.ts';
import { paintFor } from '../../terminal/paint.ts';
import { formatTime } from '../../terminal/result-line.ts';
import { formatStates } from '../../terminal/state-view.ts';
import { columnsFor } from '../../terminal/width.ts';
import { exitCodeOfWorst } from '../exit-codes.ts';
import {
  availabilityAnswer,
  done,
  fullIncidentAnswer,
  takenIncidentAnswer,
  incidentsAnswer,
  statesAnswer,
} from './server-answers.ts';
import { ServerClient } from './server-client.ts';
import { lineTo, type ServerPlace } from './server-line.ts';
import { ownName } from './own-name.ts';

interface JsonFlag {
  readonly json?: true;
}

type Output = NodeJS.WriteStream;

/** Says what is wrong now, and returns the exit code of the worst; paused monitors do not count. */
export async function showStatus({ json, ...place }: ServerPlace & JsonFlag, output: Output): Promise<number> {
  const { states } = await new ServerClient(lineTo(place)).get('/states', statesAnswer);
  if (json) for (const state of states) output.write(`${JSON.stringify(state)}\n`);
  else output.write(`${formatStates(states, { ...viewOf(output), now: Date.now() })}\n`);
  const counting = states.filter(({ paused }) => !paused).map(({ state }) => state);
  return counting.length === 0 ? 0 : exitCodeOfWorst(counting);
}

export interface IncidentsFlags extends ServerPlace, JsonFlag {
  readonly all?: true;
  readonly monitor?: string;
  /** Epoch milliseconds. */
  readonly since?: number;
  readonly limit?: number;
}

/** Lists the open incidents; with `all` or `since` also those that have ended. */
export async function listIncidents(
  { all, monitor, since, limit = 50, json, ...place }: IncidentsFlags,
  output: Output,
): Promise<void> {
  const query = new URLSearchParams({
    limit: String(limit),
    ...(monitor !== undefined && { monitor }),
    ...(since !== undefined && { from: new Date(since).toISOString() }),
    ...(!all && since === undefined && { open: 'true' }),
  });
  const client = new ServerClient(lineTo(place));
  const { incidents, more } = await client.get(`/incidents?${query.toString()}`, incidentsAnswer);
  if (json) {
    for (const incident of incidents) output.write(`${JSON.stringify(incident)}\n`);
    return;
  }
  const none = query.has('open') ? 'Nothing is open; --all lists what has ended.' : 'There are no incidents.';
  output.write(incidents.length === 0 ? `${none}\n` : `${formatIncidents(incidents, viewOf(output))}\n`);
  if (more) output.write('There are older ones: --limit shows more.\n');
}

export async function showIncident(
  id: string,
  { json, ...place }: ServerPlace & JsonFlag,
  output: Output,
): Promise<void> {
  const client = new ServerClient(lineTo(place));
  const incident = await client.get(`/incidents/${encodeURIComponent(await wholeId(client, id))}`, fullIncidentAnswer);
  output.write(json ? `${JSON.stringify(incident)}\n` : `${formatIncident(incident, viewOf(output))}\n`);
}

export interface AckFlags extends ServerPlace, JsonFlag {
  readonly by?: string;
  readonly note?: string;
  readonly for?: Milliseconds;
}

/** Takes an incident, or the open one of a monitor. */
export async function acknowledgeIncident(
  what: string,
  { by = ownName(), note, for: forMs, json, ...place }: AckFlags,
  output: Output,
): Promise<void> {
  const client = new ServerClient(lineTo(place));
  const id = await incidentOf(client, what);
  const body = { by, ...(note !== undefined && { note }), ...(forMs !== undefined && { for: `${forMs}ms` }) };
  const path = `/incidents/${encodeURIComponent(id)}/acknowledgement`;
  const taken = await client
    .post(path, takenIncidentAnswer, { body })
    .catch((error: unknown) => takeDrill(client, { id, by, error }));
  if (!taken) return void output.write(`${printable(by)} has the drill, which is over.\n`);
  const until = taken.acknowledged ? ` until ${formatTime(Date.parse(taken.acknowledged.until))}` : '';
  output.write(
    json ? `${JSON.stringify(taken)}\n` : `${printable(by)} has ${printable(taken.subject.name)}${until}.\n`,
  );
}

export interface AvailabilityFlags extends ServerPlace, JsonFlag {
  readonly monitor?: string;
  /** Epoch milliseconds. */
  readonly since?: number;
  /** ISO 8601 with a zone. */
  readonly to?: string;
}

/** How much of a time each monitor was available. */
export async function showAvailability(
  { monitor, since, to, json, ...place }: AvailabilityFlags,
  output: Output,
): Promise<void> {
  const query = new URLSearchParams({
    ...(monitor !== undefined && { monitor }),
    ...(since !== undefined && { from: new Date(since).toISOString() }),
    ...(to !== undefined && { to }),
  });
  const client = new ServerClient(lineTo(place));
  const { from, to: until, monitors } = await client.get(`/availability?${query.toString()}`, availabilityAnswer);
  if (json) {
    for (const figures of monitors) output.write(`${JSON.stringify({ from, to: until, ...figures })}\n`);
    return;
  }
  output.write(
    `From ${formatTime(Date.parse(from))} to ${formatTime(Date.parse(until))}; unknown and maintenance are not counted.\n`,
  );
  output.write(`${formatAvailability(monitors, viewOf(output))}\n`);
}

/** What is no incident may be a drill: a person takes both in the same way. */
async function takeDrill(
  client: ServerClient,
  { id, by, error }: { readonly id: string; readonly by: string; readonly error: unknown },
): Promise<undefined> {
  if (!(error instanceof AppError) || error.code !== 'not-found') throw error;
  await client
    .post(`/drills/${encodeURIComponent(id)}/acknowledgement`, done, { body: { by } })
    .catch(() => Promise.reject(error));
}

/** The id of an incident, which may be given by its beginning, or the open one of a monitor. */
async function incidentOf(client: ServerClient, what: string): Promise<string> {
  if (isId(what)) return await wholeId(client, what);
  const query = new URLSearchParams({ monitor: what, open: 'true', limit: '1' });
  const { incidents } = await client.get(`/incidents?${query.toString()}`, incidentsAnswer);
  const [open] = incidents;
  if (open) return open.id;
  throw new AppError('not-found', `${printable(what)} has no open incident`);
}

const leastIdCharacters = 8;

function isId(text: string): boolean {
  return /^[\da-f-]+$/.test(text) && text.length >= leastIdCharacters;
}

async function wholeId(client: ServerClient, id: string): Promise<string> {
  if (id.length === 36) return id;
  const { incidents } = await client.get('/incidents?limit=1000', incidentsAnswer);
  const fitting: readonly z.output<typeof takenIncidentAnswer>[] = incidents.filter((one) => one.id.startsWith(id));
  if (fitting.length < 2) return fitting[0]?.id ?? id;
  throw new AppError('usage', `${fitting.length} incidents begin with ${printable(id)}: give more of its id`);
}

function viewOf(output: Output) {
  return { paint: paintFor(output), columns: columnsFor(output) };
}
