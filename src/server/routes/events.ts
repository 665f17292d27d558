import { z } from 'zod';
import type { ServerEvent } from '../../core/event.ts';
import type { EventFeed, EventFilter } from '../live/event-feed.ts';
import { agentAnswer, findAgent } from './agents.ts';
import { EventStream } from './event-stream.ts';
import { eventText } from './event-text.ts';
import { listParameter } from './parameters.ts';
import { defineRoute, type Route } from './route.ts';
import { namesOf, selectTasks, taskAnswer, type TasksPorts } from './tasks.ts';

export interface EventsPorts extends TasksPorts {
  readonly feed: EventFeed;
  /** @throws {AppError} not-found */
  monitorId(idOrName: string): string;
}

const eventKinds = [
  'result',
  'state',
  'transition',
  'incident',
  'gap',
  'tasks',
  'tasks-applied',
  'record',
  'notice',
  'alarm',
  'session',
  'agent',
] as const satisfies readonly ServerEvent['type'][];

const kinds = listParameter(eventKinds, 'kinds')
  .optional()
  .meta({ description: `Only events of these kinds, with commas between them: ${eventKinds.join(', ')}` });

/** Tasks in one event of a snapshot: an event must not become as large as the fleet. */
const tasksAtOnce = 200;

const summary = `What happens, as server-sent events. Each has an id: who comes back with Last-Event-ID gets what it missed, or the event \
"lost" where that is no longer kept. A stream that does not go on from an id begins with the agents and tasks as they are now, in \
events "snapshot", of which the last says more: false.`;

/** Server-sent events (HTML standard, section 9.2). */
export function eventsRoutes(ports: EventsPorts): readonly Route[] {
  return [
    defineRoute({
      name: 'followEvents',
      method: 'get',
      path: '/events',
      errors: ['not-found'],
      summary,
      query: z.strictObject({
        agent: z.string().optional().meta({ description: 'Only events of this agent' }),
        monitor: z
          .string()
          .optional()
          .meta({ description: 'Only results, changes of state and incidents of this monitor' }),
        kind: kinds,
        snapshot: z.enum(['true', 'false']).default('true'),
      }),
      response: z.string(),
      mediaType: 'text/event-stream',
      async handle({ query, request }) {
        const { agent, monitor, kind, snapshot } = query;
        const filter = {
          kinds: kind && new Set(kind),
          agentId: agent === undefined ? undefined : findAgent(ports.agents(), agent).id,
          monitorId: monitor === undefined ? undefined : ports.monitorId(monitor),
        };
        const { after, opening } = openingFor(request.headers.get('last-event-id'), filter, ports);
        const head = opening === 'resumed' ? resumed() : begun({ ...query, lost: opening, snapshot, after }, ports);
        return new Response(new EventStream({ feed: ports.feed, filter, after, opening: head }).open(), {
          headers: { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' },
        });
      },
    }),
  ];
}

type Lost = 'too-old' | 'unknown';

interface Opening {
  readonly after: number;
  readonly opening: 'resumed' | Lost | undefined;
}

function openingFor(id: string | null, filter: EventFilter, { feed }: EventsPorts): Opening {
  // From now on nothing is missed, whatever comes before the first event.
  feed.watch(() => {})();
  const after = id === null || id === '' ? undefined : feed.numberIn(id);
  if (after !== undefined && feed.reachesBackTo(after, filter)) return { after, opening: 'resumed' };
  const lost = after === undefined ? 'unknown' : 'too-old';
  return { after: feed.newest, opening: id === null || id === '' ? undefined : lost };
}

const hello = 'retry: 2000\n: connected\n\n';

function* resumed(): Generator<string> {
  yield hello;
}

interface Begun {
  readonly agent?: string | undefined;
  readonly monitor?: string | undefined;
  readonly lost: Lost | undefined;
  readonly snapshot: 'true' | 'false';
  readonly after: number;
}

function* begun({ agent, monitor, lost, snapshot, after }: Begun, ports: EventsPorts): Generator<string> {
  yield hello;
  const id = ports.feed.id(after);
  if (lost) yield eventText('lost', { type: 'lost', reason: lost }, snapshot === 'true' ? undefined : id);
  if (snapshot === 'false') return;
  const tasks = selectTasks(ports, { agent, monitor });
  const agents = ports.agents();
  const names = namesOf(agents);
  for (let at = 0; at === 0 || at < tasks.length; at += tasksAtOnce) {
    const part = tasks.slice(at, at + tasksAtOnce).map((wanted) => taskAnswer(wanted, names, ports));
    const more = at + tasksAtOnce < tasks.length;
    const data = { type: 'snapshot', agents: at === 0 ? agents.map(agentAnswer) : [], tasks: part, more };
    // Whoever comes back before the last part must begin anew.
    yield eventText('snapshot', data, more ? undefined : id);
  }
}
