import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import type { Writable } from 'node:stream';

/** Minutes of results; a reader that is further behind is not reading. */
const maxWaitingBytes = 4 * 1024 * 1024;

interface LineOutputEvents {
  /** The reader has gone. */
  readonly onClosed: () => void;
  /** The reader was too slow for so many lines, which are lost to it. */
  readonly onSkipped: (lines: number) => void;
}

/** Lines to a reader that may be slow, or go: neither holds up the checks, nor fills the memory. */
export class LineOutput {
  readonly #stream: Writable;
  readonly #events: LineOutputEvents;
  #skipped = 0;
  #isClosed = false;

  constructor(stream: Writable, events: LineOutputEvents) {
    this.#stream = stream;
    this.#events = events;
    stream.once('error', () => this.#close());
  }

  write(line: string): void {
    if (this.#isClosed) return;
    if (this.#stream.writableLength > maxWaitingBytes) {
      this.#skipped++;
      return;
    }
    this.#tellSkipped();
    this.#stream.write(`${line}\n`);
  }

  /** Resolves when everything is written, or the reader has gone, or after `limitMs`. */
  async flush(limitMs: number): Promise<void> {
    this.#tellSkipped();
    if (this.#isClosed || this.#stream.writableLength === 0) return;
    await once(this.#stream, 'drain', { signal: AbortSignal.timeout(limitMs) }).catch(() => this.#close());
  }

  #tellSkipped(): void {
    if (this.#skipped > 0) this.#events.onSkipped(this.#skipped);
    this.#skipped = 0;
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#events.onClosed();
  }
}

/** Standard output for a program that must not stand still: Node writes to a pipe synchronously, and a full pipe stops everything. */
export function standardOutput(): Writable {
  return process.stdout.isTTY ? process.stdout : createWriteStream('', { fd: process.stdout.fd, autoClose: false });
}
