import type { Clock, Cancel } from '../../core/clock.ts';
import { formatDuration } from '../../core/duration.ts';
import { endpointOf, isLoopback } from '../../core/target.ts';
import type { AgentState } from './agent-state.ts';
import { heartbeatIntervalMs, type Heartbeat, type SensorReport } from '../../protocol/messages.ts';

export const agentStatuses = ['online', 'reconnecting', 'offline', 'impaired', 'revoked'] as const;
export type AgentStatus = (typeof agentStatuses)[number];

/** What waits at an agent to be sent or acknowledged. Times are epoch milliseconds. */
interface QueueView {
  readonly depth: number;
  readonly bytes: number;
  readonly oldestUnsentAt: number | undefined;
  /** When the agent told it, by the server's clock. */
  readonly at: number;
}

/** An agent as people see it. */
export interface AgentView {
  readonly id: string;
  readonly name: string;
  readonly status: AgentStatus;
  /** Since when it has this status, epoch milliseconds. */
  readonly since: number;
  /** Where it connects from, or is called at; undefined if it never was. */
  readonly address: string | undefined;
  readonly version: string | undefined;
  readonly lastSeenAt: number | undefined;
  readonly tasks: number;
  /** As it last told; undefined if it never did. */
  readonly queue: QueueView | undefined;
  /** How late the agent's own timers ran, worst since the heartbeat before. */
  readonly lagMs: number;
  /** The agent's clock minus the server's. */
  readonly clockOffsetMs: number;
  /** What the agent's self-test says is wrong with it. */
  readonly impaired: readonly string[];
  /** What will be wrong with it soon if nobody looks after it. */
  readonly warnings: readonly string[];
  /** What it watches on its own machine, and how well it can. */
  readonly sensors: readonly SensorReport[];
}

interface Member {
  readonly id: string;
  name: string;
  status: AgentStatus;
  since: number;
  isConnected: boolean;
  isRevoked: boolean;
  address?: string | undefined;
  version?: string | undefined;
  /** When it was last heard or, if never, when this server began to expect it; by the monotonic clock. */
  heardMs: number;
  lastSeenAt?: number | undefined;
  heartbeat?: Heartbeat | undefined;
  /** When the heartbeat came, by the server's clock. */
  toldAt?: number | undefined;
  /** The agent's clock minus this server's, by its last heartbeats, each too low by the time it took to come. */
  clockOffsetsMs: readonly number[];
}

/** Three heartbeats without a word, connected or not, and an agent is offline. */
const silenceLimitMs = 3 * heartbeatIntervalMs;
const lookIntervalMs = 1000;
/** Beyond it times of the agent and of the server cannot be compared, and people are told. */
const maxClockOffsetMs = 5000;
const comparedHeartbeats = 4;
/** What heartbeats say is kept this often; a change of status at once. */
const keepIntervalMs = 30_000;

interface FleetParts {
  readonly clock: Clock;
  /** Called when what people see of an agent changes in kind: its status, not its figures. */
  readonly onChange: (view: AgentView, before: AgentStatus | undefined) => void;
  /** An agent is back that was away; times are the server's, epoch milliseconds. */
  readonly onReturn: (agentId: string, away: { readonly from: number; readonly to: number }) => void;
  /** Keeps what is known of some agents for the next start. */
  readonly keep: (states: readonly AgentState[]) => Promise<void>;
}

/** Who is there: what is known of every agent, and its status from moment to moment. */
export class Fleet {
  readonly #parts: FleetParts;
  readonly #members = new Map<string, Member>();
  /** Agents of whom something is known that is not kept yet. */
  readonly #unkept = new Set<string>();
  #keepsAtMs = 0;
  #cancelLook: Cancel;

  constructor(parts: FleetParts) {
    this.#parts = parts;
    this.#cancelLook = parts.clock.after(lookIntervalMs, () => this.#look());
  }

