import type { WriteStream } from 'node:tty';

// ECMA-48, and xterm's private modes for the second screen and the cursor.
const enter = '\u001b[?1049h\u001b[?25l';
const leave = '\u001b[?25h\u001b[?1049l';
const home = '\u001b[H';
const clearLine = '\u001b[K';
const clearBelow = '\u001b[J';

/** The space for a picture, in characters. */
export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
}

/** A terminal of which all is redrawn in place. What was on it before is there again afterwards. */
export class Screen implements Disposable {
  readonly #stream: WriteStream;
  readonly #picture: (size: ScreenSize) => readonly string[];
  readonly #draw = (): void => this.draw();
  readonly #leave = (): void => void this.#stream.write(leave);

  /** `picture` gives the lines of the moment, none wider than the screen. */
  constructor(stream: WriteStream, picture: (size: ScreenSize) => readonly string[]) {
    this.#stream = stream;
    this.#picture = picture;
    stream.write(enter);
    stream.on('resize', this.#draw);
    // Also when the program ends by an error.
    process.once('exit', this.#leave);
  }

  draw(): void {
    const { columns, rows } = this.#stream;
    const lines = this.#picture({ columns, rows }).slice(0, rows);
    this.#stream.write(`${home}${lines.map((line) => line + clearLine).join('\n')}${clearBelow}`);
  }

  [Symbol.dispose](): void {
    this.#stream.off('resize', this.#draw);
    process.off('exit', this.#leave);
    this.#leave();
  }
}
