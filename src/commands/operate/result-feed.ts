import { formatTaskResult, type TaskRow } from '../../terminal/fleet-view.ts';
import type { Paint } from '../../terminal/paint.ts';
import { printable } from '../../core/printable.ts';

export type SeenResult = TaskRow & { readonly latest: NonNullable<TaskRow['latest']> };

/** Long enough to bring the results of one server together, and too short to be felt. */
const gatherMs = 200;
/** More than that in so short a time cannot be read. */
const maxLinesOnTerminal = 100;

interface FeedParts {
  readonly isTerminal: boolean;
  readonly paint: Paint;
  readonly print: (text: string) => void;
}

/** Results as they arrive, under a heading for each server that they are about. */
export class ResultFeed {
  readonly #parts: FeedParts;
  #waiting: SeenResult[] = [];
  #timer: NodeJS.Timeout | undefined;
  #lastServer: string | undefined;
  #filter: string | undefined = '';

  constructor(parts: FeedParts) {
    this.#parts = parts;
  }

  /** Shows results that have this text in their monitor, agent, target or status; undefined shows none. */
  follow(filter: string | undefined): void {
    this.#filter = filter?.toLowerCase();
  }

  add(result: SeenResult): void {
    if (!this.#isWanted(result)) return;
    this.#waiting.push(result);
    this.#timer ??= setTimeout(() => this.flush(), gatherMs);
  }

  /** Something else was printed: the next result needs its heading again. */
  interrupt(): void {
    this.flush();
    this.#lastServer = undefined;
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const { isTerminal, paint, print } = this.#parts;
    const results = this.#waiting;
    this.#waiting = [];
    if (results.length === 0) return;
    const shown = isTerminal ? results.slice(0, maxLinesOnTerminal) : results;
    const lines: string[] = [];
    for (const [server, ofServer] of Map.groupBy(shown, ({ target }) => serverOf(target))) {
      if (server !== this.#lastServer) lines.push(formatServer(server, paint));
      this.#lastServer = server;
      lines.push(...ofServer.map((result) => formatTaskResult(result, paint)));
    }
    const more = results.length - shown.length;
    if (more > 0) lines.push(paint('dim', `… and ${more} more at once; follow TEXT shows those with TEXT only`));
    print(lines.join('\n'));
  }

  #isWanted({ monitor, agent, target, latest }: SeenResult): boolean {
    const filter = this.#filter;
    if (filter === undefined) return false;
    return [monitor, agent, target, latest.status].some((text) => text.toLowerCase().includes(filter));
  }
}

/** The heading of a group. */
export function formatServer(server: string, paint: Paint): string {
  return paint('cyan', `----- ${printable(server)} -----`);
}

/** The host that a target is about: `www.example.org` of `https://www.example.org/a`, of `www.example.org:443` and of `www.example.org (8.8.8.8, A)`. */
export function serverOf(target: string): string {
  const [first = target] = target.split(' ');
  if (first.includes('://')) return URL.parse(first)?.hostname || first;
  const isBareIpv6 = first.indexOf(':') !== first.lastIndexOf(':') && !first.startsWith('[');
  return isBareIpv6 ? first : first.replace(/:\d+$/, '');
}
