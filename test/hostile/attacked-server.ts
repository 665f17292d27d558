import { mkdtemp, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { AgentAnswer } from '../../src/server/routes/agents.ts';
import { eventually } from '../../src/testing/eventually.ts';
import { Program } from '../../src/testing/program.ts';
import { closedPort } from '../../src/testing/tcp-server.ts';
import { removeFolder } from '../../src/testing/remove-folder.ts';

interface Plan {
  /** YAML; the local agent watches something every second unless told otherwise. */
  readonly configuration?: string;
  /** Its data folder, made before; its own otherwise. */
  readonly data?: string;
  readonly host?: string;
  readonly flags?: readonly string[];
  /** How many files and sockets it may have open. */
  readonly descriptors?: number;
}

/** `watchkeeper serve` as a real process with a local agent that works all the time: what happens to it is what an attack does to others. */
export class AttackedServer implements AsyncDisposable {
  readonly folder: string;
  readonly port: number;
  readonly program: Program;
  readonly #plan: Plan;

  private constructor(plan: Plan, folder: string, port: number) {
    this.#plan = plan;
    this.folder = folder;
    this.port = port;
    const where = ['--config', this.configFile, '--data', this.data, '--listen', `${this.host}:${port}`];
    this.program = new Program(() => ['serve', ...where, ...(plan.flags ?? [])], {
      descriptors: plan.descriptors,
    });
  }

  static async open(plan: Plan = {}): Promise<AttackedServer> {
    const server = await AttackedServer.prepare(plan);
    server.program.start();
    await server.untilAnswering();
    return server;
  }

  /** Everything but started. */
  static async prepare(plan: Plan = {}): Promise<AttackedServer> {
    const folder = await mkdtemp(join(tmpdir(), 'watchkeeper-attacked-'));
    const server = new AttackedServer(plan, folder, await closedPort());
    await server.configure(plan.configuration ?? monitorsText(['steady'], server.port));
    return server;
  }

  get host(): string {
    return this.#plan.host ?? '127.0.0.1';
  }

  get data(): string {
    return this.#plan.data ?? join(this.folder, 'server');
  }

  get url(): string {
    return `http://${this.host}:${this.port}`;
  }

  get configFile(): string {
    return join(this.folder, 'server.yaml');
  }

  /** What it wrote for the operator. */
  get said(): string {
    return this.program.said;
  }

  async configure(text: string): Promise<void> {
    await writeFile(this.configFile, text);
  }

  async untilAnswering(): Promise<void> {
    await eventually('the server answers', () => this.ask('/agents'));
  }

  /** Over the admin socket. */
  async ask<Answer>(path: string, body?: object): Promise<Answer> {
    return JSON.parse(await this.get(`/api/v1${path}`, body)) as Answer;
  }

  async get(path: string, body?: object): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const options = { socketPath: join(this.data, 'admin.sock'), path, method: body ? 'POST' : 'GET', timeout: 10_000 };
    request({ ...options, headers: { 'Content-Type': 'application/json' } }, (response) => {
      void text(response).then((answer) =>
        (response.statusCode ?? 500) < 300 ? resolve(answer) : reject(new Error(`${response.statusCode} ${answer}`)),
      );
    })
      .once('error', reject)
      .once('timeout', () => reject(new Error(`${path} was not answered`)))
      .end(body && JSON.stringify(body));
    return await promise;
  }

  async invite(lifetimeMs = 60_000): Promise<string> {
    return (await this.ask<{ readonly token: string }>('/invites', { lifetimeMs })).token;
  }

  async agent(name: string): Promise<AgentAnswer | undefined> {
    const { agents } = await this.ask<{ readonly agents: readonly AgentAnswer[] }>('/agents');
    return agents.find((agent) => agent.name === name);
  }

  /** A sample of /metrics, named as there. The page is made once a second: this is one made after the question. */
  async metric(name: string): Promise<number> {
    const page = async (): Promise<string> => await (await fetch(`${this.url}/metrics`)).text();
    const last = await page();
    const metrics = await eventually('a new page', async () => {
      const next = await page();
      return next !== last && next;
    });
    const line = metrics.split('\n').find((line) => line.startsWith(`${name} `));
    return Number(line?.slice(name.length + 1));
  }

  faults(code: string): Promise<number> {
    return this.metric(`watchkeeper_faults_total{code="${code}"}`);
  }

  /** Waits for more results of the local agent than there are now: nothing that happened before has harmed it. */
  async untilOthersGoOn(): Promise<void> {
    const before = await this.metric('watchkeeper_results_total');
    await eventually('results flow', async () => (await this.metric('watchkeeper_results_total')) > before + 1);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.program.stop();
    await removeFolder(this.folder);
  }
}

export function monitorsText(names: readonly string[], port: number): string {
  return JSON.stringify({
    monitors: names.map((name) => ({ name, type: 'tcp', target: `127.0.0.1:${port}`, interval: '1s' })),
    // Its own ports are no targets otherwise.
    egress: { allow: [`127.0.0.1:${port}`] },
  });
}

/** How often a text comes in another. */
export function countOf(pattern: RegExp, text: string): number {
  return text.match(new RegExp(pattern, 'g'))?.length ?? 0;
}
