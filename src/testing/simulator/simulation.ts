import { DamagedHours } from '../../server/store/sqlite/damaged-hours.ts';
import { HistoryReader } from '../../server/store/sqlite/history.ts';
import type { MonitorSpec } from '../../core/monitor-spec.ts';
import type { Task } from '../../core/task.ts';
import { createIdentity } from '../../protocol/identity.ts';
import { AgentMachine, type AgentLife, type AgentWitness } from './agent-machine.ts';
import { EntryWitness, keyOf, type Appended, type Kept } from './entry-witness.ts';
import { ServerMachine } from './server-machine.ts';
import { ShownWitness } from './shown-witness.ts';
import { SimulatedTargets } from './simulated-targets.ts';
import { SlotWitness } from './slot-witness.ts';
import type { World } from './world.ts';

const startsAt = Date.UTC(2026, 0, 1);
const endOfTimeMs = Date.UTC(2101, 0, 1);
const inviteMs = 600_000;
/** Entries that are on their way at any moment. */
const mayWait = 60;

/** A server and its agents in one world, an administrator, and the witnesses of what happens. */
export class Simulation implements AgentWitness {
  readonly world: World;
  readonly targets: SimulatedTargets;
  readonly server: ServerMachine;
  readonly machines: AgentMachine[] = [];
  readonly entries: EntryWitness;
  readonly slots: SlotWitness;
  readonly shown: ShownWitness;
  /** Agents that are revoked, and monitors that are paused, by what the administrator said. */
  readonly revoked = new Set<string>();
  readonly paused = new Set<string>();
  /** Names as the administrator gave them, by agent id. */
  readonly names = new Map<string, string>();
  /** Agents whose clock was set back. */
  readonly #setBack = new Set<string>();
  #clocksWereSet = false;

  constructor(world: World) {
    this.world = world;
    this.targets = new SimulatedTargets(world);
    this.entries = new EntryWitness(world);
    this.slots = new SlotWitness(world);
    this.server = new ServerMachine(world, {
      onStarted: (server) => {
        this.shown.onStarted(server);
        this.#checkNewestAtStart();
      },
    });
    this.shown = new ShownWitness({
      world,
      server: this.server,
      entries: this.entries,
      agents: () => this.machines.filter(({ agentId }) => this.names.has(agentId) && !this.revoked.has(agentId)),
      isWanted: ({ agentId }, monitor) => this.isWanted(agentId, monitor),
      clocksWereSet: () => this.#clocksWereSet,
    });
  }

  isWanted(agentId: string, { id, agents }: MonitorSpec): boolean {
    const name = this.names.get(agentId) ?? '';
    return !this.revoked.has(agentId) && !this.paused.has(id) && (agents === undefined || agents.includes(name));
  }

  addMachine(name: string): AgentMachine {
    const { world, targets, server: listener } = this;
    const identity = { agentId: world.newId(), name, ...createIdentity() };
    const machine = new AgentMachine({ world, name, identity, listener, targets, witness: this, startsAt });
    this.machines.push(machine);
    return machine;
  }

  /** The administrator invites a machine, and it starts. */
  async join(machine: AgentMachine): Promise<void> {
    const { server } = this.server;
    if (!server) return;
    const { token } = await server.administration.invite({ lifetimeMs: inviteMs });
    machine.invite(token);
    this.names.set(machine.agentId, machine.name);
    machine.boot();
  }

  /** What a right clock shows. */
  trueMs(): number {
    return startsAt + this.world.nowMs;
  }

  setClock(machine: AgentMachine, toMs: number): void {
    const beforeMs = machine.clock.now();
    machine.clock.set(toMs);
    this.#clocksWereSet = true;
    if (toMs < beforeMs) this.#setBack.add(machine.agentId);
    if (machine.life?.process.isAlive) this.slots.onClockSet(machine, machine.life);
  }

  /** The administrator changes the configuration file, and says so to the server. */
  reload(monitors: readonly MonitorSpec[]): void {
    this.server.monitors = monitors;
    this.shown.changedMs = this.world.nowMs;
    this.#ask(() => this.server.server?.book.replaceFile(monitors));
  }

  pause(monitorId: string, isPaused: boolean): void {
    const { server } = this.server;
    if (!server || !this.server.monitors.some(({ id }) => id === monitorId)) return;
    this.shown.changedMs = this.world.nowMs;
    if (isPaused) this.paused.add(monitorId);
    else this.paused.delete(monitorId);
    this.#ask(() => server.book.pause(monitorId, isPaused));
  }

  runNow(machine: AgentMachine): boolean {
    const { server } = this.server;
    const task = this.world.oneOf(machine.tasks);
    if (!server || !task) return false;
    this.#ask(() => server.runs.run({ agentId: machine.agentId, taskId: task.id, waitMs: 0 }));
    return true;
  }

