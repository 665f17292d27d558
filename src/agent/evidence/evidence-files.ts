import { setImmediate } from 'node:timers/promises';
import { isDiskError } from '../on-disk.ts';
import type { EvidenceDisk, EvidenceFile } from './evidence-disk.ts';

/** A file of lines and the length of its complete lines. */
export interface OpenFile {
  readonly name: string;
  readonly bytes: number;
}

/** Lines written in one piece; writing them again changes nothing. */
export interface LineBatch {
  readonly file: string;
  readonly position: number;
  readonly bytes: Buffer;
  readonly lines: readonly string[];
}

/** A new file when this is reached, or when a day (UTC) begins. */
const maxFileBytes = 4 * 1024 * 1024;
/** After this many lines (a few milliseconds) other work gets its turn. */
const linesAtOnce = 50;
const linesEnding = '.jsonl';
const textEnding = '.log';

/** A line as text for people; see records/record-line.ts. */
export type TextOf = (line: string) => string;

/**
 * The files of one chain: `<time>.jsonl` holds the lines, synced, and is the evidence; `<time>.log` beside it says the same for
 * people, and is rebuilt where it is missing.
 */
export class EvidenceFiles {
  readonly #disk: EvidenceDisk;
  readonly #textOf: TextOf;
  #current: OpenFile | undefined;
  #lastName: string;
  /** Length of the current file's text; undefined if the text must be rewritten. */
  #textBytes: number | undefined;
  #isAnyTextMissing = false;

  constructor(disk: EvidenceDisk, { textOf, current, lastName }: FilesAtHand & { readonly textOf: TextOf }) {
    this.#disk = disk;
    this.#textOf = textOf;
    this.#current = current;
    this.#lastName = lastName ?? '';
  }

  /** The file that is being written. */
  get current(): string | undefined {
    return this.#current?.name;
  }

  /** Closes the current file; the next lines go to a new one. */
  async end(): Promise<void> {
    await this.#leave();
    this.#current = undefined;
  }

  /** Chooses file and position for these lines; `at` is the time of the first. */
  place(lines: readonly string[], at: number): LineBatch {
    const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
    const { name, bytes: position } = this.#fileFor(at, bytes.length);
    return { file: name, position, bytes, lines };
  }

  /** Resolves when the lines survive a power cut. Rejects with the disk's error; the same batch must then be repeated. */
  async append({ file, position, bytes }: LineBatch): Promise<void> {
    await this.#disk.write(file, bytes, { position, isSynced: true });
    if (file !== this.#current?.name) await this.#leave();
    this.#current = { name: file, bytes: position + bytes.length };
    this.#lastName = file;
  }

  /** Adds the lines to the text for people. A refused write is repaired with a later batch. */
  async addText({ file, lines }: LineBatch): Promise<void> {
    await this.#attempt(async () => {
      if (this.#textBytes === undefined) return await this.#writeWholeText(file);
      const text = Buffer.from(await this.#text(lines));
      await this.#disk.write(textName(file), text, { position: this.#textBytes, isSynced: false });
      this.#textBytes += text.length;
    });
    if (this.#isAnyTextMissing && this.#textBytes !== undefined) await this.#attempt(() => this.#writeMissingTexts());
  }

  /** Writes missing texts; always that of the newest file, because its end was not synced. */
  async restoreTexts(): Promise<void> {
    const areAllWritten = await this.#attempt(async () => {
      const newest = linesFiles(await this.#disk.list()).at(-1);
      if (newest) await this.#writeWholeText(newest.name);
      await this.#writeMissingTexts();
    });
    this.#isAnyTextMissing = !areAllWritten;
  }

  async #writeMissingTexts(): Promise<void> {
    const files = await this.#disk.list();
    const present = new Set(files.map(({ name }) => name));
    for (const { name } of linesFiles(files)) if (!present.has(textName(name))) await this.#writeWholeText(name);
    this.#isAnyTextMissing = false;
  }

