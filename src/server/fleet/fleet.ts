import type { Clock, Cancel } from '../../core/clock.ts';
import { formatDuration } from '../../core/duration.ts';
import { isLoopback } from '../../core/target.ts';
import { heartbeatIntervalMs, type Heartbeat, type SensorReport } from '../../protocol/messages.ts';

export const agentStatuses = ['online', 'reconnecting', 'offline', 'impaired', 'revoked'] as const;
export type AgentStatus = (typeof agentStatuses)[number];

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
  readonly queue: { readonly depth: number; readonly bytes: number; readonly oldestUnsentAt: number | undefined };
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
  address?: string;
  version?: string;
  /** When it was last heard or, if never, when this server began to expect it; by the monotonic clock. */
  heardMs: number;
  lastSeenAt?: number;
  heartbeat?: Heartbeat;
  /** The agent's clock minus this server's, by its last heartbeats, each too low by the time it took to come. */
  clockOffsetsMs: readonly number[];
}

/** Three heartbeats without a word, connected or not, and an agent is offline. */
const silenceLimitMs = 3 * heartbeatIntervalMs;
const lookIntervalMs = 1000;
/** Beyond it times of the agent and of the server cannot be compared, and people are told. */
const maxClockOffsetMs = 5000;
const comparedHeartbeats = 4;

interface FleetParts {
  readonly clock: Clock;
  /** Called when what people see of an agent changes in kind: its status, not its figures. */
  readonly onChange: (view: AgentView, before: AgentStatus | undefined) => void;
}

/** Who is there: what is known of every agent, and its status from moment to moment. */
export class Fleet {
  readonly #parts: FleetParts;
  readonly #members = new Map<string, Member>();
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
    this.#update(agentId, { heartbeat, clockOffsetsMs: [...before, offsetMs].slice(-comparedHeartbeats) });
  }

  /** Whether an agent on another machine has the same time as this server. */
  confirmsClock(): boolean {
    return this.views().some(
      ({ status, address, clockOffsetMs }) =>
        (status === 'online' || status === 'impaired') &&
        address !== undefined &&
        !isLoopback(address) &&
        Math.abs(clockOffsetMs) <= maxClockOffsetMs,
    );
  }

  stop(): void {
    this.#cancelLook();
  }

  #update(agentId: string, news: Partial<Member>): void {
    const member = this.#members.get(agentId);
    if (!member) return;
    const now = this.#parts.clock.now();
    Object.assign(member, news, { heardMs: this.#parts.clock.monotonic(), lastSeenAt: now });
    this.#settle(agentId);
  }

  #look(): void {
    for (const agentId of this.#members.keys()) this.#settle(agentId);
    this.#cancelLook = this.#parts.clock.after(lookIntervalMs, () => this.#look());
  }

  #settle(agentId: string): void {
    const member = this.#members.get(agentId);
    if (!member) return;
    const now = this.#parts.clock.now();
    const before = member.status;
    member.status = statusOf(member, this.#parts.clock.monotonic());
    if (member.status === before) return;
    member.since = now;
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
  const { id, name, status, since, address, version, lastSeenAt, heartbeat } = member;
  const known = { id, name, status, since, address, version, lastSeenAt, clockOffsetMs: clockOffsetOf(member) };
  return { ...known, ...(heartbeat ? vitalsOf(heartbeat) : noVitals), impaired: impairmentsOf(member) };
}

type Vitals = Pick<AgentView, 'tasks' | 'queue' | 'lagMs' | 'warnings' | 'sensors'>;

const noVitals: Vitals = {
  tasks: 0,
  queue: { depth: 0, bytes: 0, oldestUnsentAt: undefined },
  lagMs: 0,
  warnings: [],
  sensors: [],
};

function vitalsOf({ tasks, queue: { depth, bytes, oldestUnsentAt }, health, sensors }: Heartbeat): Vitals {
  const { lagMs, warnings = [] } = health;
  const queue = { depth, bytes, oldestUnsentAt };
  return { tasks, queue, lagMs, warnings, sensors };
}
