import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../../src/testing/eventually.ts';
import { closedPort } from '../../src/testing/tcp-server.ts';
import { Watchkeeper } from '../../src/testing/watchkeeper.ts';
import { removeFolder } from '../../src/testing/remove-folder.ts';

/** `watchkeeper serve` with its local agent, as a person runs it. Disposing kills it. */
export class Served implements AsyncDisposable {
  readonly folder: string;
  readonly port: number;
  readonly #words: readonly string[];
  #program: Watchkeeper;

  private constructor(folder: string, port: number, words: readonly string[]) {
    this.folder = folder;
    this.port = port;
    this.#words = words;
    this.#program = new Watchkeeper(words);
  }

  /** Resolves once it answers and its agent, unless it has none, is online. */
  static async start(configuration?: string, { localAgent = true } = {}): Promise<Served> {
    const folder = await mkdtemp(join(tmpdir(), 'watchkeeper-served-'));
    const port = await closedPort();
    const file = join(folder, 'serve.yaml');
    if (configuration !== undefined) await writeFile(file, configuration);
    const from = configuration === undefined ? [] : ['--config', file];
    const words = ['serve', ...from, '--data', join(folder, 'data'), '--listen', `127.0.0.1:${port}`];
    const served = new Served(folder, port, localAgent ? words : [...words, '--no-local-agent']);
    await served.#settle(localAgent ? 1 : 0).catch(async (error: unknown) => {
      await served[Symbol.asyncDispose]();
      throw error;
    });
    return served;
  }

  get data(): string {
    return join(this.folder, 'data');
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** What it told its operator. */
  get said(): string {
    return this.#program.stderr;
  }

  /** A command line about this server, by its data folder. */
  words(...words: readonly string[]): readonly string[] {
    return [...words, '--data', this.data];
  }

  async token(): Promise<string> {
    return (await readFile(join(this.data, 'api-token'), 'utf8')).trim();
  }

  /** A request under /api/v1, with the token and, where there is a body, as JSON. */
  async ask(method: string, path: string, body?: unknown): Promise<Answer> {
    const response = await fetch(`${this.url}/api/v1${path}`, {
      method,
      headers: { Authorization: `Bearer ${await this.token()}`, 'Content-Type': 'application/json' },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Answer['body'] };
  }

  /** Ends it as an operator would. */
  async stop(): Promise<void> {
    this.#program.signal('SIGTERM');
    await this.#program.end();
  }

  /** After a stop, in the same folder on the same port. */
  async startAgain(): Promise<void> {
    this.#program = new Watchkeeper(this.#words);
    await this.#settle(this.#words.includes('--no-local-agent') ? 0 : 1);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Politely: the local agent of a killed server ends as well, but only a moment later.
    this.#program.signal('SIGTERM');
    await this.#program.end();
    await removeFolder(this.folder);
  }

  async #settle(online: number): Promise<void> {
    await eventually(`the server with ${online} agents online`, async () => {
      const { body } = await this.ask('GET', '/agents');
      const agents = body['agents'] as readonly { status: string }[];
      return agents.filter(({ status }) => status === 'online').length >= online;
    }).catch((cause: unknown) => {
      throw new Error(`the server did not start; it said:\n${this.said}`, { cause });
    });
  }
}

export interface Answer {
  readonly status: number;
  /** Each test knows what it asked for. */
  // oxlint-disable-next-line typescript/no-explicit-any -- what a stranger would see of the interface: JSON
  readonly body: any;
}
