import { AgentFolder, type AgentFile } from '../../agent/agent-file.ts';
import { usualRules } from '../../agent/local-rules.ts';
import { Agent } from '../../agent/agent.ts';
import { SelfTest } from '../../agent/self-test.ts';
import { runSpool } from '../../agent/spool/body.ts';
import type { SpoolReply, SpoolRequest } from '../../agent/spool/messages.ts';
import { spoolOver } from '../../agent/spool/spool.ts';
import type { Task } from '../../core/task.ts';
import { parseJoinToken } from '../../protocol/join-token.ts';
import { LagGuard } from '../../schedule/lag.ts';
import { SimulatedDisk } from '../simulated-disk.ts';
import { LazyTicks } from './lazy-ticks.ts';
import { processDisk } from './process-disk.ts';
import { simulatedDialler, type SimulatedListener } from './simulated-dialler.ts';
import { FolderContent, simulatedFiles } from './simulated-files.ts';
import type { SimulatedLine } from './simulated-line.ts';
import { SimulatedLink } from './simulated-link.ts';
import { MachineClock, SimulatedProcess } from './simulated-process.ts';
import { simulatedNetwork, type SimulatedTargets } from './simulated-targets.ts';
import { simulatedThread } from './simulated-thread.ts';
import type { World } from './world.ts';

/** Sees what an agent records, when it is on its disk. */
export interface AgentWitness {
  onRequest(machine: AgentMachine, life: AgentLife, request: SpoolRequest): void;
  onReply(machine: AgentMachine, life: AgentLife, reply: SpoolReply): void;
  /** The agent runs these tasks from now on. */
  onTasks(machine: AgentMachine, life: AgentLife, tasks: readonly Task[]): void;
  onStarted(machine: AgentMachine, life: AgentLife): void;
  /** The process was stopped and is about to go on. */
  onPaused(life: AgentLife): void;
  onEnded(machine: AgentMachine, life: AgentLife): void;
}

interface MachineParts {
  readonly world: World;
  readonly name: string;
  readonly identity: AgentFile;
  readonly listener: SimulatedListener;
  readonly targets: SimulatedTargets;
  readonly witness: AgentWitness;
  readonly startsAt: number;
  /** Why its spool must begin a new epoch. */
  readonly renewal?: 'copied' | undefined;
}

/** One run of the agent's process. */
export interface AgentLife {
  readonly id: number;
  readonly process: SimulatedProcess;
  readonly startedMs: number;
  agent: Agent | undefined;
  /** Entries that its spool had when it last said something. */
  waiting: number;
  isStopping: boolean;
}

const spoolSizes = { limitBytes: 6 * 1024 ** 2, memoryBytes: 2 * 1024 ** 2 };
const diskBytes = 24 * 1024 ** 2;
const serverUrl = new URL('https://server.example:7411');

/** The machine of one agent: its disk, its files and its clocks outlive the process. */
export class AgentMachine {
  readonly name: string;
  readonly agentId: string;
  readonly link: SimulatedLink;
  readonly clock: MachineClock;
  disk = new SimulatedDisk();
  files = new FolderContent();
  hasPower = true;
  life: AgentLife | undefined;
  /** The tasks that it runs, or ran last. */
  tasks: readonly Task[] = [];
  /** When it was invited last. */
  joinedMs = 0;
  /** Connections that are open or were. */
  lines: SimulatedLine[] = [];
  readonly #parts: MachineParts;
  #lives = 0;
  #endedMs = 0;

  constructor(parts: MachineParts) {
    const { world, name, identity, startsAt } = parts;
    this.#parts = parts;
    this.name = name;
    this.agentId = identity.agentId;
    this.link = new SimulatedLink(world);
    this.clock = new MachineClock(world, startsAt);
    this.disk.capacityBytes = diskBytes;
    this.files.set('agent.json', JSON.stringify(identity));
  }

  get isRunning(): boolean {
    return this.life?.process.isAlive ?? false;
  }

