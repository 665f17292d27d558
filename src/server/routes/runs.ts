import { z } from 'zod';
import { duration } from '../../core/duration.ts';
import type { ResultItem } from '../../core/entry.ts';
import { AppError } from '../../core/errors.ts';
import { quoted } from '../../core/quoted.ts';
import { defineRoute, type Route } from './route.ts';
import { namesOf, resultAnswer, resultSchema, selectTasks, type TaskSelectionPorts } from './tasks.ts';

export interface RunsPorts extends TaskSelectionPorts {
  /** The result of a run that begins now; undefined if it is not waited for or did not come in time. @throws {AppError} unavailable */
  run(request: {
    readonly agentId: string;
    readonly taskId: string;
    readonly waitMs: number;
  }): Promise<ResultItem | undefined>;
}

export const runSchema = z
  .strictObject({
    task: z.uuid(),
    agent: z.string(),
    problem: z.string().nullable().meta({ description: 'Why it does not run there; null where it has begun' }),
    result: resultSchema.nullable().meta({ description: 'Null if it was not waited for, or did not come in time' }),
  })
  .meta({ id: 'Run' });

const maxWaitMs = 600_000;

export function runsRoutes(ports: RunsPorts): readonly Route[] {
  return [
    defineRoute({
      name: 'runMonitor',
      allows: 'operator',
      method: 'post',
      path: '/monitors/{monitor}/run',
      errors: ['not-found', 'unavailable'],
      summary: 'Run a monitor once, now, on one agent or on all that have it; 503 only if it runs on none',
      params: z.strictObject({ monitor: z.string() }),
      query: z.strictObject({
        agent: z.string().optional(),
        wait: duration({ min: 0, max: maxWaitMs, default: 0 }).meta({
          description: 'How long to wait for the results',
        }),
      }),
      response: z.strictObject({ runs: z.array(runSchema) }),
      async handle({ params: { monitor }, query: { agent, wait: waitMs } }) {
        const tasks = selectTasks(ports, { agent, monitor });
        const who = agent === undefined ? 'no agent' : `agent ${quoted(agent)}`;
        if (tasks.length === 0)
          throw new AppError(
            'not-found',
            `${who} has a task of monitor ${quoted(monitor)}: its agents say who runs it`,
          );
        const names = namesOf(ports.agents());
        const runs = await Promise.all(
          tasks.map(async ({ task: { id: taskId, agentId } }) => {
            const { problem, result } = await runOne(ports, { agentId, taskId, waitMs });
            return { task: taskId, agent: names.get(agentId) ?? agentId, problem, result };
          }),
        );
        if (runs.some(({ problem }) => problem === null)) return { runs };
        const reasons = runs.map(({ agent, problem }) => `${agent}: ${problem}`);
        throw new AppError('unavailable', `${quoted(monitor)} runs nowhere: ${reasons.join('; ')}`);
      },
    }),
  ];
}

async function runOne(
  ports: RunsPorts,
  request: Parameters<RunsPorts['run']>[0],
): Promise<Pick<z.output<typeof runSchema>, 'problem' | 'result'>> {
  try {
    const result = await ports.run(request);
    return { problem: null, result: result ? resultAnswer(result) : null };
  } catch (error) {
    if (!(error instanceof AppError) || error.code === 'internal') throw error;
    return { problem: error.message, result: null };
  }
}
