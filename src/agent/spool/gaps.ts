import { renewalCauses, type GapItem, type SeqRange } from '../../core/entry.ts';

const rangesPerGap = 4000;

/** The gap entries that close these numbers. That a new epoch begins is said also where no number is to be closed. */
export function gapItems(
  ranges: readonly SeqRange[],
  { cause, at }: Pick<GapItem, 'cause' | 'at'>,
): readonly GapItem[] {
  const isRenewal = (renewalCauses as readonly string[]).includes(cause);
  const count = Math.max(isRenewal ? 1 : 0, Math.ceil(ranges.length / rangesPerGap));
  return Array.from({ length: count }, (_, index) => {
    const start = index * rangesPerGap;
    return { kind: 'gap', ranges: ranges.slice(start, start + rangesPerGap), cause, at };
  });
}