  rename(machine: AgentMachine): boolean {
    const { server } = this.server;
    if (!server || !this.names.has(machine.agentId)) return false;
    const [first, second] = [`seat-${this.world.pick(6) + 1}`, `room-${this.world.pick(6) + 1}`];
    const name = this.world.random() < 0.7 ? first : second;
    this.shown.changedMs = this.world.nowMs;
    this.#ask(async () => {
      await server.administration.rename(machine.agentId, name);
      this.names.set(machine.agentId, name);
      this.shown.changedMs = this.world.nowMs;
    });
    return true;
  }

  setServerClock(toMs: number): void {
    this.#clocksWereSet = true;
    this.server.clock.set(toMs);
  }

  /** Ends all trouble: links, disks and clocks are as they should be, and everything runs. */
  mend(): void {
    this.server.clock.set(this.trueMs());
    this.server.running?.resume();
    this.server.running?.dieAfter(Infinity);
    for (const monitorId of this.paused) this.pause(monitorId, false);
    for (const machine of this.machines) {
      machine.mend();
      machine.clock.drift(0);
      this.setClock(machine, this.trueMs());
    }
    // Again a little later, for those that were about to end.
    for (const delayMs of [0, 3000])
      this.world.after(delayMs, () => {
        this.server.boot();
        for (const machine of this.machines) machine.boot();
      });
    // What was changed while the server was away it reads at its start; what was changed halfway it reads again.
    this.world.after(30_000, () => {
      this.reload(this.server.monitors);
      for (const monitorId of this.paused) this.pause(monitorId, false);
    });
  }

  /** What an administrator asks may be refused, or come to nothing when the server dies. */
  #ask(work: () => Promise<unknown> | undefined): void {
    work()?.catch((error: unknown) => this.world.note(`refused: ${String(error)}`));
  }

  onRequest(machine: AgentMachine, life: AgentLife, request: Parameters<AgentWitness['onRequest']>[2]): void {
    for (const item of this.entries.onRequest(machine.agentId, life, request)) this.slots.onResult(life, item);
  }

  onReply(_machine: AgentMachine, life: AgentLife, reply: Parameters<AgentWitness['onReply']>[2]): void {
    this.entries.onReply(life, reply);
  }

  onTasks(machine: AgentMachine, life: AgentLife, tasks: readonly Task[]): void {
    this.slots.onTasks(machine, life, tasks);
  }

  onPaused(life: AgentLife): void {
    this.slots.onPaused(life);
  }

  onEnded(machine: AgentMachine, life: AgentLife): void {
    this.slots.onEnded(machine, life);
  }

  /** What the store has. */
  kept(): Kept {
    const db = this.server.database;
    if (!db) return { results: [], gapsOf: () => [], missing: [] };
    const history = new HistoryReader(db, new DamagedHours(db, () => {}));
    const tasks = db.prepare('SELECT taskId FROM series').all();
    const results = tasks.flatMap(({ taskId }) =>
      history.results({ taskId: String(taskId), from: 0, to: endOfTimeMs, limit: 100_000 }),
    );
    return { results, gapsOf: (agentId) => history.gaps(agentId), missing: history.missing() };
  }

  /** What a server that has just started shows: open for agents whose clock was set back, see SE3 in docs/simulation.md. */
  #checkNewestAtStart(): void {
    this.shown.checkNewest(new Set(this.kept().results.map(keyOf)), ({ agentId }) => this.#setBack.has(agentId));
  }

  /** To be called when all faults have ended and everything has had time to settle. */
  check(): void {
    const { world } = this;
    const kept = this.kept();
    this.entries.check(kept);
    this.slots.check(this.machines);
    const running = new Set(this.machines.flatMap(({ tasks }) => tasks.map(({ id }) => id)));
    const isGone = ({ agentId, item }: Appended): boolean => this.#setBack.has(agentId) && !running.has(item.taskId);
    this.shown.checkNewest(new Set(kept.results.map(keyOf)), isGone);
    this.shown.checkWell();
    this.#checkOwners();
    for (const { name, life } of this.machines)
      if (life?.process.isAlive && life.waiting > mayWait)
        world.find('what waits is sent', `${name} still has entries`);
  }

  /** Nobody has a task of another, or of a monitor that is not his to run. */
  #checkOwners(): void {
    const owners = this.server.database?.prepare('SELECT id, agentId FROM tasks').all() ?? [];
    const ownerOf = new Map(owners.map(({ id, agentId }) => [String(id), String(agentId)]));
    const monitors = new Map(this.server.monitors.map((monitor) => [monitor.id, monitor]));
    for (const machine of this.machines.filter(({ isRunning }) => isRunning)) {
      for (const task of machine.tasks) {
        const monitor = monitors.get(task.monitorId);
        const isRight =
          ownerOf.get(task.id) === machine.agentId &&
          monitor &&
          (this.isWanted(machine.agentId, monitor) || task.paused);
        if (!isRight && !this.revoked.has(machine.agentId))
          this.world.find("nobody gets another's task", `${machine.name} has ${task.monitorName} (${task.id})`);
      }
    }
  }
}
