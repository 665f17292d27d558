import { z } from 'zod';
import type { Absence } from '../../core/entry.ts';
import { isoTimeOf, isoTimeSchema } from '../../core/iso-time.ts';
import { blindCauses } from '../../core/record.ts';

export const absenceSchema = z
  .strictObject({ from: isoTimeSchema, to: isoTimeSchema, reason: z.enum([...blindCauses, 'unheard']) })
  .meta({
    id: 'Absence',
    description: 'Time in which the agent ran nothing, or was not heard: of it nothing is known',
  });

export function absenceAnswer({ from, to, reason }: Absence): z.output<typeof absenceSchema> {
  return { from: isoTimeOf(from), to: isoTimeOf(to), reason };
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
