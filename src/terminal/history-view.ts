import type { View } from './fleet-view.ts';
import { formatTable, type Column } from './table.ts';

/** A task that has results. */
export interface MeasuredTaskRow {
  readonly id: string;
  readonly monitor: string;
  readonly agent: string;
  readonly isGone: boolean;
}

/** What was measured, also for monitors that are gone. */
export function formatHistory(tasks: readonly MeasuredTaskRow[], view: View): string {
  if (tasks.length === 0) return 'Nothing has been measured yet.';
  const columns: readonly Column<MeasuredTaskRow>[] = [
    { title: 'Monitor', textOf: ({ monitor }) => monitor, styleOf: ({ isGone }) => (isGone ? 'dim' : 'bold') },
    { title: 'Agent', textOf: ({ agent }) => agent },
    { title: 'State', textOf: ({ isGone }) => (isGone ? 'gone' : 'there') },
    { title: 'Task', textOf: ({ id }) => id, goesBelow: 1 },
  ];
  return formatTable(tasks, columns, view);
}
