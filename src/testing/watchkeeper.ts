import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { eventually, longMs } from './eventually.ts';

const executable = fileURLToPath(new URL('../../bin/watchkeeper', import.meta.url));

/** The real program in a process of its own, driven as a person or a script drives it. Disposing kills it. */
export class Watchkeeper implements AsyncDisposable {
  stdout = '';
  stderr = '';
  readonly #process: ChildProcess;
  readonly #ended: Promise<unknown>;
  #onOutput = (): void => {};
  /** Processes that it had started when it was last sent a signal: its local agent. */
  #children: readonly string[] = [];

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
    this.#children = childrenOf(this.#process.pid);
    this.#process.kill(name);
  }

  /** What the program wrote to its standard output up to the first match after `from`; rejects if it ends or is silent before. */
  async until(pattern: RegExp, from = 0): Promise<string> {
    const deadline = AbortSignal.timeout(longMs);
    for (;;) {
      const match = pattern.exec(this.stdout.slice(from));
      if (match) return this.stdout.slice(from, from + match.index + match[0].length);
      const output = `${pattern} did not come; stdout:\n${this.stdout}\nstderr:\n${this.stderr}`;
      if (this.#process.exitCode !== null || deadline.aborted) throw new Error(output);
      await Promise.race([new Promise<void>((resolve) => (this.#onOutput = resolve)), once(deadline, 'abort')]);
    }
  }

  /** The exit code, once it and the processes that it started have ended: the local agent of a killed server ends a moment later. */
  async end(): Promise<number | null> {
    await this.#ended;
    await eventually('its children have ended', () => !this.#children.some(isRunning));
    return this.#process.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.signal('SIGKILL');
    await this.end();
  }
}

function childrenOf(pid: number | undefined): readonly string[] {
  return (readProc(`${pid}/task/${pid}/children`) ?? '').split(' ').filter(Boolean);
}

/** A zombie has ended, whether or not anybody asked for its exit code. */
function isRunning(pid: string): boolean {
  const stat = readProc(`${pid}/stat`);
  return stat !== undefined && !/\) [ZX] /.test(stat);
}

/** Undefined once the process is gone. */
function readProc(path: string): string | undefined {
  try {
    return readFileSync(`/proc/${path}`, 'utf8').trim();
  } catch {
    return undefined;
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
