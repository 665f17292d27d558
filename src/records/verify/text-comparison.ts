import { open, type FileHandle } from 'node:fs/promises';

export interface Difference {
  /** From 1. */
  readonly line: number;
  readonly message: string;
  /** The text is right as far as it goes, but incomplete. */
  readonly isShort?: true;
}

/** Compares a text for people with the lines of evidence while these are read. */
export class TextComparison implements AsyncDisposable {
  readonly #handle: FileHandle;
  #position = 0;
  #line = 1;
  #difference: Difference | undefined;

  private constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /** Rejects with the disk's error. */
  static async open(file: string): Promise<TextComparison> {
    return new TextComparison(await open(file));
  }

  /** The text that must come next. */
  async expect(text: string): Promise<void> {
    if (this.#difference !== undefined) return;
    const expected = Buffer.from(text);
    const { buffer, bytesRead } = await this.#handle.read(Buffer.alloc(expected.length), { position: this.#position });
    if (bytesRead === expected.length && buffer.equals(expected)) {
      this.#position += bytesRead;
      this.#line += text.split('\n').length - 1;
      return;
    }
    const at = expected.findIndex((byte, index) => index >= bytesRead || byte !== buffer[index]);
    const line = this.#line + text.slice(0, at).split('\n').length - 1;
    const message = `expected the text of its records, got another from byte ${this.#position + at} on`;
    this.#difference = { line, message, ...(bytesRead === 0 && { isShort: true }) };
  }

  /** The first difference; undefined if the text is as expected to its end. */
  async difference(): Promise<Difference | undefined> {
    const { size } = await this.#handle.stat();
    if (this.#difference === undefined && size > this.#position)
      return { line: this.#line, message: `expected the end of the file, got ${size - this.#position} bytes more` };
    return this.#difference;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }
}
