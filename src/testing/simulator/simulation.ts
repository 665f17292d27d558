import { DamagedHours } from '../../server/store/sqlite/damaged-hours.ts';
import { HistoryReader } from '../../server/store/sqlite/history.ts';
import type { Task } from '../../core/task.ts';
import { createIdentity } from '../../protocol/identity.ts';
import { AbsenceWitness } from './absence-witness.ts';
import { Administrator } from './administrator.ts';
import { AgentMachine, type AgentLife, type AgentWitness } from './agent-machine.ts';
import { EntryWitness, type AppendedResult } from './entry-witness.ts';
import { KeptResults } from './kept-results.ts';
import { ServerMachine } from './server-machine.ts';
import { ShownWitness } from './shown-witness.ts';
import { SimulatedTargets } from './simulated-targets.ts';
import { SlotWitness } from './slot-witness.ts';
import type { World } from './world.ts';

const startsAt = Date.UTC(2026, 0, 1);
/** Those that were revoked are brought back as soon as the server listens, and again if it did not. */
const bringBackMs = [3000, 30_000, 60_000];
/** What a copy said last, and that it is gone, is known by then. */
const copySettlesMs = 60_000;
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
  readonly absences: AbsenceWitness;
  readonly shown: ShownWitness;
  readonly administrator: Administrator;
  readonly #copies = new Map<AgentMachine, { readonly sinceMs: number; readonly knowsIt: boolean }>();
  /** When the last copy of an agent ended, by agent id. */
  readonly #copiedMs = new Map<string, number>();
  /** Agents whose clock was set back. */
  readonly #setBack = new Set<string>();
  /** Since when two machines gave the same numbers away and neither knew: what one had sent is taken for what the other did. */
  readonly #sharedMs = new Map<string, number>();
  #clocksWereSet = false;

  constructor(world: World) {
    this.world = world;
    this.targets = new SimulatedTargets(world);
    this.entries = new EntryWitness(world);
    this.slots = new SlotWitness(world);
    this.absences = new AbsenceWitness(world);
    this.server = new ServerMachine(world, {
      onStarted: (server) => {
        this.shown.onStarted(server);
        this.#checkNewestAtStart();
      },
    });
    this.administrator = new Administrator(world, this.server);
    this.shown = new ShownWitness({
      world,
      server: this.server,
      entries: this.entries,
      administrator: this.administrator,
      agents: () => this.#trusted(),
      clocksWereSet: () => this.#clocksWereSet,
    });
  }

  addMachine(name: string): AgentMachine {
    const { world, targets, server: listener } = this;
    const identity = { agentId: world.newId(), name, ...createIdentity() };
    const machine = new AgentMachine({ world, name, identity, listener, targets, witness: this, startsAt });
    this.machines.push(machine);
    return machine;
  }

  /** A machine with a copy of this one's folder, which knows that it is one or does not. */
  addCopy(machine: AgentMachine, { knowsIt }: { readonly knowsIt: boolean }): AgentMachine {
    const { world, targets, server: listener } = this;
    const name = `${machine.name}-copy`;
    const witness: AgentWitness = {
      onRequest: ({ agentId }, life, request) =>
        void this.entries.onRequest(agentId, life, { request, isOfCopy: true }),
      onReply: (_machine, life, reply) => this.entries.onReply(life, reply),
      onTasks() {},
      onStarted() {},
      onPaused() {},
      onEnded() {},
    };
    const renewal = knowsIt ? ('copied' as const) : undefined;
    const parts = { world, name, identity: machine.identity(), listener, targets, witness, startsAt: this.trueMs() };
    const copy = new AgentMachine({ ...parts, renewal });
    copy.disk.setBack(machine.disk.copy());
    copy.files.become(machine.files.copy());
    this.#copiedMs.set(machine.agentId, world.nowMs);
    this.#copies.set(copy, { sinceMs: world.nowMs, knowsIt });
    return copy;
  }

  endCopy(copy: AgentMachine): void {
    const { sinceMs, knowsIt } = this.#copies.get(copy) ?? { sinceMs: Infinity, knowsIt: true };
    if (!this.#copies.delete(copy)) return;
    copy.kill();
    this.#copiedMs.set(copy.agentId, this.world.nowMs);
    this.entries.excuseCopy(copy.agentId);
    if (!knowsIt) this.#sharedMs.set(copy.agentId, Math.min(sinceMs, this.#sharedMs.get(copy.agentId) ?? Infinity));
  }

  /** Agents whose statements can be told apart: they may speak, and no copy speaks for them. */
  #trusted(): readonly AgentMachine[] {
    const { names, revoked } = this.administrator;
    const copied = new Set([...this.#copies.keys()].map(({ agentId }) => agentId));
    return this.machines.filter(({ agentId }) => {
      const isRecent = this.world.nowMs - (this.#copiedMs.get(agentId) ?? -Infinity) < copySettlesMs;
      return names.has(agentId) && !revoked.has(agentId) && !copied.has(agentId) && !isRecent;
    });
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
    if (!machine.isRunning) this.absences.forget(machine);
    if (machine.life?.process.isAlive) this.slots.onClockSet(machine, machine.life);
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
    const { administrator } = this;
    for (const monitorId of administrator.paused) administrator.pause(monitorId, false);
    for (const copy of this.#copies.keys()) this.endCopy(copy);
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
    for (const delayMs of bringBackMs)
      this.world.after(delayMs, () => this.machines.forEach((machine) => administrator.bringBack(machine)));
    // What was changed while the server was away it reads at its start; what was changed halfway it reads again.
    this.world.after(30_000, () => {
      administrator.reload(this.server.monitors.map((monitor) => administrator.withAgent(monitor)));
      for (const monitorId of administrator.paused) administrator.pause(monitorId, false);
    });
  }

  onRequest(machine: AgentMachine, life: AgentLife, request: Parameters<AgentWitness['onRequest']>[2]): void {
    const items = this.entries.onRequest(machine.agentId, life, { request, isOfCopy: false });
    for (const item of items) {
      if (item.kind === 'result') this.slots.onResult(life, item);
      else this.absences.onAbsence(life, item);
    }
  }

  onReply(_machine: AgentMachine, life: AgentLife, reply: Parameters<AgentWitness['onReply']>[2]): void {
    this.entries.onReply(life, reply);
  }

  onTasks(machine: AgentMachine, life: AgentLife, tasks: readonly Task[]): void {
    this.slots.onTasks(machine, life, tasks);
  }

  onStarted(machine: AgentMachine, life: AgentLife): void {
    this.absences.onStarted(machine, life);
  }

  onPaused(life: AgentLife): void {
    this.slots.onPaused(life);
  }

  onEnded(machine: AgentMachine, life: AgentLife): void {
    this.slots.onEnded(machine, life);
    this.absences.onEnded(machine);
  }

  /** What a server that has just started shows: open for agents whose clock was set back, see SE3 in docs/simulation.md. */
  #checkNewestAtStart(): void {
    const { database } = this.server;
    if (database)
      this.shown.checkNewest(
        new KeptResults(database),
        ({ agentId, isOfCopy }) => isOfCopy || this.#setBack.has(agentId) || this.#copiedMs.has(agentId),
      );
  }

  /** To be called when all faults have ended and everything has had time to settle. */
  check(): void {
    const { world } = this;
    const { database } = this.server;
    if (!database) return world.find('all runs again', 'the server has no store');
    const kept = new KeptResults(database);
    const history = new HistoryReader(database, new DamagedHours(database, () => {}));
    const gapsOf = (agentId: string) => [...history.gaps(agentId), ...kept.refused(agentId)];
    for (const [agentId, sinceMs] of this.#sharedMs)
      this.entries.excuse(agentId, sinceMs, 'two machines gave the same numbers away');
    this.#sharedMs.clear();
    this.entries.check({ counts: kept.counts(), gapsOf });
    this.slots.check(this.machines);
    const running = new Set(this.machines.flatMap(({ tasks }) => tasks.map(({ id }) => id)));
    const isGone = ({ agentId, item, isOfCopy }: AppendedResult): boolean =>
      isOfCopy || (this.#setBack.has(agentId) && !running.has(item.taskId));
    this.shown.checkNewest(kept, isGone);
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
          (this.administrator.isWanted(machine.agentId, monitor) || task.paused);
        if (!isRight && !this.administrator.revoked.has(machine.agentId))
          this.world.find("nobody gets another's task", `${machine.name} has ${task.monitorName} (${task.id})`);
      }
    }
  }
}
