import { Failure } from '../../core/failure.ts';
import type { Network, QueryOptions, QueryTarget } from '../../core/network.ts';
import type { MachineClock, SimulatedProcess } from './simulated-process.ts';
import type { World } from './world.ts';

/** What a target did when it was asked. */
export interface Measured {
  readonly agentId: string;
  readonly host: string;
  readonly atMs: number;
  readonly answered: boolean;
}

/** The hosts that are watched. They remember what was really measured, whatever is reported about it. */
export class SimulatedTargets {
  readonly #world: World;
  readonly #down = new Set<string>();
  /** By agent and host: the latest measurement. */
  readonly #latest = new Map<string, Measured>();

  constructor(world: World) {
    this.#world = world;
  }

  setDown(host: string, isDown: boolean): void {
    if (isDown) this.#down.add(host);
    else this.#down.delete(host);
  }

  isDown(host: string): boolean {
    return this.#down.has(host);
  }

  latest(agentId: string, host: string): Measured | undefined {
    return this.#latest.get(`${agentId} ${host}`);
  }

  ask(agentId: string, host: string): boolean {
    const answered = !this.#down.has(host);
    this.#latest.set(`${agentId} ${host}`, { agentId, host, atMs: this.#world.nowMs, answered });
    return answered;
  }
}

function unsupported(): never {
  throw new Failure('unsupported', 'the simulated network only answers pings');
}

interface NetworkParts {
  readonly process: SimulatedProcess;
  readonly machine: MachineClock;
  readonly targets: SimulatedTargets;
  readonly agentId: string;
}

/** The network as the checks of one agent have it: only pings. */
export function simulatedNetwork(parts: NetworkParts): Network {
  return {
    resolve: unsupported,
    resolveAll: unsupported,
    reverse: unsupported,
    dnsServers: () => [],
    exchangeDns: unsupported,
    permit: () => {},
    permitName: () => {},
    connect: unsupported,
    startTls: unsupported,
    openUdp: unsupported,
    askUdp: unsupported,
    openQueries: async (target, options) => queriesTo(target, options, parts),
  };
}

function queriesTo({ host }: QueryTarget, { onAnswer }: QueryOptions, parts: NetworkParts) {
  const { process, machine, targets, agentId } = parts;
  const clock = process.clock(machine);
  return {
    address: { ip: '192.0.2.1', family: 4 as const },
    resolveMs: 0.02,
    via: 'datagram' as const,
    send(sequence: number) {
      if (!process.effect() || !targets.ask(agentId, host)) return;
      const rttMs = process.world.between(1, 20);
      clock.after(rttMs, () =>
        onAnswer({ kind: 'reply', sequence, from: '192.0.2.1', rttMs, ttl: 60, duplicate: false }),
      );
    },
    [Symbol.dispose]() {},
  };
}
