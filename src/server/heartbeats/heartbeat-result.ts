import { z } from 'zod';
import { formatDuration } from '../../core/duration.ts';
import {
  judgeHeartbeat,
  type HeartbeatPlan,
  type HeartbeatRecord,
  type HeartbeatState,
  type Signal,
} from '../../core/heartbeat.ts';
import { isoTimeOf } from '../../core/iso-time.ts';
import { failed, up, type JsonObject, type Measured, type Outcome } from '../../core/outcome.ts';
import { quoted } from '../../core/quoted.ts';
import { zonedTimeText } from '../../core/time-zone.ts';

/** The last thing that a job told. */
export interface Told {
  readonly signal: Signal['kind'];
  /** The end of what it wrote, as it was sent; empty if nothing was. */
  readonly tail: string;
  /** Where it came from. */
  readonly address: string;
}

const lastLineLength = 120;

/** What is so at a time, as the result of a run says it. `isNew`: the job has just told it. */
export function heartbeatOutcome(
  { record, told }: { readonly record: HeartbeatRecord; readonly told: Told | undefined },
  plan: HeartbeatPlan,
  { now, isNew }: { readonly now: number; readonly isNew: boolean },
): Outcome {
  const verdict = judgeHeartbeat(record, plan, now);
  const { state } = verdict;
  const shown = told && { ...told, tail: keepsTail(state, isNew) ? told.tail : '' };
  const isEnd = isNew && record.startedAt === undefined && record.durationMs !== undefined;
  const measured: Measured = {
    detail: detailOf(record, verdict, shown),
    ...(isEnd && { latencyMs: record.durationMs, metrics: { runMs: record.durationMs } }),
  };
  const message = messageOf({ record, told, plan, ...verdict });
  if (state === 'ok' || state === 'running') return up(message, measured);
  if (state === 'failed') return failed('assertion', message, measured);
  if (state === 'late') return failed('timeout', message, measured);
  if (state === 'unsure') return failed('missed', message, measured);
  return { status: 'unknown', metrics: {}, detail: measured.detail ?? {}, message };
}

interface View {
  readonly record: HeartbeatRecord;
  readonly told: Told | undefined;
  readonly plan: HeartbeatPlan;
  readonly state: HeartbeatState;
  readonly expectedAt: number;
}

function messageOf({ record, told, plan, state, expectedAt }: View): string {
  const time = (at: number | undefined): string => zonedTimeText(at ?? 0, plan.zone);
  const last = lastText(record, time);
  const next = `the next is expected by ${time(expectedAt)}`;
  if (state === 'waiting') return `Nothing has come yet; expected by ${time(expectedAt)}.`;
  if (state === 'ok') return `${last}; ${next}.`;
  if (state === 'running') return `Running since ${time(record.startedAt)}; it must end by ${time(expectedAt)}.`;
  if (state === 'failed') return `${last}${exitText(record)}${tailText(told)}.`;
  if (state === 'unsure')
    return `${last}. This server was away until ${time(record.unsure?.last)} and may have missed one; ${next}.`;
  if (record.startedAt !== undefined)
    return `Started at ${time(record.startedAt)}, expected to end by ${time(expectedAt)}, and no end was told.`;
  return `Expected by ${time(expectedAt)}, with ${formatDuration(plan.graceMs)} of grace, and nothing came. ${last}.`;
}

/** What went wrong is shown as long as it is wrong; what went well, once. */
function keepsTail(state: HeartbeatState, isNew: boolean): boolean {
  return isNew || state === 'failed' || state === 'late';
}

function lastText({ endedAt, failure }: HeartbeatRecord, time: (at: number) => string): string {
  if (endedAt === undefined) return 'Nothing has come yet';
  return `${failure ? 'Failed' : 'Succeeded'} at ${time(endedAt)}`;
}

function exitText({ failure }: HeartbeatRecord): string {
  return failure?.exitCode === undefined ? '' : ` with exit code ${failure.exitCode}`;
}

function tailText(told: Told | undefined): string {
  const line =
    told?.tail
      .trimEnd()
      .split(/[\r\n]+/)
      .at(-1) ?? '';
  return line === '' ? '' : `: ${quoted(line, lastLineLength)}`;
}

/** What is kept of a job is in its results: the newest says how to go on after a restart. */
function detailOf(
  { since, startedAt, endedAt, durationMs, failure, unsure }: HeartbeatRecord,
  { state, expectedAt }: { readonly state: HeartbeatState; readonly expectedAt: number },
  told: Told | undefined,
): JsonObject {
  return {
    state,
    expectedBy: isoTimeOf(expectedAt),
    since: isoTimeOf(since),
    ...(startedAt !== undefined && { startedAt: isoTimeOf(startedAt) }),
    ...(endedAt !== undefined && { endedAt: isoTimeOf(endedAt) }),
    ...(durationMs !== undefined && { durationMs }),
    ...(failure && { failed: true }),
    ...(failure?.exitCode !== undefined && { exitCode: failure.exitCode }),
    ...(unsure && { awayUntil: [isoTimeOf(unsure.first), isoTimeOf(unsure.last)] }),
    ...(told && { signal: told.signal, address: told.address }),
    ...(told && told.tail !== '' && { tail: told.tail }),
  };
}

const time = z.iso.datetime().transform(Date.parse);
const keptSchema = z.object({
  since: time,
  startedAt: time.optional(),
  endedAt: time.optional(),
  durationMs: z.number().optional(),
  failed: z.boolean().optional(),
  exitCode: z.number().optional(),
  awayUntil: z.tuple([time, time]).optional(),
  signal: z.enum(['start', 'success', 'failure']).optional(),
  address: z.string().optional(),
  tail: z.string().optional(),
});

/** The record and what was told last, as an earlier result has them; undefined if it has none. */
export function keptHeartbeat(
  detail: JsonObject,
): { readonly record: HeartbeatRecord; readonly told: Told | undefined } | undefined {
  const { data } = keptSchema.safeParse(detail);
  if (!data) return undefined;
  const {
    since,
    startedAt,
    endedAt,
    durationMs,
    failed: hasFailed,
    exitCode,
    awayUntil,
    signal,
    address = '',
    tail = '',
  } = data;
  return {
    record: {
      since,
      startedAt,
      endedAt,
      durationMs,
      failure: hasFailed ? { exitCode } : undefined,
      unsure: awayUntil && { first: awayUntil[0], last: awayUntil[1] },
    },
    told: signal && { signal, address, tail },
  };
}
