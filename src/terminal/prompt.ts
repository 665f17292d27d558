import { wrapLog } from './text.ts';
import { columnsFor } from './width.ts';
import { clearScreenDown, createInterface, moveCursor, type Interface } from 'node:readline';

/** Thrown out of a question that Ctrl-C left unanswered. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

export interface Streams {
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly output: NodeJS.WriteStream;
}

/** The completions of a line: a list, or a function of the line so far. */
export type Words = readonly string[] | ((line: string) => readonly string[]);

interface Waiting {
  readonly resolve: (line: string | undefined) => void;
  readonly reject: (error: Error) => void;
}

const maxLinesAhead = 1000;
const maxRemembered = 100;

/** Asks a person at a terminal, or reads a script line by line. What is printed meanwhile appears above the line being typed. */
export class Prompt {
  readonly isTerminal: boolean;
  readonly #output: NodeJS.WriteStream;
  readonly #lines: Interface;
  /** Lines that came before they were asked for: a script is faster than its questions. */
  readonly #ahead: string[] = [];
  #waiting: Waiting | undefined;
  #words: Words = [];
  #kind: 'command' | 'answer' = 'command';
  /** Lines that were typed, the newest first; answers are kept apart from commands. */
  readonly #history: Record<'command' | 'answer', readonly string[]> = { command: [], answer: [] };
  #hasEnded = false;

  constructor({ input, output }: Streams) {
    this.isTerminal = input.isTTY === true && output.isTTY;
    this.#output = output;
    this.#lines = createInterface({
      input,
      output,
      terminal: this.isTerminal,
      completer: (line: string) => [this.#completions(line), line],
    });
    this.#lines.on('line', (line) => this.#take(line));
    this.#lines.on('SIGINT', () => this.#interrupt());
    this.#lines.on('close', () => this.#end());
  }

  /** Columns that a printed line may take; see `columnsFor`. */
  get columns(): number {
    return columnsFor(this.#output);
  }

  /** Asks for the next command; the arrow keys bring back earlier ones. As `ask`, but Ctrl-C first clears what is typed. */
  askCommand(words: Words): Promise<string | undefined> {
    this.#kind = 'command';
    return this.#next('> ', words);
  }

  /**
   * The answer to a question; undefined when the input has ended. Tab completes the words.
   * @throws {Interrupted} on Ctrl-C
   */
  ask(question: string, words: Words = []): Promise<string | undefined> {
    this.#kind = 'answer';
    return this.#next(question, words);
  }

  #next(question: string, words: Words): Promise<string | undefined> {
    this.#words = words;
    this.#showHistory();
    const line = this.#ahead.shift();
    if (this.#ahead.length === 0 && !this.#hasEnded) this.#lines.resume();
    if (this.isTerminal && !this.#hasEnded) {
      this.#lines.setPrompt(question);
      this.#lines.prompt();
    } else if (this.#kind === 'answer') this.print(question);
    if (line !== undefined) this.#remember(line);
    if (line !== undefined || this.#hasEnded) return Promise.resolve(line);
    return new Promise((resolve, reject) => (this.#waiting = { resolve, reject }));
  }

  print(text: string): void {
    const lines = wrapLog(text, this.columns);
    if (!this.isTerminal || !this.#waiting) return void this.#output.write(`${lines}\n`);
    moveCursor(this.#output, 0, -this.#lines.getCursorPos().rows);
    this.#output.write('\r');
    clearScreenDown(this.#output);
    this.#output.write(`${lines}\n`);
    this.#lines.prompt(true);
  }

  close(): void {
    this.#lines.close();
  }

  #take(line: string): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting) {
      this.#remember(line);
      return waiting.resolve(line);
    }
    this.#ahead.push(line);
    if (this.#ahead.length >= maxLinesAhead) this.#lines.pause();
  }

  /** Only now is it known which of the two the line is: it may have been typed ahead. */
  #remember(line: string): void {
    const known = this.#history[this.#kind];
    if (line.trim() !== '' && line !== known[0]) this.#history[this.#kind] = [line, ...known].slice(0, maxRemembered);
  }

  #showHistory(): void {
    // Node adds each line to one history as it is typed. It documents `history` as an option and an event; the array of
    // the interface is what its arrow keys read.
    Reflect.set(this.#lines, 'history', [...this.#history[this.#kind]]);
  }

  #interrupt(): void {
    // The half-typed line stays on the screen, as in a shell, and is gone from the editor.
    const typed = this.#lines.line;
    this.#lines.write(null, { ctrl: true, name: 'e' });
    this.#lines.write(null, { ctrl: true, name: 'u' });
    this.#output.write(`${typed}^C\n`);
    if (this.#kind === 'command' && typed !== '') return this.#lines.prompt();
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.reject(new Interrupted());
  }

  #end(): void {
    // Ctrl-D leaves the cursor behind the prompt.
    if (this.isTerminal && this.#waiting) this.#output.write('\n');
    this.#hasEnded = true;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve(undefined);
  }

  #completions(line: string): readonly string[] {
    const typed = line.toLowerCase();
    const words = typeof this.#words === 'function' ? this.#words(line) : this.#words;
    return words.filter((word) => word.toLowerCase().startsWith(typed));
  }
}
