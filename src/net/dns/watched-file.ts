import { closeSync, openSync, readSync, statSync } from 'node:fs';
import type { Clock } from '../../core/clock.ts';
import { errnoName, socketFailure } from '../dial/socket-failure.ts';

const lookAgainMs = 1000;
const maxBytes = 8 * 1024 * 1024;

interface WatchedFileParts<T> {
  readonly path: string;
  readonly clock: Clock;
  /** Gets the text; an empty one if the file cannot be read. */
  readonly parse: (text: string) => T;
}

/** The contents of a small system file. It is looked at once a second at most, and parsed again only if it changed. */
export class WatchedFile<T> {
  readonly #parts: WatchedFileParts<T>;
  #stamp: string | undefined;
  #value: T | undefined;
  #lookedAtMs = -Infinity;

  constructor(parts: WatchedFileParts<T>) {
    this.#parts = parts;
  }

  /**
   * Synchronous on purpose: the file is local and small, and a name is looked up within one turn of the loop.
   * @throws {Failure} exhausted, where this machine cannot open it now and never could
   */
  read(): T {
    const { path, clock, parse } = this.#parts;
    const nowMs = clock.monotonic();
    if (this.#value !== undefined && nowMs - this.#lookedAtMs < lookAgainMs) return this.#value;
    const stamp = stampOf(path);
    if (this.#value === undefined || stamp !== this.#stamp) {
      try {
        this.#value = parse(textOf(path));
        this.#stamp = stamp;
      } catch (error) {
        // The earlier contents are still the best that is known. The next look tries again.
        if (this.#value === undefined) throw socketFailure(error, `Reading ${path}`, 'machine');
      }
    }
    this.#lookedAtMs = nowMs;
    return this.#value;
  }
}

function stampOf(path: string): string {
  try {
    const { ino, size, mtimeMs, ctimeMs } = statSync(path);
    return `${ino} ${size} ${mtimeMs} ${ctimeMs}`;
  } catch {
    return 'unreadable';
  }
}

/** Errors that pass, and say nothing about the contents of the file. */
const passing: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN']);

/** The first 8 MiB of a file; empty if it cannot be read. @throws {Error} where that may pass */
function textOf(path: string): string {
  try {
    const file = openSync(path, 'r');
    try {
      const bytes = Buffer.alloc(Math.min(statSync(path).size, maxBytes));
      return bytes.toString('utf8', 0, readSync(file, bytes));
    } finally {
      closeSync(file);
    }
  } catch (error) {
    if (passing.has(errnoName(error) ?? '')) throw error;
    // A machine without the file has no names in it; one that may not be read is the same to us.
    return '';
  }
}
