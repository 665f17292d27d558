import type { Writable } from 'node:stream';

/** Minutes of results; a reader that is further behind is not reading. */
const maxWaitingBytes = 4 * 1024 * 1024;

/** Lines to a reader that may be slow: it neither holds up the checks, nor fills the memory. */
export class LineOutput {
  readonly #stream: Writable;
  readonly #onSkipped: (lines: number) => void;
  #skipped = 0;

  /** `onSkipped` hears how many lines a slow reader has lost, once it reads again or in the end. */
  constructor(stream: Writable, onSkipped: (lines: number) => void) {
    this.#stream = stream;
    this.#onSkipped = onSkipped;
  }

  write(line: string): void {
    if (this.#stream.writableLength > maxWaitingBytes) {
      this.#skipped++;
      return;
    }
    this.#tellSkipped();
    this.#stream.write(`${line}\n`);
  }

  /** Resolves when everything is written; false if that took longer than `limitMs`. */
  async flush(limitMs: number): Promise<boolean> {
    this.#tellSkipped();
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(resolve, limitMs, false);
    this.#stream.write('', () => resolve(true));
    const isWritten = await promise;
    clearTimeout(timer);
    return isWritten;
  }

  #tellSkipped(): void {
    if (this.#skipped > 0) this.#onSkipped(this.#skipped);
    this.#skipped = 0;
  }
}
