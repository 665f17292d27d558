import { writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { folderFiles } from '../adapters/folder-files.ts';
import { AgentFolder } from '../agent/agent-file.ts';
import { readStatus, type AgentStatusReport } from '../agent/status-file.ts';
import type { AgentAnswer } from '../server/routes/agents.ts';
import type { ResultAnswer } from '../server/routes/tasks.ts';
import { eventually } from './eventually.ts';
import { Oracle } from './oracle.ts';
import { Program } from './program.ts';
import type { Leaf, StarLab } from './star-lab.ts';
import { closedPort } from './tcp-server.ts';
import { removeFolder } from './remove-folder.ts';

export interface FleetPlan {
  readonly agents: number;
  /** Each asks the oracle for a path of its own every second. */
  readonly monitorsPerAgent: number;
  /** The server is its first host, the oracle its second, the agents are the others; without it all is on loopback. */
  readonly lab?: StarLab;
  /** The agents listen and the server calls them, instead of the other way round. */
  readonly areCalled?: boolean;
  /** The server has its own vantage point, with as many monitors as the others. */
  readonly hasLocalAgent?: boolean;
  /** Where an agent keeps its data, and what its environment has besides. */
  readonly agentData?: string;
  readonly agentEnv?: Readonly<Record<string, string>>;
  /** What the server's file has under `sensors:`; see `watch`. */
  readonly sensors?: readonly object[];
}

export interface FleetAgent {
  readonly name: string;
  readonly folder: string;
  readonly program: Program;
  readonly leaf: Leaf | undefined;
}

/** One server, its agents and the oracle they watch: real processes that can be cut off, frozen and killed. */
export class Fleet implements AsyncDisposable {
  readonly oracle: Oracle;
  readonly agents: readonly FleetAgent[];
  readonly server: Program;
  /** Where the server listens from its next start on. */
  port: number;
  readonly #plan: FleetPlan;
  readonly #folder: string;
  readonly #usualPort: number;
  readonly #tokens = new Map<string, string>();
  #sensors: readonly object[];
  #isPaused = false;
  /** How the server is to call each agent that listens. */
  readonly #called: string[] = [];

  private constructor(
    plan: FleetPlan,
    parts: { readonly folder: string; readonly oracle: Oracle; readonly port: number },
  ) {
    this.#plan = plan;
    this.#sensors = plan.sensors ?? [];
    this.#folder = parts.folder;
    this.oracle = parts.oracle;
    this.port = parts.port;
    this.#usualPort = parts.port;
    this.server = new Program(() => this.#serverWords(), { host: this.serverLeaf });
    this.agents = Array.from({ length: plan.agents }, (_, index) => this.#agent(index));
  }

  /** Starts the server and its agents, and waits until each has checked something and has nothing left to hand over. */
  static async open(plan: FleetPlan): Promise<Fleet> {
    const folder = await mkdtemp(join(tmpdir(), 'watchkeeper-fleet-'));
    const oracleLeaf = plan.lab?.leaves[1];
    const oracle = await Oracle.open(oracleLeaf?.address ?? '127.0.0.1', oracleLeaf);
    const fleet = new Fleet(plan, { folder, oracle, port: plan.lab ? 7411 : await closedPort() });
    try {
      await fleet.#start();
    } catch (error) {
      const said = [fleet.server, ...fleet.agents.map(({ program }) => program)].map((program) => program.said);
      await fleet[Symbol.asyncDispose]();
      throw new Error(`The fleet did not come up. ${said.join('\n')}`, { cause: error });
    }
    return fleet;
  }

  get serverLeaf(): Leaf | undefined {
    return this.#plan.lab?.leaves[0];
  }

  /** The file with all the server keeps. */
  get database(): string {
    return join(this.#folder, 'server', 'watchkeeper.db');
  }

  /** Where the server keeps all it has. */
  get serverFolder(): string {
    return join(this.#folder, 'server');
  }

  get localAgentFolder(): string {
    return join(this.#folder, 'server', 'local-agent');
  }

  /** Every agent's name and folder, the server's own included. */
  get everyAgent(): readonly Pick<FleetAgent, 'name' | 'folder'>[] {
    const local = { name: 'local', folder: this.localAgentFolder };
    return this.#plan.hasLocalAgent ? [...this.agents, local] : this.agents;
  }

  /** Asks the server over its admin socket. The answer is what the route's schema says. */
  async ask<Answer>(path: string, body?: object): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const options = { socketPath: join(this.#folder, 'server', 'admin.sock'), path: `/api/v1${path}`, timeout: 10_000 };
    const headers = { 'Content-Type': 'application/json' };
    request({ ...options, headers, method: body ? 'POST' : 'GET' }, (response) => {
      const failed = new Error(`${path} was answered with ${response.statusCode}`);
      void text(response).then(
        (answer) => ([200, 201].includes(response.statusCode ?? 0) ? resolve(answer) : reject(failed)),
        reject,
      );
    })
      .once('error', reject)
      .once('timeout', () => reject(new Error(`${path} was not answered`)))
      .end(body && JSON.stringify(body));
    return JSON.parse(await promise) as Answer;
  }

  /** As the server sees it; undefined if it never joined. */
  async view(name: string): Promise<AgentAnswer | undefined> {
    const { agents } = await this.ask<{ readonly agents: readonly AgentAnswer[] }>('/agents');
    return agents.find((agent) => agent.name === name);
  }

  /** What the server believes to be each task's newest result. */
  async latest(): Promise<readonly ResultAnswer[]> {
    const { tasks } = await this.ask<{ readonly tasks: readonly { readonly latest: ResultAnswer | null }[] }>('/tasks');
    return tasks.flatMap(({ latest }) => latest ?? []);
  }

  async untilAnswering(): Promise<void> {
    try {
      await eventually('the server answers', () => this.ask('/agents'));
    } catch (error) {
      throw new Error(`The server does not answer. It said:\n${this.server.said}`, { cause: error });
    }
  }

  /** Waits until the server has a line to each of them; one that was frozen calls itself impaired for a while. */
  async untilConnected(names = this.everyAgent.map(({ name }) => name)): Promise<void> {
    const isThere = async (name: string): Promise<boolean> =>
      ['online', 'impaired'].includes((await this.view(name))?.status ?? '');
    for (const name of names) await eventually(`${name} is connected`, () => isThere(name));
  }

  /** The agent's own word on what it recorded, taken from its folder. */
  status({ name, folder }: Pick<FleetAgent, 'name' | 'folder'>): AgentStatusReport {
    const report = readStatus(folder);
    if (report) return report;
    throw new Error(`${name} has written no status`);
  }

  /** How often the oracle was asked by the monitors of this agent. */
  visits(name: string): number {
    return this.monitorsOf(name).reduce((sum, monitor) => sum + this.oracle.visits(`/${monitor}`).length, 0);
  }

  monitorsOf(name: string): readonly string[] {
    return Array.from({ length: this.#plan.monitorsPerAgent }, (_, index) => `${name}-${index + 1}`);
  }

  /** Stops every schedule and waits until each agent says that the server has all it recorded. */
  async settle(): Promise<void> {
    this.#isPaused = true;
    this.#configure();
    await this.untilAnswering();
    this.server.signal('SIGHUP');
    await Promise.all(this.everyAgent.map((agent) => this.#untilSettled(agent)));
  }

  /** Lets the schedules go on. */
  resume(): void {
    this.#isPaused = false;
    this.#configure();
    this.server.signal('SIGHUP');
  }

  /** Makes this what the server's file has under `sensors:`. */
  watch(sensors: readonly object[]): void {
    this.#sensors = sensors;
    this.#configure();
    this.server.signal('SIGHUP');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // One that is frozen is ended all the same.
    await Promise.all([this.server, ...this.agents.map(({ program }) => program)].map((program) => program.kill()));
    await this.oracle[Symbol.asyncDispose]();
    await removeFolder(this.#folder);
  }

  async #start(): Promise<void> {
    if (this.#plan.areCalled) await this.#startCalled();
    this.#configure();
    this.server.start();
    await this.untilAnswering();
    if (!this.#plan.areCalled) await this.#startJoining();
    for (const { name } of this.everyAgent) await eventually(`${name} checks`, () => this.visits(name) > 0);
    await this.untilConnected();
  }

  async #untilSettled(agent: Pick<FleetAgent, 'name' | 'folder'>): Promise<void> {
    const before = this.status(agent).writtenAt;
    const pausedAt = await eventually(`${agent.name} pauses`, () => {
      const { writtenAt } = this.status(agent);
      const tasks = new AgentFolder(folderFiles(agent.folder)).tasks();
      return writtenAt !== before && tasks.every(({ paused }) => paused) && writtenAt;
    });
    // In a later report, so that no result is on its way into the spool.
    const isDone = (): boolean => {
      const { queue, writtenAt } = this.status(agent);
      return writtenAt !== pausedAt && queue.depth === 0;
    };
    await eventually(`${agent.name} has handed everything over`, isDone);
  }

  /** Each says on its first start how the server is to call it. */
  async #startCalled(): Promise<void> {
    for (const { program } of this.agents) program.start();
    const entries = this.agents.map(({ program }) =>
      eventually('the agent says how to call it', () => /agents: \[(.*)\]/.exec(program.said)?.[1]),
    );
    this.#called.push(...(await Promise.all(entries)));
  }

  async #startJoining(): Promise<void> {
    for (const { name, program } of this.agents) {
      const { token } = await this.ask<{ readonly token: string }>('/invites', {});
      this.#tokens.set(name, token);
      program.start();
    }
  }

  #agent(index: number): FleetAgent {
    const name = `agent-${index + 1}`;
    const folder = this.#plan.agentData ?? join(this.#folder, name);
    const leaf = this.#plan.lab?.leaves[index + 2];
    const words = (): string[] => ['agent', ...this.#lineWords(name, leaf), '--name', name, '--data', folder];
    return { name, folder, leaf, program: new Program(words, { host: leaf, env: this.#plan.agentEnv }) };
  }

  /** Also a token that is used up: it stays in whatever starts an agent, and must do no harm. */
  #lineWords(name: string, leaf: Leaf | undefined): string[] {
    if (this.#plan.areCalled) return ['--listen', `${leaf?.address ?? '127.0.0.1'}:7412`];
    const url = `${leaf ? 'https' : 'http'}://${this.#address}:${this.#usualPort}`;
    return ['--join', url, '--token', this.#tokens.get(name) ?? ''];
  }

  #serverWords(): string[] {
    const { hasLocalAgent } = this.#plan;
    const where = ['--config', this.#config, '--data', join(this.#folder, 'server')];
    const listen = ['--listen', `${this.#address}:${this.port}`];
    return ['serve', ...where, ...listen, ...(hasLocalAgent ? [] : ['--no-local-agent'])];
  }

  get #address(): string {
    return this.serverLeaf?.address ?? '127.0.0.1';
  }

  get #config(): string {
    return join(this.#folder, 'server.yaml');
  }

  #configure(): void {
    const monitors = this.everyAgent.flatMap(({ name }) =>
      this.monitorsOf(name).map((monitor) => ({
        name: monitor,
        type: 'http',
        target: `${this.oracle.url}/${monitor}`,
        interval: '1s',
        agents: [name],
        paused: this.#isPaused,
      })),
    );
    // JSON is YAML, and so is what the agents that are called printed.
    const sections = [
      `monitors: ${JSON.stringify(monitors)}`,
      `agents: [${this.#called.join(', ')}]`,
      `sensors: ${JSON.stringify(this.#sensors)}`,
    ];
    writeFileSync(this.#config, sections.join('\n'));
  }
}