  views(): readonly AgentView[] {
    return [...this.#members.values()].map(viewOf).toSorted((a, b) => a.name.localeCompare(b.name));
  }

  view(agentId: string): AgentView | undefined {
    const member = this.#members.get(agentId);
    return member && viewOf(member);
  }

  /** Whether the agent is there, or was until a moment ago. */
  isPresent(agentId: string): boolean {
    const { status = 'offline' } = this.#members.get(agentId) ?? {};
    return status !== 'offline' && status !== 'revoked';
  }

  /** An agent the server knows of, whether or not it is there. */
  expect(agent: { readonly id: string; readonly name: string; readonly isRevoked: boolean }): void {
    const now = this.#parts.clock.now();
    const { id, name, isRevoked } = agent;
    const member = this.#members.get(id);
    if (member) Object.assign(member, { name, isRevoked });
    else
      this.#members.set(id, {
        id,
        name,
        isRevoked,
        isConnected: false,
        status: 'offline',
        since: now,
        heardMs: this.#parts.clock.monotonic(),
        clockOffsetsMs: [],
      });
    this.#settle(id);
  }

  /** What was known when the server last ran, of agents that it expects. */
  restore(states: readonly AgentState[]): void {
    const { clock } = this.#parts;
    for (const { agentId, isAway, since, clockOffsetMs, ...known } of states) {
      const member = this.#members.get(agentId);
      if (!member || member.isRevoked) continue;
      Object.assign(member, known, { clockOffsetsMs: [clockOffsetMs] });
      // It may be back in a moment, unless it was away before.
      member.status = isAway || known.lastSeenAt === undefined ? 'offline' : 'reconnecting';
      member.since = isAway ? since : (known.lastSeenAt ?? since);
      member.heardMs = clock.monotonic() - (isAway ? Infinity : 0);
    }
  }

  /** It is no longer listed. */
  forget(agentId: string): void {
    this.#members.delete(agentId);
  }

  connected(agentId: string, { address, version }: { readonly address: string; readonly version: string }): void {
    this.#update(agentId, { isConnected: true, address, version });
  }

  disconnected(agentId: string): void {
    const member = this.#members.get(agentId);
    if (!member) return;
    member.isConnected = false;
    this.#settle(agentId);
  }

  heard(agentId: string, heartbeat: Heartbeat): void {
    const before = this.#members.get(agentId)?.clockOffsetsMs ?? [];
    const offsetMs = heartbeat.at - this.#parts.clock.now();
    const toldAt = this.#parts.clock.now();
    this.#update(agentId, { heartbeat, toldAt, clockOffsetsMs: [...before, offsetMs].slice(-comparedHeartbeats) });
  }

  /** Whether an agent on another machine has the same time as this server; `ownAddresses` are those of this machine. */
  confirmsClock(ownAddresses: readonly string[] = []): boolean {
    return this.views().some(({ status, address, clockOffsetMs }) => {
      if (address === undefined || (status !== 'online' && status !== 'impaired')) return false;
      // That of an agent that is called has a port.
      const { host } = endpointOf(address);
      return !isLoopback(host) && !ownAddresses.includes(host) && Math.abs(clockOffsetMs) <= maxClockOffsetMs;
    });
  }

  async stop(): Promise<void> {
    this.#cancelLook();
    await this.#keep();
  }

  #update(agentId: string, news: Partial<Member>): void {
    const member = this.#members.get(agentId);
    if (!member) return;
    const now = this.#parts.clock.now();
    const { status, lastSeenAt: from } = member;
    if (status === 'offline' && from !== undefined && from < now) this.#parts.onReturn(agentId, { from, to: now });
    Object.assign(member, news, { heardMs: this.#parts.clock.monotonic(), lastSeenAt: now });
    this.#unkept.add(agentId);
    this.#settle(agentId);
  }

  #look(): void {
    for (const agentId of this.#members.keys()) this.#settle(agentId);
    if (this.#parts.clock.monotonic() >= this.#keepsAtMs) void this.#keep();
    this.#cancelLook = this.#parts.clock.after(lookIntervalMs, () => this.#look());
  }

  /** A store that refuses is asked again; meanwhile it is known here. */
  async #keep(): Promise<void> {
    const { clock, keep } = this.#parts;
    this.#keepsAtMs = clock.monotonic() + keepIntervalMs;
    const agentIds = [...this.#unkept];
    this.#unkept.clear();
    if (agentIds.length === 0) return;
    try {
      await keep(agentIds.flatMap((agentId) => this.#members.get(agentId) ?? []).map(stateOf));
    } catch {
      for (const agentId of agentIds) this.#unkept.add(agentId);
    }
  }

  #settle(agentId: string): void {
    const member = this.#members.get(agentId);
    if (!member) return;
    const now = this.#parts.clock.now();
    const before = member.status;
    member.status = statusOf(member, this.#parts.clock.monotonic());
    if (member.status === before) return;
    member.since = now;
    this.#unkept.add(agentId);
    this.#keepsAtMs = 0;
    this.#parts.onChange(viewOf(member), before);
  }
}

function statusOf(member: Member, nowMs: number): AgentStatus {
  const { isRevoked, isConnected, heardMs, lastSeenAt } = member;
  if (isRevoked) return 'revoked';
  // By the monotonic clock: when this server's wall clock is set, no agent has fallen silent.
  const isSilent = nowMs - heardMs > silenceLimitMs;
  if (!isConnected) return isSilent || lastSeenAt === undefined ? 'offline' : 'reconnecting';
  if (isSilent) return 'offline';
  return impairmentsOf(member).length > 0 ? 'impaired' : 'online';
}

/** What the agent's own test says, and what this server sees. */
function impairmentsOf(member: Member): readonly string[] {
  const own = member.heartbeat?.health.impaired.map(({ message }) => message) ?? [];
  const offsetMs = clockOffsetOf(member);
  if (Math.abs(offsetMs) <= maxClockOffsetMs) return own;
  const way = offsetMs > 0 ? 'ahead of' : 'behind';
  const seconds = Math.round(Math.abs(offsetMs) / 1000);
  return [...own, `its clock is ${formatDuration(seconds * 1000)} ${way} the server's: one of the two is wrong`];
}

/** A heartbeat is never early: the highest is the nearest to the truth. */
function clockOffsetOf({ clockOffsetsMs }: Member): number {
  return clockOffsetsMs.length > 0 ? Math.max(...clockOffsetsMs) : 0;
}

function viewOf(member: Member): AgentView {
  const { id, name, status, since, address, version, lastSeenAt, heartbeat, toldAt = 0 } = member;
  const known = { id, name, status, since, address, version, lastSeenAt, clockOffsetMs: clockOffsetOf(member) };
  return { ...known, ...(heartbeat ? vitalsOf(heartbeat, toldAt) : noVitals), impaired: impairmentsOf(member) };
}

type Vitals = Pick<AgentView, 'tasks' | 'queue' | 'lagMs' | 'warnings' | 'sensors'>;

const noVitals: Vitals = {
  tasks: 0,
  queue: undefined,
  lagMs: 0,
  warnings: [],
  sensors: [],
};

function vitalsOf({ tasks, queue: told, health, sensors }: Heartbeat, at: number): Vitals {
  const { depth, bytes, oldestUnsentAt } = told;
  const { lagMs, warnings = [] } = health;
  const queue = { depth, bytes, oldestUnsentAt, at };
  return { tasks, queue, lagMs, warnings, sensors };
}

function stateOf(member: Member): AgentState {
  const { id: agentId, status, since, address, version, lastSeenAt, heartbeat, toldAt } = member;
  const isAway = status === 'offline';
  return {
    agentId,
    isAway,
    since,
    address,
    version,
    lastSeenAt,
    clockOffsetMs: clockOffsetOf(member),
    heartbeat,
    toldAt,
  };
}