  /** The join token that an administrator gave for this machine. */
  invite(token: string): void {
    this.joinedMs = this.#parts.world.nowMs;
    const { pin, secret } = parseJoinToken(token) ?? { pin: '', secret: '' };
    const folder = new AgentFolder(simulatedFiles(this.files, new SimulatedProcess(this.#parts.world, 'invitation')));
    folder.saveIdentity({ ...folder.identity(this.name), serverPin: pin, secret });
  }

  /** Who it is, as its folder has it. */
  identity(): AgentFile {
    return new AgentFolder(simulatedFiles(this.files, new SimulatedProcess(this.#parts.world, 'reader'))).identity(
      this.name,
    );
  }

  /** What the server called it last. */
  toldName(): string {
    return this.identity().name;
  }

  /** How long nothing of it can have reached the server. */
  goneForMs(): number {
    const endedForMs = this.isRunning ? 0 : this.#parts.world.nowMs - this.#endedMs;
    return Math.max(endedForMs, this.life?.process.pausedForMs ?? 0, this.link.cutForMs);
  }

  boot(): void {
    if (this.isRunning) return;
    const { world, witness } = this.#parts;
    if (!this.hasPower) this.clock.reboot();
    this.hasPower = true;
    const process = new SimulatedProcess(world, `${this.name}-${++this.#lives}`);
    const life: AgentLife = {
      id: world.nextNumber(),
      process,
      startedMs: world.nowMs,
      agent: undefined,
      waiting: 0,
      isStopping: false,
    };
    this.life = life;
    world.note(`${process.name} starts`);
    process.onEnd(() => {
      this.#endedMs = world.nowMs;
      witness.onEnded(this, life);
    });
    witness.onStarted(this, life);
    this.#runs(life, this.files.get('tasks.json') ?? '[]');
    this.files.onReplace = (name, text) => {
      // The agent writes its tasks whenever they change.
      if (name === 'tasks.json' && process.isAlive) this.#runs(life, text);
    };
    this.#start(life).catch((error: unknown) => {
      if (process.isAlive) world.find('no exception', `${process.name} cannot start: ${String(error)}`);
      process.kill();
    });
  }

  /** Ends as by SIGTERM. */
  async stop(): Promise<void> {
    const { life } = this;
    if (!life?.agent || life.isStopping) return;
    life.isStopping = true;
    await life.agent.stop();
    life.process.kill();
  }

  kill(): void {
    this.life?.process.kill();
  }

  /** What was not synced is there or not. */
  powerCut(): void {
    this.hasPower = false;
    this.kill();
    this.disk.powerCut(this.#parts.world.random);
  }

  resume(how: { readonly wasAsleep?: boolean } = {}): void {
    const { life } = this;
    if (!life?.process.isPaused) return;
    this.#parts.witness.onPaused(life);
    if (how.wasAsleep) this.clock.slept(life.process.pausedForMs);
    life.process.resume(how);
  }

  emptySpool(): void {
    const { capacityBytes } = this.disk;
    this.disk = new SimulatedDisk();
    this.disk.capacityBytes = capacityBytes;
  }

  /** Link and disk are as they should be, and a process that was stopped goes on. */
  mend(): void {
    this.link.heal();
    this.resume();
    this.life?.process.dieAfter(Infinity);
    this.disk.onOperation = () => {};
    this.disk.capacityBytes = diskBytes;
    this.files.fault = undefined;
  }

  #runs(life: AgentLife, tasksJson: string): void {
    this.tasks = JSON.parse(tasksJson) as Task[];
    this.#parts.witness.onTasks(this, life, this.tasks);
  }

  async #start(life: AgentLife): Promise<void> {
    const { world, listener, targets, witness, renewal } = this.#parts;
    const { process } = life;
    const clock = process.clock(this.clock);
    const folder = new AgentFolder(simulatedFiles(this.files, process));
    const file = folder.identity(this.name);
    const net = simulatedNetwork({ process, machine: this.clock, targets, agentId: file.agentId });
    const random = (): number => world.random();
    const disk = processDisk(this.disk, process);
    const thread = simulatedThread<SpoolRequest, SpoolReply>(
      process,
      (port) => runSpool(port, { ...spoolSizes, disk, clock, random, renewal }),
      {
        onRequest: (request) => witness.onRequest(this, life, request),
        onReply: (reply) => {
          if ('stats' in reply) life.waiting = reply.stats.depth;
          witness.onReply(this, life, reply);
        },
      },
    );
    const spool = await spoolOver(thread, { ...spoolSizes, clock, onChange: () => life.agent?.onSpoolChange() });
    const dialler = simulatedDialler({
      process,
      link: this.link,
      listener,
      hasKernel: () => this.hasPower,
      onOpened: (line) => this.#opened(line),
    });
    const delay = { enable() {}, disable() {}, reset() {}, maxMs: 0 };
    const selfTest = new SelfTest({ clock, delay, checks: { gateway: async () => undefined } });
    const lag = new LagGuard(new LazyTicks(process, this.clock));
    const heard = {
      onLink: ({ state }: { readonly state: string }) => world.note(`${process.name} is ${state}`),
      onOrder: () => {},
      onFault: (text: string) => world.note(`${process.name} says ${text}`),
    };
    const parts = { clock, dialler, net, folder, file, spool, selfTest, lag, ...heard };
    life.agent = new Agent({
      ...parts,
      machine: this.clock.time,
      sensorTypes: [],
      rules: usualRules,
      version: 'simulated',
      random,
    });
    life.agent.start();
    life.agent.uplink.dial(serverUrl);
  }

  #opened(line: SimulatedLine): void {
    this.lines = [...this.lines.filter(({ isOver }) => !isOver), line];
  }
}
