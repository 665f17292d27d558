import { z } from 'zod';
import type { Absence } from '../../core/entry.ts';
import { isoTimeOf, isoTimeSchema } from '../../core/iso-time.ts';
import { blindCauses } from '../../core/record.ts';
import type { AgentView } from '../fleet/fleet.ts';
import type { TimeRange } from '../store/store.ts';

export const absenceSchema = z
  .strictObject({
    from: isoTimeSchema,
    to: isoTimeSchema.nullable().meta({ description: 'Null while it lasts' }),
    reason: z.enum([...blindCauses, 'unheard']),
  })
  .meta({
    id: 'Absence',
    description: 'Time in which the agent ran nothing, or was not heard: of it nothing is known',
  });

/** One that lasts ends, for what is reckoned with it, now. */
export interface SeenAbsence extends Absence {
  readonly isOpen?: boolean;
}

export function absenceAnswer({ from, to, reason, isOpen = false }: SeenAbsence): z.output<typeof absenceSchema> {
  return { from: isoTimeOf(from), to: isOpen ? null : isoTimeOf(to), reason };
}

/** The part in [from, to) of the time since an agent was last heard, if it is away. */
export function openAbsences(
  agent: Pick<AgentView, 'status' | 'lastSeenAt'> | undefined,
  { from, to }: TimeRange,
  now: number,
): readonly SeenAbsence[] {
  if (agent?.status !== 'offline' || agent.lastSeenAt === undefined) return [];
  const seen = { from: Math.max(agent.lastSeenAt, from), to: Math.min(now, to) };
  return seen.from < seen.to ? [{ ...seen, reason: 'unheard', isOpen: now < to }] : [];
}

/** How much of [from, to) lies in one absence or more, in milliseconds. */
export function absentMsIn(absences: readonly Absence[], { from, to }: Pick<Absence, 'from' | 'to'>): number {
  let [absentMs, until] = [0, from];
  for (const absence of absences.toSorted((a, b) => a.from - b.from)) {
    const [begins, ends] = [Math.max(absence.from, until), Math.min(absence.to, to)];
    if (begins >= ends) continue;
    absentMs += ends - begins;
    until = ends;
  }
  return absentMs;
}