  #fileFor(at: number, bytes: number): OpenFile {
    const name = fileName(at);
    const { name: last = '', bytes: filled = 0 } = this.#current ?? {};
    // Forward only: a clock that was set back must not start a new file for every batch.
    const isNewDay = dayOf(name) > dayOf(last);
    if (this.#current && filled + bytes <= maxFileBytes && !isNewDay) return this.#current;
    return { name: name > this.#lastName ? name : nameAfter(this.#lastName), bytes: 0 };
  }

  /** Syncs the text of a complete file once, so that it need not be checked again. */
  async #leave(): Promise<void> {
    const [left, position] = [this.#current?.name, this.#textBytes];
    if (left !== undefined) {
      const isSynced = await this.#attempt(() =>
        position === undefined
          ? this.#writeWholeText(left)
          : this.#disk.write(textName(left), Buffer.alloc(0), { position, isSynced: true }),
      );
      if (!isSynced) await this.#giveUpText(left);
    }
    this.#textBytes = 0;
  }

  /** Deletes a text that is too short, because it would look complete; a missing one is rebuilt when the disk allows. */
  async #giveUpText(name: string): Promise<void> {
    this.#isAnyTextMissing = true;
    await this.#attempt(() => this.#disk.remove(textName(name)));
  }

  async #writeWholeText(name: string): Promise<void> {
    const bytes = await this.#disk.read(name);
    const text = Buffer.from(await this.#text(linesIn(bytes).map(({ line }) => line)));
    await this.#disk.replace(textName(name), text);
    if (name === this.current) this.#textBytes = text.length;
  }

  async #text(lines: readonly string[]): Promise<string> {
    let text = '';
    for (const [index, line] of lines.entries()) {
      // Formatting thousands of lines at once would delay checks.
      if (index % linesAtOnce === linesAtOnce - 1) await setImmediate();
      text += `${this.#textOf(line)}\n`;
    }
    return text;
  }

  /** False if the disk refused. */
  async #attempt(work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      if (!isDiskError(error)) throw error;
      this.#textBytes = undefined;
      return false;
    }
  }
}

/** Which files there are at the start. */
export interface FilesAtHand {
  /** The file to continue; undefined to begin one. */
  readonly current: OpenFile | undefined;
  /** A new file's name sorts after this. */
  readonly lastName: string | undefined;
}

/** Those that hold lines, oldest first. */
export function linesFiles(files: readonly EvidenceFile[]): readonly EvidenceFile[] {
  return files
    .filter(({ name }) => name.endsWith(linesEnding) && Number.isFinite(timeOf(name)))
    .toSorted((one, other) => (one.name < other.name ? -1 : 1));
}

/** Name of the text for people beside a file of lines. */
export function textName(name: string): string {
  return name.slice(0, -linesEnding.length) + textEnding;
}

/** The complete lines, and where each ends. */
export function linesIn(bytes: Buffer): readonly { readonly line: string; readonly end: number }[] {
  const lines: { readonly line: string; readonly end: number }[] = [];
  for (let start = 0, end = bytes.indexOf('\n'); end !== -1; start = end + 1, end = bytes.indexOf('\n', start)) {
    lines.push({ line: bytes.toString('utf8', start, end), end: end + 1 });
  }
  return lines;
}

/** `2026-12-02T09-15-00-250Z.jsonl`: sorts by time, and is a name on any file system. */
function fileName(at: number): string {
  return new Date(at).toISOString().replaceAll(/[:.]/g, '-') + linesEnding;
}

function dayOf(name: string): string {
  return name.slice(0, 'yyyy-mm-dd'.length);
}

/** The next name in order, for a clock that was set back or stood still: names sort like lines. */
function nameAfter(name: string): string {
  return fileName(timeOf(name) + 1);
}

/** NaN if it is not one of our names. */
function timeOf(name: string): number {
  return Date.parse(name.replace(/T(\d\d)-(\d\d)-(\d\d)-(\d{3})Z\.jsonl$/, 'T$1:$2:$3.$4Z'));
}
