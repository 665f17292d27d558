import { execFileSync } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { longMs } from '../../src/testing/eventually.ts';

export const executable = fileURLToPath(new URL('../../bin/watchkeeper', import.meta.url));
const pollMs = 50;

/** A program in a real terminal in a tmux server of its own. */
export class Terminal implements Disposable {
  readonly #socket = `watchkeeper-test-${process.pid}-${Math.random().toString(36).slice(2)}`;

  constructor(command: string, { columns = 100, rows = 40 } = {}) {
    this.#tmux(
      'new-session',
      '-d',
      '-x',
      String(columns),
      '-y',
      String(rows),
      '-s',
      'shell',
      `${command}; echo "exit=$?"; exec sleep 60`,
    );
  }

  /** Presses keys one after the other, by tmux's names for them; text is typed as it is. */
  press(...keys: readonly string[]): void {
    for (const key of keys) this.#tmux('send-keys', '-t', 'shell', key);
  }

  /** The screen, once it shows this; with the escape sequences of colours if asked. */
  async until(pattern: RegExp, { colours = false } = {}): Promise<string> {
    const giveUpMs = performance.now() + longMs;
    for (;;) {
      const screen = this.#tmux('capture-pane', colours ? '-pe' : '-p', '-t', 'shell');
      if (pattern.test(screen)) return screen;
      if (performance.now() > giveUpMs) throw new Error(`${pattern} did not come; the screen:\n${screen}`);
      await wait(pollMs);
    }
  }

  #tmux(...words: readonly string[]): string {
    return execFileSync('tmux', ['-L', this.#socket, '-f', '/dev/null', ...words], { encoding: 'utf8' });
  }

  [Symbol.dispose](): void {
    this.#tmux('kill-server');
  }
}
