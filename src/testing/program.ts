import type { LabHost } from './netlab.ts';
import { Watchkeeper } from './watchkeeper.ts';

interface Place {
  /** The host it runs on; this process's own network if absent. */
  readonly host?: LabHost | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** How many files and sockets it may have open. */
  readonly descriptors?: number | undefined;
}

/** A server or an agent: one process after the other with the same words, ended and started again at will. */
export class Program implements AsyncDisposable {
  /** Asked at each start. */
  readonly words: () => readonly string[];
  readonly #place: Place;
  #life: Watchkeeper | undefined;
  #said = '';

  constructor(words: () => readonly string[], place: Place = {}) {
    this.words = words;
    this.#place = place;
  }

  /** What all its lives wrote for the operator. */
  get said(): string {
    return this.#said + (this.#life?.stderr ?? '');
  }

  start(): void {
    using _there = this.#place.host?.enter();
    this.#life = new Watchkeeper(this.words(), this.#place.env, this.#place.descriptors);
  }

  /** Without any warning to it. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** As an operator would. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  signal(name: NodeJS.Signals): void {
    this.#life?.signal(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const life = this.#life;
    if (!life) return;
    life.signal(signal);
    await life.end();
    this.#said += life.stderr;
    this.#life = undefined;
  }
}
