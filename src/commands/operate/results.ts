import type { Status } from '../../core/outcome.ts';
import { printable } from '../../core/printable.ts';
import { formatAbsences, formatResults, type AbsenceRow } from '../../terminal/results-view.ts';
import { paintFor } from '../../terminal/paint.ts';
import { columnsFor } from '../../terminal/width.ts';
import { resultsAnswer, tasksAnswer, type ListedResult, type TaskAnswer } from './server-answers.ts';
import { ServerClient } from './server-client.ts';
import { lineTo, type ServerPlace } from './server-line.ts';

export interface ResultsFlags extends ServerPlace {
  /** Epoch milliseconds. */
  readonly since?: number;
  readonly agent?: string;
  readonly limit?: number;
  readonly json?: true;
}

type SeenResult = ListedResult & { readonly agent: string; readonly status: Status };

const usualPeriodMs = 3_600_000;
const usualLimit = 50;
const pageSize = 1000;

/** Prints the newest results of a monitor, of all its agents in the order of time. */
export async function listResults(
  monitor: string,
  { since = Date.now() - usualPeriodMs, agent, limit, json, ...place }: ResultsFlags,
  output: NodeJS.WriteStream,
): Promise<void> {
  const client = new ServerClient(lineTo(place));
  const query = new URLSearchParams({ monitor, ...(agent !== undefined && { agent }) });
  const { tasks } = await client.get(`/tasks?${query.toString()}`, tasksAnswer);
  const newest = new Newest(limit ?? (json ? Infinity : usualLimit));
  const absences: AbsenceRow[] = [];
  const range = { from: new Date(since).toISOString(), to: new Date(Date.now() + usualPeriodMs).toISOString() };
  for await (const result of inOrder(tasks.map((task) => resultsOf(client, task, { range, absences }))))
    newest.add(result);
  if (json) for (const result of newest.all) output.write(`${JSON.stringify(result)}\n`);
  else output.write(`${textOf(newest, { monitor, since, output })}\n`);
  if (json || absences.length === 0) return;
  const inOrderOfTime = absences.toSorted((a, b) => (a.from < b.from ? -1 : 1));
  output.write(`${formatAbsences(inOrderOfTime, { paint: paintFor(output) })}\n`);
}

function textOf(
  { all, count }: Newest,
  { monitor, since, output }: { readonly monitor: string; readonly since: number; readonly output: NodeJS.WriteStream },
): string {
  const start = new Date(since).toISOString();
  if (count === 0) return `${printable(monitor)} has no results since ${start}; --since goes further back.`;
  const table = formatResults(all, { paint: paintFor(output), columns: columnsFor(output) });
  const more = count > all.length ? `\nThe last ${all.length} of ${count} since ${start}; --limit shows more.` : '';
  return table + more;
}

/** Keeps the last ones that are added. */
class Newest {
  readonly #limit: number;
  #kept: SeenResult[] = [];
  count = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(result: SeenResult): void {
    this.count++;
    this.#kept.push(result);
    // Now and then, so that each addition costs the same.
    if (this.#kept.length >= 2 * this.#limit) this.#kept = this.#kept.slice(-this.#limit);
  }

  get all(): readonly SeenResult[] {
    return this.#limit === Infinity ? this.#kept : this.#kept.slice(-this.#limit);
  }
}

interface Asked {
  readonly range: { readonly from: string; readonly to: string };
  /** Takes those of the task. */
  readonly absences: AbsenceRow[];
}

/** The results of a task, page by page. */
async function* resultsOf(
  client: ServerClient,
  { id, agent }: TaskAnswer,
  { range, absences }: Asked,
): AsyncGenerator<SeenResult> {
  const query = new URLSearchParams({ ...range, limit: String(pageSize) });
  for (;;) {
    const { results, next, ...page } = await client.get(`/tasks/${id}/results?${query.toString()}`, resultsAnswer);
    if (!query.has('after'))
      absences.push(...page.absences.map(({ from, to, reason }) => ({ agent, from, to, reason })));
    for (const result of results) yield { agent, ...result };
    if (next === null) return;
    query.set('after', next);
  }
}

/** Merges streams that are each in the order of time. */
async function* inOrder(streams: readonly AsyncGenerator<SeenResult>[]): AsyncGenerator<SeenResult> {
  const heads = await Promise.all(streams.map(async (stream) => ({ stream, next: await stream.next() })));
  for (;;) {
    let first: (typeof heads)[number] | undefined;
    for (const head of heads) {
      if (head.next.done === true) continue;
      if (!first || head.next.value.scheduledAt < first.next.value.scheduledAt) first = head;
    }
    if (!first || first.next.done === true) return;
    yield first.next.value;
    first.next = await first.stream.next();
  }
}
