// A process of simulated agents, and the handle that a bench has on it.
import { fork, type ChildProcess } from 'node:child_process';
import { createHistogram } from 'node:perf_hooks';
import type { AgentIdentity } from '../agent/greeting.ts';
import { SimulatedAgent } from './simulated-agent.ts';

export interface FleetPlan {
  readonly url: string;
  readonly serverPin: string;
  readonly identities: readonly AgentIdentity[];
  /** Of each agent. */
  readonly resultsPerSecond: number;
}

export interface FleetFigures {
  readonly connected: number;
  /** Greetings that succeeded, since the start. */
  readonly connections: number;
  readonly tasks: number;
  readonly made: number;
  readonly waiting: number;
  readonly acknowledged: number;
  /** From made to acknowledged, since the last question. */
  readonly acknowledgedAfterMs: { readonly p50: number; readonly p99: number; readonly max: number };
}

type Request = { readonly type: 'start'; readonly plan: FleetPlan } | { readonly type: 'begin' | 'end' | 'figures' };

/** Agents in a process of their own. Disposing ends it. */
export class SimulatedFleet implements AsyncDisposable {
  readonly #process: ChildProcess;

  constructor(plan: FleetPlan) {
    this.#process = fork(import.meta.filename, { execArgv: ['--disable-warning=ExperimentalWarning'] });
    this.#send({ type: 'start', plan });
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** Results begin. */
  begin(): void {
    this.#send({ type: 'begin' });
  }

  /** Results end; what waits is still sent. */
  end(): void {
    this.#send({ type: 'end' });
  }

  figures(): Promise<FleetFigures> {
    this.#send({ type: 'figures' });
    return new Promise((resolve) => this.#process.once('message', resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill('SIGKILL');
    if (this.#process.exitCode === null && this.#process.signalCode === null)
      await new Promise((resolve) => this.#process.once('exit', resolve));
  }

  #send(request: Request): void {
    this.#process.send(request);
  }
}

const latency = createHistogram();
let acknowledged = 0;
let agents: readonly SimulatedAgent[] = [];

function handle(request: Request): void {
  if (request.type === 'start') agents = start(request.plan);
  if (request.type === 'begin') for (const agent of agents) agent.begin();
  if (request.type === 'end') for (const agent of agents) agent.end();
  if (request.type === 'figures') process.send?.(figures());
}

function start({ url, serverPin, identities, resultsPerSecond }: FleetPlan): readonly SimulatedAgent[] {
  return identities.map((identity) => {
    const agent = new SimulatedAgent({ identity, serverPin, resultsPerSecond, onAcknowledged });
    agent.uplink.dial(new URL(url));
    return agent;
  });
}

function onAcknowledged(afterMs: number): void {
  acknowledged++;
  latency.record(Math.max(1, Math.round(afterMs)));
}

function figures(): FleetFigures {
  const sum = (of: (agent: SimulatedAgent) => number): number => agents.reduce((total, agent) => total + of(agent), 0);
  const { count, max } = latency;
  const [p50, p99] = [latency.percentile(50), latency.percentile(99)];
  latency.reset();
  return {
    connected: agents.filter(({ isConnected }) => isConnected).length,
    connections: sum(({ connections }) => connections),
    tasks: sum(({ tasks }) => tasks),
    made: sum(({ made }) => made),
    waiting: sum(({ waiting }) => waiting),
    acknowledged,
    acknowledgedAfterMs: count === 0 ? { p50: 0, p99: 0, max: 0 } : { p50, p99, max },
  };
}

if (import.meta.main) process.on('message', handle);
