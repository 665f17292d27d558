import { z } from 'zod';
import type { SeqRange } from '../../core/entry.ts';
import { isoTimeOf, isoTimeSchema } from '../../core/iso-time.ts';
import { countOf, RangeSet } from '../../core/ranges.ts';
import type { Agent, Gap, Missing } from '../store/store.ts';
import { defineRoute, type Route } from './route.ts';

export interface MissingPorts {
  /** Also those that are no longer listed. */
  agents(): Promise<readonly Agent[]>;
  missing(): Promise<readonly Missing[]>;
  gaps(agentId: string): Promise<readonly Gap[]>;
}

/** The first of them are enough to look at; the count has all. */
const maxRanges = 100;
const notReceived = 'not-received';

export const missingSchema = z
  .strictObject({
    agent: z.string(),
    agentId: z.uuid(),
    epoch: z.string(),
    cause: z.string().meta({
      description: `Why they will never come, as the agent or this server declared; ${notReceived}: on their way, or lost`,
    }),
    count: z.int(),
    ranges: z.array(z.tuple([z.int(), z.int()])).meta({ description: `At most the first ${maxRanges}` }),
    firstAt: isoTimeSchema.nullable(),
    lastAt: isoTimeSchema.nullable(),
  })
  .meta({ id: 'Missing' });
export type MissingAnswer = z.output<typeof missingSchema>;

export function missingRoutes(ports: MissingPorts): readonly Route[] {
  return [
    defineRoute({
      name: 'listMissing',
      method: 'get',
      path: '/missing',
      errors: ['unavailable'],
      summary: 'Entries of agents that this server does not have, and why',
      response: z.strictObject({ missing: z.array(missingSchema) }),
      handle: async () => ({ missing: await missingOf(ports) }),
    }),
  ];
}

async function missingOf(ports: MissingPorts): Promise<readonly MissingAnswer[]> {
  const holes = Map.groupBy(await ports.missing(), ({ agentId }) => agentId);
  const answers: MissingAnswer[] = [];
  for (const { id, name } of await ports.agents()) {
    const declared = Map.groupBy(await ports.gaps(id), ({ epoch, cause }) => `${epoch} ${cause}`);
    const agent = { agent: name, agentId: id };
    for (const gaps of declared.values()) if (isLoss(gaps)) answers.push({ ...agent, ...declaredAnswer(gaps) });
    for (const { epoch, ranges } of holes.get(id) ?? [])
      answers.push({ ...agent, epoch, cause: notReceived, ...numbersIn(ranges), firstAt: null, lastAt: null });
  }
  return answers;
}

/** A renewal closes numbers that were used in an earlier epoch. */
function isLoss([gap]: readonly Gap[]): boolean {
  return gap?.cause !== 'set-back' && gap?.cause !== 'copied';
}

/** Gaps of one epoch and cause. */
function declaredAnswer(gaps: readonly Gap[]): Omit<MissingAnswer, 'agent' | 'agentId'> {
  const { epoch = '', cause = '' } = gaps[0] ?? {};
  const times = gaps.map(({ at }) => at);
  const range = { firstAt: isoTimeOf(least(times)), lastAt: isoTimeOf(-least(times.map((at) => -at))) };
  const numbers = numbersIn(new RangeSet(gaps.flatMap(({ ranges }) => ranges)).ranges);
  // A refused entry is closed by a gap in its own place, which names no other number.
  const unnamed = gaps.filter(({ cause, ranges }) => cause === 'refused' && ranges.length === 0).length;
  return { epoch, cause, ...numbers, count: numbers.count + unnamed, ...range };
}

function numbersIn(ranges: readonly SeqRange[]): Pick<MissingAnswer, 'count' | 'ranges'> {
  return { count: countOf(ranges), ranges: ranges.slice(0, maxRanges).map(([from, to]) => [from, to]) };
}

function least(values: readonly number[]): number {
  return values.reduce((one, other) => Math.min(one, other), Infinity);
}
