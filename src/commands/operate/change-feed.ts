import type { Status } from '../../core/outcome.ts';
import { printable } from '../../core/printable.ts';
import { styleOf, type Paint } from '../../terminal/paint.ts';
import { formatTime } from '../../terminal/result-line.ts';

export interface SeenChange {
  readonly name: string;
  readonly monitor: string;
  readonly state: Status;
  readonly before: Status;
  /** ISO 8601. */
  readonly at: string;
  readonly message: string;
}

interface FeedParts {
  readonly isTerminal: boolean;
  readonly paint: Paint;
  readonly say: (text: string) => void;
}

/** When an agent goes away all its tasks change together. */
const gatherMs = 200;
const maxLinesOnTerminal = 30;

/** Changes of state as they happen. */
export class ChangeFeed {
  readonly #parts: FeedParts;
  #waiting: SeenChange[] = [];
  #timer: NodeJS.Timeout | undefined;
  isShown = true;

  constructor(parts: FeedParts) {
    this.#parts = parts;
  }

  add(change: SeenChange): void {
    if (!this.isShown) return;
    this.#waiting.push(change);
    this.#timer ??= setTimeout(() => this.flush(), gatherMs);
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const { isTerminal, paint, say } = this.#parts;
    const changes = this.#waiting;
    this.#waiting = [];
    if (changes.length === 0) return;
    const shown = isTerminal ? changes.slice(0, maxLinesOnTerminal) : changes;
    const lines = shown.map((change) => formatChange(change, paint));
    const more = changes.length - shown.length;
    if (more > 0) lines.push(paint('dim', `… and ${more} more at once; tasks lists all`));
    say(lines.join('\n'));
  }
}

/** `2026-05-15 11:26:17 - web on local: down (was up) - connection refused` */
function formatChange({ name, monitor, state, before, at, message }: SeenChange, paint: Paint): string {
  const time = paint('dim', formatTime(Date.parse(at)));
  const what = `${paint('bold', printable(monitor))} on ${printable(name)}`;
  return `${time} - ${what}: ${paint(styleOf[state], state)} (was ${before}) - ${printable(message)}`;
}
