import { spawn, type ChildProcess } from 'node:child_process';
import type { Cancel, Clock } from '../../core/clock.ts';

interface LocalAgentParts {
  readonly clock: Clock;
  /** Program and arguments; the token goes by the environment, where `ps` does not show it. */
  readonly command: readonly [string, ...string[]];
  /** A new join token for a local agent that has not joined yet; undefined for one that has. */
  readonly token: () => Promise<string | undefined>;
  /** What it says, in pieces. */
  readonly onOutput: (text: string) => void;
}

const firstDelayMs = 250;
const longestDelayMs = 30_000;
/** So long a run and the next failure is not one of a row. */
const soundRunMs = 60_000;
const stopLimitMs = 10_000;

/** The server's own vantage point: an agent like any other, in a process of its own, started again whenever it ends. */
export class LocalAgent {
  readonly #parts: LocalAgentParts;
  #child: ChildProcess | undefined;
  #cancelRestart: Cancel = () => {};
  #delayMs = firstDelayMs;
  #isStopped = false;

  constructor(parts: LocalAgentParts) {
    this.#parts = parts;
  }

  async start(): Promise<void> {
    const { command, clock, onOutput } = this.#parts;
    const [program, ...args] = command;
    const token = await this.#parts.token();
    if (this.#isStopped) return;
    const startedMs = clock.monotonic();
    const child = spawn(program, args, {
      env: { ...process.env, WATCHKEEPER_TOKEN: token ?? '', WATCHKEEPER_ENDS_WITH_INPUT: '1' },
      // Its input stays open as long as this process lives.
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#child = child;
    child.stdout.setEncoding('utf8').on('data', onOutput);
    child.stderr.setEncoding('utf8').on('data', onOutput);
    child.once('error', (error) => onOutput(`The local agent cannot be started: ${error.message}\n`));
    child.once('close', () => this.#restart(clock.monotonic() - startedMs));
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Has it read its files again, if it runs; one that starts reads them anyway. */
  reload(): void {
    this.#child?.kill('SIGHUP');
  }

  /** Ends it; a local agent that does not end in ten seconds is killed, and says so when it begins again: what it recorded is in its spool. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelRestart();
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
    child.kill('SIGTERM');
    const cancelKill = this.#parts.clock.after(stopLimitMs, () => child.kill('SIGKILL'));
    await ended;
    cancelKill();
  }

  #restart(ranMs: number): void {
    if (this.#isStopped) return;
    this.#delayMs = ranMs > soundRunMs ? firstDelayMs : Math.min(2 * this.#delayMs, longestDelayMs);
    this.#parts.onOutput(`The local agent has ended; it is started again in ${this.#delayMs} ms.\n`);
    this.#cancelRestart = this.#parts.clock.after(this.#delayMs, () => void this.start());
  }
}
