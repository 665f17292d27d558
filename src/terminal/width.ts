/** VT100, and what every terminal has unless it says otherwise. */
const usualColumns = 80;

interface MaybeTerminal {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Columns for output to a stream: those of the terminal; without one, lines are never broken. */
export function columnsFor({ isTTY, columns }: MaybeTerminal): number {
  if (!isTTY) return Infinity;
  // A terminal whose size is not known says 0.
  return columns ? columns : usualColumns;
}
