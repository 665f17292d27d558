import { ageOf, type View } from './fleet-view.ts';
import { formatTable, type Column } from './table.ts';

/** Entries of one agent that the server does not have, for one reason. */
export interface MissingRow {
  readonly agent: string;
  readonly cause: string;
  readonly count: number;
  /** ISO 8601; null for what may still come. */
  readonly lastAt: string | null;
}

const reasons: Readonly<Record<string, string>> = {
  'not-received': 'not received: on their way, or lost',
  overflow: 'the queue of the agent was full, and plain results were dropped',
  corrupt: 'the agent could not read them back from its disk',
  refused: 'refused here: not of its tasks, or not as the protocol has them',
  'too-old': 'older than what is kept here',
  restored: 'this server had them and lost them, as with a restored backup',
  lost: 'the spool of the agent was empty: how many it held is not known',
  conflicting: 'their numbers belong to other entries: its folder was used twice, or set back',
};

/** What the server does not have, and why. */
export function formatMissing(missing: readonly MissingRow[], view: View): string {
  if (missing.length === 0) return 'Nothing is missing: the server has every entry that its agents recorded.';
  const columns: readonly Column<MissingRow>[] = [
    { title: 'Agent', textOf: ({ agent }) => agent, styleOf: () => 'bold' },
    { title: 'Entries', textOf: ({ count }) => String(count), align: 'right' },
    { title: 'Last', textOf: ({ lastAt }) => ageOf(lastAt, view.now), align: 'right' },
    { title: 'Why', textOf: ({ cause }) => reasons[cause] ?? cause, goesBelow: 1 },
  ];
  return formatTable(missing, columns, view);
}
