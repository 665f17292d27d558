import type { MonitorSpec } from '../../core/monitor-spec.ts';
import type { AgentMachine } from './agent-machine.ts';
import type { ServerMachine } from './server-machine.ts';
import type { World } from './world.ts';

const inviteMs = 600_000;
/** A machine that was brought back has said who it is by then. */
const greetingMs = 10_000;

/** The store as it was, and what the administrator had said by then. */
export interface Backup {
  readonly content: Uint8Array | undefined;
  readonly names: ReadonlyMap<string, string>;
  readonly revoked: ReadonlySet<string>;
  readonly paused: ReadonlySet<string>;
}

/** Who runs the server: what they wrote and asked for, whether or not the server heard it. */
export class Administrator {
  /** Agents that are revoked, or may be: the server died meanwhile. */
  readonly revoked = new Set<string>();
  readonly paused = new Set<string>();
  /** Names as they were given, by agent id. */
  readonly names = new Map<string, string>();
  /** When what is wanted changed last. */
  changedMs = 0;
  readonly #world: World;
  readonly #server: ServerMachine;
  /** When the server said that an agent is revoked. */
  readonly #revokedMs = new Map<string, number>();

  constructor(world: World, server: ServerMachine) {
    this.#world = world;
    this.#server = server;
  }

  isWanted(agentId: string, { id, agents, paused }: MonitorSpec): boolean {
    const name = this.names.get(agentId) ?? '';
    return !paused && !this.revoked.has(agentId) && !this.paused.has(id) && (agents?.includes(name) ?? true);
  }

  /** How long the server has known for sure that this agent is revoked. */
  revokedForMs(agentId: string): number {
    return this.#world.nowMs - (this.#revokedMs.get(agentId) ?? Infinity);
  }

  /** Invites a machine, which starts. */
  async join(machine: AgentMachine): Promise<void> {
    const { server } = this.#server;
    if (!server) return;
    const { token } = await server.administration.invite({ lifetimeMs: inviteMs });
    machine.invite(token);
    this.names.set(machine.agentId, machine.name);
    machine.boot();
  }

  /** Changes the configuration file, and says so to the server. */
  reload(monitors: readonly MonitorSpec[]): void {
    this.#server.monitors = monitors;
    this.changedMs = this.#world.nowMs;
    this.#ask(() => this.#server.server?.book.replaceFile(monitors));
  }

  pause(monitorId: string, isPaused: boolean): void {
    const { server } = this.#server;
    if (!server || !this.#server.monitors.some(({ id }) => id === monitorId)) return;
    this.changedMs = this.#world.nowMs;
    if (isPaused) this.paused.add(monitorId);
    else this.paused.delete(monitorId);
    this.#ask(() => server.book.pause(monitorId, isPaused));
  }

  runNow(machine: AgentMachine): boolean {
    const { server } = this.#server;
    const task = this.#world.oneOf(machine.tasks);
    if (!server || !task) return false;
    this.#ask(() => server.runs.run({ agentId: machine.agentId, taskId: task.id, waitMs: 0 }));
    return true;
  }

  rename({ agentId }: AgentMachine): boolean {
    const { server } = this.#server;
    if (!server || !this.names.has(agentId) || this.revoked.has(agentId)) return false;
    const [first, second] = [`seat-${this.#world.pick(6) + 1}`, `room-${this.#world.pick(6) + 1}`];
    const name = this.#world.random() < 0.7 ? first : second;
    this.changedMs = this.#world.nowMs;
    this.#ask(async () => {
      await server.administration.rename(agentId, name);
      this.names.set(agentId, name);
      this.changedMs = this.#world.nowMs;
    });
    return true;
  }

  revoke({ agentId }: AgentMachine): boolean {
    const { server } = this.#server;
    if (!server || !this.names.has(agentId) || this.revoked.has(agentId)) return false;
    this.changedMs = this.#world.nowMs;
    this.revoked.add(agentId);
    this.#ask(async () => {
      if (await server.administration.revoke(agentId)) this.#revokedMs.set(agentId, this.#world.nowMs);
    });
    return true;
  }

  /** Invites a revoked agent again; its name may have been given to another meanwhile. */
  bringBack(machine: AgentMachine): void {
    const { server } = this.#server;
    const { agentId } = machine;
    if (!server || !this.revoked.has(agentId)) return;
    this.#ask(async () => {
      const { token } = await server.administration.invite({ lifetimeMs: inviteMs, numbersNames: true });
      this.#revokedMs.delete(agentId);
      machine.kill();
      machine.invite(token);
      machine.boot();
      this.#world.after(greetingMs, () => this.#isBack(machine));
    });
  }

  backUp(): Backup {
    const { names, revoked, paused } = this;
    const content = this.#server.content();
    return { content, names: new Map(names), revoked: new Set(revoked), paused: new Set(paused) };
  }

  restore({ content, names, revoked, paused }: Backup): void {
    this.#server.running?.kill();
    this.#server.restore(content);
    this.changedMs = this.#world.nowMs;
    this.#revokedMs.clear();
    for (const [agentId, name] of names) this.names.set(agentId, name);
    // What was revoked since then is not any more; the agent may have been told, and then it waits to be brought back.
    for (const agentId of revoked) this.revoked.add(agentId);
    this.paused.clear();
    for (const monitorId of paused) this.paused.add(monitorId);
    this.#world.after(1000, () => this.#server.boot());
  }

  /** A monitor whose agents have all been given other names goes to the first of all. */
  withAgent(monitor: MonitorSpec): MonitorSpec {
    const names = [...this.names.values()];
    const [first] = names;
    return first === undefined || !monitor.agents || names.some((name) => monitor.agents?.includes(name))
      ? monitor
      : { ...monitor, agents: [first] };
  }

  #isBack(machine: AgentMachine): void {
    const { agentId } = machine;
    const view = this.#server.server?.fleet.view(agentId);
    if (view?.status !== 'online' && view?.status !== 'impaired') return;
    this.revoked.delete(agentId);
    this.names.set(agentId, machine.toldName());
    this.changedMs = this.#world.nowMs;
  }

  /** What is asked may be refused, or come to nothing when the server dies. */
  #ask(work: () => Promise<unknown> | undefined): void {
    work()?.catch((error: unknown) => this.#world.note(`refused: ${String(error)}`));
  }
}
