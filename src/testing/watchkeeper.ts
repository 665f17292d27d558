import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const executable = fileURLToPath(new URL('../../bin/watchkeeper', import.meta.url));
const patienceMs = 20_000;

/** The real program in a process of its own, driven as a person or a script drives it. Disposing kills it. */
export class Watchkeeper implements AsyncDisposable {
  stdout = '';
  stderr = '';
  readonly #process: ChildProcess;
  readonly #ended: Promise<unknown>;
  #onOutput = (): void => {};

  constructor(words: readonly string[], env: Readonly<Record<string, string>> = {}, descriptors?: number) {
    const limit = descriptors === undefined ? [] : ['prlimit', `--nofile=${descriptors}:${descriptors}`];
    const [program, ...args] = [...limit, executable, ...words];
    // The executable at least is there.
    this.#process = spawn(program!, args, { env: { ...process.env, ...env }, stdio: 'pipe' });
    this.#process.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
      this.#onOutput();
    });
    this.#process.stderr?.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.#ended = once(this.#process, 'close').then(() => this.#onOutput());
  }

  /** Types lines into the program's standard input. */
  type(...lines: readonly string[]): void {
    for (const line of lines) this.#process.stdin?.write(`${line}\n`);
  }

  endInput(): void {
    this.#process.stdin?.end();
  }

  signal(name: NodeJS.Signals): void {
    this.#process.kill(name);
  }

  /** What the program wrote to its standard output up to the first match after `from`; rejects if it ends or is silent before. */
  async until(pattern: RegExp, from = 0): Promise<string> {
    const deadline = AbortSignal.timeout(patienceMs);
    for (;;) {
      const match = pattern.exec(this.stdout.slice(from));
      if (match) return this.stdout.slice(from, from + match.index + match[0].length);
      const output = `${pattern} did not come; stdout:\n${this.stdout}\nstderr:\n${this.stderr}`;
      if (this.#process.exitCode !== null || deadline.aborted) throw new Error(output);
      await Promise.race([new Promise<void>((resolve) => (this.#onOutput = resolve)), once(deadline, 'abort')]);
    }
  }

  /** The exit code. */
  async end(): Promise<number | null> {
    await this.#ended;
    return this.#process.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#ended;
  }
}

/** Runs one command line to its end. */
export async function runWatchkeeper(
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  await using program = new Watchkeeper(words, env);
  program.endInput();
  const code = await program.end();
  return { code, stdout: program.stdout, stderr: program.stderr };
}
