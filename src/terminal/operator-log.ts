import type { Writable } from 'node:stream';
import type { Occurrence } from '../core/say.ts';
import { printable } from '../core/printable.ts';

export const logFormats = ['text', 'json'] as const;
export type LogFormat = (typeof logFormats)[number];

interface LogParts {
  readonly clock: { now(): number };
  /** Opens the stream the lines go to; called again when the stream was destroyed by an error. */
  readonly open: () => Writable;
  readonly format?: LogFormat | undefined;
}

/** A reader that is further behind than this is not reading. */
const maxWaitingBytes = 1024 * 1024;
/** Longer lines are cut: a line is a sentence, or the stack of an error. */
const maxLineLength = 8000;

/**
 * The lines a server or an agent writes for its operator. A log that cannot be written (disk full, reader gone or asleep) loses
 * lines, never the program: lost lines are counted, and the count is written as soon as writing works again.
 */
export class OperatorLog {
  readonly #parts: LogParts;
  #stream: Writable | undefined;
  #lost = 0;
  #lostTotal = 0;
  #lastError = '';

  constructor(parts: LogParts) {
    this.#parts = parts;
  }

  /** How many lines were lost since the start. */
  get lostLines(): number {
    return this.#lostTotal;
  }

  /** Writes one line; control characters are escaped. As JSON it has what it is about as well. */
  say(text: string, about?: Occurrence): void {
    const stream = this.#writable();
    if (stream.writableLength > maxWaitingBytes) return this.#lose(1, 'its reader does not keep up');
    const lost = this.#lost;
    this.#lost = 0;
    const notice =
      lost > 0 ? this.#line(`${lost} lines of this log were lost: ${this.#lastError}.`, lostLines(lost)) : '';
    stream.write(notice + this.#line(text, about), (error) => {
      if (error) this.#lose(1, error.message, lost);
    });
  }

  #writable(): Writable {
    if (this.#stream && !this.#stream.destroyed) return this.#stream;
    this.#stream = this.#parts.open();
    // Each line learns of the error by its own callback; without a listener the error would end the program.
    this.#stream.on('error', () => {});
    return this.#stream;
  }

  /** `announced` lines were lost before, and the line that said so is lost as well. */
  #lose(lines: number, why: string, announced = 0): void {
    this.#lost += lines + announced;
    this.#lostTotal += lines;
    this.#lastError = why;
  }

  #line(text: string, { event = 'note', level = 'info', fields = {} }: Partial<Occurrence> = {}): string {
    const time = new Date(this.#parts.clock.now()).toISOString();
    const message = printable(text.length > maxLineLength ? `${text.slice(0, maxLineLength)}…` : text);
    return this.#parts.format === 'json'
      ? `${JSON.stringify({ time, level, event, message, fields })}\n`
      : `${time} ${message}\n`;
  }
}

function lostLines(count: number): Occurrence {
  return { event: 'log-lines-lost', level: 'warning', fields: { count } };
}

/** Calls `onLine` for each line of a stream that comes in pieces; a line longer than `maxLength` comes in parts. */
export function lineSplitter(onLine: (line: string) => void, maxLength = maxLineLength): (piece: string) => void {
  let rest = '';
  return (piece) => {
    const lines = (rest + piece).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line);
    if (rest.length <= maxLength) return;
    onLine(rest);
    rest = '';
  };
}
