import { z } from 'zod';
import { assertPeriod, givenTime, isoTimeOf, isoTimeSchema } from '../../core/iso-time.ts';
import { AppError } from '../../core/errors.ts';
import type { ResultQuery, StoredResult, SummaryQuery, TimeRange } from '../store/store.ts';
import { percentile, resolutionMs, resolutions, type Latency, type Summary } from '../store/summary.ts';
import { absenceAnswer, absenceSchema, absentMsIn, type SeenAbsence } from './absences.ts';
import { wholeParameter } from './parameters.ts';
import { defineRoute, type Route } from './route.ts';
import { resultAnswer, resultSchema, taskId } from './tasks.ts';

export interface ResultsPorts {
  results(query: ResultQuery): Promise<readonly StoredResult[]>;
  summaries(query: SummaryQuery): Promise<readonly Summary[]>;
  absences(query: TimeRange & { readonly taskId: string }): Promise<readonly SeenAbsence[]>;
  /** Whether there is or was such a task. */
  readonly isTask: (taskId: string) => boolean;
}

const latencySchema = z
  .strictObject({
    count: z.int(),
    meanMs: z.number(),
    minMs: z.number(),
    maxMs: z.number(),
    p50Ms: z.number(),
    p95Ms: z.number(),
    p99Ms: z.number(),
  })
  .meta({ id: 'Latency' });

const summarySchema = z
  .strictObject({
    start: isoTimeSchema,
    up: z.int(),
    degraded: z.int(),
    down: z.int(),
    unknown: z.int(),
    absentMs: z
      .number()
      .meta({ description: 'How long the agent ran nothing or was not heard: nothing is known of that time' }),
    latency: latencySchema.nullable(),
  })
  .meta({ id: 'Summary' });
type SummaryAnswer = z.output<typeof summarySchema>;

const range = { from: givenTime, to: givenTime };

const maxResults = 50_000;
/** The exact time of the last result of a page, which an ISO time does not hold. */
const cursor = z
  .string()
  .regex(/^\d{1,13}(?:\.\d{1,20})?$/, { error: 'expected `next` of the page before' })
  .transform(Number);

export function resultsRoutes(ports: ResultsPorts): readonly Route[] {
  const params = z.strictObject({ task: taskId });
  return [
    defineRoute({
      name: 'listResults',
      method: 'get',
      path: '/tasks/{task}/results',
      errors: ['not-found', 'unavailable'],
      summary: 'The results of a task whose slots lie in [from, to), oldest first',
      params,
      query: z.strictObject({
        ...range,
        limit: wholeParameter(1, maxResults).default(1000),
        after: cursor.optional().meta({ description: '`next` of the page before' }),
      }),
      response: z.strictObject({
        results: z.array(resultSchema),
        absences: z.array(absenceSchema),
        more: z.boolean(),
        next: z
          .string()
          .nullable()
          .meta({ description: 'What to give as `after` for the next page; null on the last' }),
      }),
      async handle({ params, query }) {
        const asked = { taskId: params.task, ...query };
        assertAsked(asked, ports);
        const { page, next } = await pageOfResults(asked, ports);
        const results = page.map(({ agentId: _agentId, ...result }) => resultAnswer(result));
        const absences = (await ports.absences(asked)).map(absenceAnswer);
        return { results, absences, more: next !== null, next };
      },
    }),
    defineRoute({
      name: 'listSummaries',
      method: 'get',
      path: '/tasks/{task}/summaries',
      errors: ['not-found', 'unavailable'],
      summary: 'The results of a task in [from, to) by minute, hour or day (UTC)',
      params,
      query: z.strictObject({ ...range, resolution: z.enum(resolutions).default('hour') }),
      response: z.strictObject({ summaries: z.array(summarySchema) }),
      async handle({ params, query }) {
        const asked = { taskId: params.task, ...query };
        assertAsked(asked, ports);
        return { summaries: await summariesOf(asked, ports) };
      },
    }),
  ];
}

interface Page {
  readonly page: readonly StoredResult[];
  readonly next: string | null;
}

async function pageOfResults(
  { after = -Infinity, limit, from, ...query }: ResultQuery & { readonly after?: number | undefined },
  ports: ResultsPorts,
): Promise<Page> {
  // One more than asked for, and the one that the page before ended with.
  const found = await ports.results({ ...query, from: Math.max(from, after), limit: limit + 2 });
  const rest = found.filter(({ scheduledAt }) => scheduledAt > after);
  const page = rest.slice(0, limit);
  return { page, next: rest.length > limit ? String(page.at(-1)?.scheduledAt) : null };
}

/** What was never a task, or has been forgotten, is told apart from one without results. @throws {AppError} usage, not-found */
function assertAsked(
  { taskId, ...period }: Omit<ResultQuery, 'limit'>,
  { isTask }: Pick<ResultsPorts, 'isTask'>,
): void {
  assertPeriod(period);
  if (isTask(taskId)) return;
  throw new AppError('not-found', `there is no task ${taskId}, and no results of one are kept`);
}

type Resolution = (typeof resolutions)[number];

/** Beyond it only times that have results are told: a year by the minute would be half a million. */
const maxBuckets = 10_000;

interface Absent {
  readonly absences: readonly SeenAbsence[];
  readonly resolution: Resolution;
}

async function summariesOf(query: SummaryQuery, ports: ResultsPorts): Promise<readonly SummaryAnswer[]> {
  const absences = await ports.absences(query);
  return summaryAnswers(await ports.summaries(query), { absences, resolution: query.resolution });
}

/** Each bucket with its time of absence; those that have nothing else are there too. */
function summaryAnswers(summaries: readonly Summary[], { absences, resolution }: Absent): readonly SummaryAnswer[] {
  const stepMs = resolutionMs[resolution];
  const buckets = new Map(summaries.map((summary) => [summary.start, summary]));
  for (const { from, to } of absences) {
    for (let start = Math.floor(from / stepMs) * stepMs; start < to && buckets.size < maxBuckets; start += stepMs)
      if (!buckets.has(start)) buckets.set(start, emptySummary(start));
  }
  const inOrder = [...buckets.values()].toSorted((a, b) => a.start - b.start);
  return inOrder.map((bucket) =>
    summaryAnswer(bucket, absentMsIn(absences, { from: bucket.start, to: bucket.start + stepMs })),
  );
}

function emptySummary(start: number): Summary {
  return { start, up: 0, degraded: 0, down: 0, unknown: 0, latency: undefined };
}

function summaryAnswer({ start, latency, ...counts }: Summary, absentMs: number): SummaryAnswer {
  return { start: isoTimeOf(start), ...counts, absentMs, latency: latency ? latencyAnswer(latency) : null };
}

function latencyAnswer(latency: Latency): z.output<typeof latencySchema> {
  const { count, sumMs, minMs, maxMs } = latency;
  const [p50Ms, p95Ms, p99Ms] = [0.5, 0.95, 0.99].map((share) => percentile(latency, share)) as [
    number,
    number,
    number,
  ];
  return { count, meanMs: sumMs / count, minMs, maxMs, p50Ms, p95Ms, p99Ms };
}
