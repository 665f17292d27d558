import { z } from 'zod';
import type { BookEntry } from '../monitors/monitor-book.ts';
import type { MeasuredTask } from '../store/store.ts';
import { wholeParameter } from './parameters.ts';
import { defineRoute, type Route } from './route.ts';
import { taskId } from './tasks.ts';

export interface HistoryPorts {
  measured(): Promise<readonly MeasuredTask[]>;
  /** Those that there are now. */
  monitors(): readonly BookEntry[];
}

export const measuredTaskSchema = z
  .strictObject({
    id: z.uuid(),
    monitorId: z.string(),
    monitor: z.string().meta({ description: 'As it is called, or was last called; else its id' }),
    agentId: z.uuid(),
    agent: z.string(),
    isGone: z.boolean().meta({ description: 'Whether there is no such monitor any more' }),
  })
  .meta({ id: 'MeasuredTask' });
type MeasuredTaskAnswer = z.output<typeof measuredTaskSchema>;

export function historyRoutes(ports: HistoryPorts): readonly Route[] {
  return [
    defineRoute({
      name: 'listMeasuredTasks',
      method: 'get',
      path: '/history',
      errors: ['unavailable'],
      summary: 'Every task that has results, also of monitors and agents that are gone or had another name; by id',
      query: z.strictObject({
        monitor: z.string().optional().meta({ description: 'Name or id' }),
        agent: z.string().optional().meta({ description: 'Name or id' }),
        limit: wholeParameter(1, 100_000).default(1000),
        after: taskId.optional().meta({ description: 'The last id of the page before' }),
      }),
      response: z.strictObject({ tasks: z.array(measuredTaskSchema) }),
      async handle({ query: { monitor, agent, limit, after = '' } }) {
        const names = new Map(ports.monitors().map(({ spec }) => [spec.id, spec.name]));
        const tasks = (await ports.measured()).map((task) => answerOf(task, names));
        const isWanted = (task: MeasuredTaskAnswer): boolean =>
          task.id > after &&
          (monitor === undefined || task.monitor === monitor || task.monitorId === monitor) &&
          (agent === undefined || task.agent === agent || task.agentId === agent);
        return { tasks: tasks.filter(isWanted).slice(0, limit) };
      },
    }),
  ];
}

function answerOf(
  { id, agentId, agentName, monitorId, monitorName }: MeasuredTask,
  names: ReadonlyMap<string, string>,
): MeasuredTaskAnswer {
  const name = names.get(monitorId);
  const monitor = name ?? monitorName ?? monitorId;
  return { id, monitorId, monitor, agentId, agent: agentName ?? agentId, isGone: name === undefined };
}
