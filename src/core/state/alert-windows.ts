import { occurrenceNear } from '../calendar/window-schedule.ts';
import { fitsWildcard } from '../wildcard.ts';
import type { AlertWindow } from './policies.ts';
import type { Suppression } from './suppression.ts';

/** After a window one fresh result is waited for, at most so long. */
const settleMs = 60_000;

type WindowFact = Omit<Suppression, 'reason'>;

/** The maintenance and the silence that keep back messages of a monitor now. */
export function windowFacts(
  windows: readonly AlertWindow[],
  { name, heardAt, now }: { readonly name: string; readonly heardAt: number; readonly now: number },
): { readonly maintenance?: WindowFact; readonly silence?: WindowFact } {
  const facts: { maintenance?: WindowFact; silence?: WindowFact } = {};
  for (const window of windows) {
    const until = endOf(window, { heardAt, now });
    if (until === undefined || !window.monitors.some((pattern) => fitsWildcard(pattern, name))) continue;
    const known = facts[window.kind];
    if (known?.until === undefined || known.until < until) facts[window.kind] = { by: window.name, until };
  }
  return facts;
}

/** When the window that is open ends; after its end, until when it waits for a result that is newer. */
function endOf(
  { schedule }: AlertWindow,
  { heardAt, now }: { readonly heardAt: number; readonly now: number },
): number | undefined {
  const near = occurrenceNear(schedule, now);
  if (!near || near.from > now) return undefined;
  if (now < near.to) return near.to;
  return heardAt <= near.to && now < near.to + settleMs ? near.to + settleMs : undefined;
}
