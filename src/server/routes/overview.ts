import { z } from 'zod';
import { isoTimeOf, isoTimeSchema } from '../../core/iso-time.ts';
import { statuses } from '../../core/outcome.ts';
import type { StateRow } from '../../core/state/monitor-record.ts';
import type { MonitorBook } from '../monitors/monitor-book.ts';
import { agentAnswer, agentSchema } from './agents.ts';
import { defineRoute, type Route } from './route.ts';
import type { TasksPorts } from './tasks.ts';

export interface OverviewPorts extends TasksPorts {
  readonly book: Pick<MonitorBook, 'entries'>;
  /** What is believed of each monitor, after confirmations. */
  states(): Promise<readonly StateRow[]>;
  now(): number;
}

const index = z.int().min(0);

/**
 * All that a list shows, in columns: ten thousand monitors as objects would be three times as many bytes. What stands at one place
 * of each column of a table belongs together; numbers in `monitors` and `agents` of tasks are places in those tables, numbers in
 * `states` in `statuses`, and numbers in `messages`, `sources` and `verdicts` in `texts`.
 */
const overviewSchema = z
  .strictObject({
    at: isoTimeSchema,
    statuses: z.array(z.enum(statuses)),
    texts: z.array(z.string()),
    agents: z.array(agentSchema),
    monitors: z.strictObject({
      ids: z.array(z.string()),
      names: z.array(z.string()),
      types: z.array(z.string()),
      targets: z.array(z.string()),
      intervalsMs: z.array(z.int()),
      paused: z.array(z.union([z.literal(0), z.literal(1)])),
      origins: z.array(z.enum(['file', 'api'])),
      states: z.array(index).meta({ description: 'What the agents say together, after confirmations' }),
      since: z.array(z.int().nullable()).meta({ description: 'Epoch seconds' }),
      verdicts: z.array(index.nullable()).meta({ description: 'Who is wrong; null while it is up' }),
    }),
    tasks: z.strictObject({
      ids: z.array(z.uuid()),
      monitors: z.array(index),
      agents: z.array(index),
      states: z.array(index).meta({ description: 'What the agent says of the monitor now' }),
      since: z.array(z.int().nullable()).meta({ description: 'Epoch seconds; null: longer than the server runs' }),
      latenciesMs: z.array(z.number().nullable()),
      messages: z.array(index.nullable()).meta({ description: 'Places in `texts`; null without a result' }),
      sources: z.array(index.nullable()).meta({ description: 'Places in `texts`: whose fault it is' }),
    }),
  })
  .meta({ id: 'Overview' });
type Overview = z.output<typeof overviewSchema>;

export function overviewRoutes(ports: OverviewPorts): readonly Route[] {
  return [
    defineRoute({
      name: 'getOverview',
      method: 'get',
      path: '/overview',
      errors: [],
      summary: 'Agents, monitors and tasks as they are now, in columns, for lists of many',
      response: overviewSchema,
      handle: async () => overviewOf(await ports.states(), ports),
    }),
  ];
}

function overviewOf(states: readonly StateRow[], ports: OverviewPorts): Overview {
  const views = ports.agents();
  const entries = ports.book.entries();
  const monitorAt = new Map(entries.map(({ spec }, at) => [spec.id, at]));
  const agentAt = new Map(views.map(({ id }, at) => [id, at]));
  const texts = new Texts();
  const tasks: Overview['tasks'] = {
    ids: [],
    monitors: [],
    agents: [],
    states: [],
    since: [],
    latenciesMs: [],
    messages: [],
    sources: [],
  };
  for (const wanted of ports.wanted()) {
    const { id, monitorId, agentId } = wanted.task;
    const [monitor, agent] = [monitorAt.get(monitorId), agentAt.get(agentId)];
    if (monitor === undefined || agent === undefined) continue;
    const { state, since } = ports.stateOf(wanted);
    const latest = ports.latest(id);
    tasks.ids.push(id);
    tasks.monitors.push(monitor);
    tasks.agents.push(agent);
    tasks.states.push(statuses.indexOf(state));
    tasks.since.push(since === undefined ? null : Math.round(since / 1000));
    tasks.latenciesMs.push(latest?.latencyMs === undefined ? null : Math.round(latest.latencyMs * 100) / 100);
    tasks.messages.push(texts.place(latest?.message));
    tasks.sources.push(texts.place(latest?.source));
  }
  return {
    at: isoTimeOf(ports.now()),
    statuses: [...statuses],
    agents: views.map(agentAnswer),
    monitors: monitorColumns(entries, { states, texts }),
    tasks,
    texts: texts.all,
  };
}

interface Believed {
  readonly states: readonly StateRow[];
  readonly texts: Texts;
}

function monitorColumns(
  entries: ReturnType<OverviewPorts['book']['entries']>,
  { states, texts }: Believed,
): Overview['monitors'] {
  const specs = entries.map(({ spec }) => spec);
  const rows = new Map(states.map((row) => [row.monitorId, row]));
  const believed = specs.map(({ id }) => rows.get(id));
  return {
    ids: specs.map(({ id }) => id),
    names: specs.map(({ name }) => name),
    types: specs.map(({ type }) => type),
    targets: specs.map(({ target }) => target),
    intervalsMs: specs.map(({ intervalMs }) => intervalMs),
    paused: specs.map(({ paused }) => (paused ? 1 : 0)),
    origins: entries.map(({ origin }) => origin),
    states: believed.map((row) => statuses.indexOf(row?.state ?? 'unknown')),
    since: believed.map((row) => (row ? Math.round(row.since / 1000) : null)),
    verdicts: believed.map((row) => texts.place(row && row.state !== 'up' ? row.verdict : undefined)),
  };
}

/** Each text once: of ten thousand results most say one of a few sentences. */
class Texts {
  readonly all: string[] = [];
  readonly #places = new Map<string, number>();

  place(text: string | undefined): number | null {
    if (text === undefined) return null;
    return this.#places.getOrInsertComputed(text, () => this.all.push(text) - 1);
  }
}
