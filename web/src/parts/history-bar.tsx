import type { Slot } from '../history.ts';
import type { Status } from '../model.ts';
import { numberIn, texts, timeText } from '../texts.ts';

/** The least that any trouble shows of its slot: a minute of a day must not vanish. */
const leastShare = 0.12;
/** From the bottom up. */
const order = ['down', 'degraded', 'unknown', 'up'] as const satisfies readonly Status[];

/** Slots of equal time, each with the share of what was measured in it; hatched where nothing was. */
export function HistoryBar({ slots }: { readonly slots: readonly Slot[] }) {
  return (
    <ol class="bar" aria-label={texts.history}>
      {slots.map((slot) => (
        <li key={slot.from} title={textOf(slot)}>
          {sharesOf(slot).map(({ status, share }) => (
            <i key={status} class={status} style={{ height: `${share * 100}%` }} />
          ))}
          <span class="unseen">{textOf(slot)}</span>
        </li>
      ))}
    </ol>
  );
}

interface Share {
  readonly status: Status | 'none';
  readonly share: number;
}

/** @returns what is drawn of a slot, from the bottom up */
export function sharesOf(slot: Slot): readonly Share[] {
  const all = order.reduce((sum, status) => sum + slot[status], 0);
  if (all === 0) return [{ status: 'none', share: 1 }];
  const raised = order
    .filter((status) => slot[status] > 0)
    .map((status) => ({ status, share: status === 'up' ? slot.up / all : Math.max(leastShare, slot[status] / all) }));
  const sum = raised.reduce((total, { share }) => total + share, 0);
  return raised.map(({ status, share }) => ({ status, share: share / sum }));
}

function textOf(slot: Slot): string {
  const all = order.reduce((sum, status) => sum + slot[status], 0);
  if (all === 0) return `${timeText(slot.from)}: ${texts.noResults}`;
  const parts = order
    .filter((status) => slot[status] > 0)
    .map(
      (status) =>
        `${texts.status[status]} ${numberIn(slot[status] / all, { style: 'percent', maximumFractionDigits: 1 })}`,
    );
  return `${timeText(slot.from)}: ${texts.slot(parts)}`;
}
