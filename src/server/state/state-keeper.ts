import type { Cancel, Clock } from '../../core/clock.ts';
import type { ServerEvent } from '../../core/event.ts';
import type { AgentHealth } from '../../core/state/agent-book.ts';
import type { WantedRun } from '../../core/state/change-log.ts';
import type { Policies } from '../../core/state/policies.ts';
import type { AgentView } from '../fleet/fleet.ts';
import type { Evaluation, States } from '../store/states.ts';

interface KeeperPorts {
  readonly clock: Clock;
  readonly store: Pick<States, 'evaluate' | 'setPolicies' | 'noteAgents'>;
  /** What rules now. */
  policies(): Policies;
  agents(): readonly AgentView[];
  publish(event: ServerEvent): void;
  /** Runs that would tell more at once. */
  onWanted(runs: readonly WantedRun[]): void;
  /** Messages wait to be sent. */
  onMessages(): void;
  /** Told after each step why it failed, or undefined. */
  onStep(fault: string | undefined): void;
}

/** Results that come within this time are taken together. */
const gatherMs = 50;
const lookMs = 1000;
/** After a start agents have this long to connect before they are said to be offline. */
const returnMs = 60_000;
/** Clocks are corrected by less while they run. */
const clockStepMs = 5000;

/** Lets the store work out states after commits and as time passes, and tells who watches. */
export class StateKeeper {
  readonly #ports: KeeperPorts;
  /** Agents as they were last noted. */
  readonly #known = new Map<string, Pick<AgentHealth, 'name' | 'status'>>();
  /** What is to be done, in order. */
  #turn: Promise<void> = Promise.resolve();
  #policies = '';
  #startedMs = 0;
  /** The wall clock minus the monotonic one, when last looked at. */
  #skewMs = 0;
  #isPlanned = false;
  #isStale = false;
  #isStopped = true;
  #cancelStep: Cancel = () => {};
  #cancelLook: Cancel = () => {};
  #cancelPolicies: Cancel = () => {};

  constructor(ports: KeeperPorts) {
    this.#ports = ports;
  }

  /** From now on; resolves when the policies rule. */
  async start(): Promise<void> {
    const { clock } = this.#ports;
    this.#isStopped = false;
    this.#startedMs = clock.monotonic();
    this.#skewMs = clock.now() - clock.monotonic();
    this.#usePolicies();
    this.noteAgents();
    await this.#turn;
    this.#cancelLook = clock.after(lookMs, () => this.#look());
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelStep();
    this.#cancelLook();
    this.#cancelPolicies();
    await this.#turn;
  }

  /** Results were committed. */
  noteResults(): void {
    if (this.#isPlanned || this.#isStopped) return;
    this.#isPlanned = true;
    this.#cancelStep = this.#ports.clock.after(gatherMs, () => {
      this.#isPlanned = false;
      this.#evaluate();
    });
  }

  /** The status of agents may have changed. */
  noteAgents(): void {
    const views = this.#ports.agents();
    const ids = new Set(views.map(({ id }) => id));
    const gone = Array.from(this.#known.keys())
      .filter((id) => !ids.has(id))
      .map((id) => this.#gone(id));
    const changed = [...views.flatMap((view) => this.#healthOf(view) ?? []), ...gone];
    if (changed.length > 0) this.#do((store) => store.noteAgents(changed));
  }

  /** The monitors, who runs them, or who is told, may have changed; many changes are taken together. */
  policiesChanged(): void {
    if (this.#isStale || this.#isStopped) return;
    this.#isStale = true;
    this.#cancelPolicies = this.#ports.clock.after(gatherMs, () => this.#usePolicies());
  }

  #usePolicies(): void {
    this.#isStale = false;
    this.#do(async (store) => {
      const policies = this.#ports.policies();
      const text = JSON.stringify(policies);
      if (text === this.#policies) return undefined;
      const evaluation = await store.setPolicies(policies, this.#ports.clock.now());
      this.#policies = text;
      return evaluation;
    });
  }

  #look(): void {
    this.noteAgents();
    this.#evaluate();
    this.#cancelLook = this.#ports.clock.after(lookMs, () => this.#look());
  }

  #evaluate(): void {
    this.#do(async (store) => {
      const evaluation = await store.evaluate({ now: this.#ports.clock.now(), steppedMs: this.#steppedMs() });
      if (evaluation.hasMore) this.noteResults();
      return evaluation;
    });
  }

  /** By so much the wall clock was set since it was last asked. */
  #steppedMs(): number {
    const { clock } = this.#ports;
    const skewMs = clock.now() - clock.monotonic();
    const steppedMs = skewMs - this.#skewMs;
    this.#skewMs = skewMs;
    return Math.abs(steppedMs) > clockStepMs ? steppedMs : 0;
  }

  #gone(id: string): AgentHealth {
    const name = this.#known.get(id)?.name ?? id;
    this.#known.delete(id);
    return { id, name, status: 'gone', message: 'removed', at: this.#ports.clock.now() };
  }

  /** Undefined if it is as it was, or an agent may still come back after the start. */
  #healthOf({ id, name, status, impaired, since }: AgentView): AgentHealth | undefined {
    const { clock } = this.#ports;
    const isStarting = clock.monotonic() - this.#startedMs < returnMs;
    if (status === 'offline' && isStarting) return undefined;
    const health = healthOf[status];
    const message = impaired.length > 0 ? impaired.join('; ') : status;
    const known = this.#known.get(id);
    if (known?.name === name && known.status === health) return undefined;
    this.#known.set(id, { name, status: health });
    return { id, name, status: health, message, at: Math.min(since, clock.now()) };
  }

  #do(step: (store: KeeperPorts['store']) => Promise<Evaluation | undefined>): void {
    this.#turn = this.#inTurn(this.#turn, step);
  }

  async #inTurn(
    before: Promise<void>,
    step: (store: KeeperPorts['store']) => Promise<Evaluation | undefined>,
  ): Promise<void> {
    await before;
    if (this.#isStopped) return;
    try {
      const evaluation = await step(this.#ports.store);
      this.#ports.onStep(undefined);
      if (evaluation) this.#tell(evaluation);
    } catch (error) {
      // What was not taken is still in the store, and is taken with the next step.
      this.#ports.onStep((error as Error).message);
    }
  }

  #tell({ transitions, incidents, wantedRuns, hasMessages }: Evaluation): void {
    const ports = this.#ports;
    for (const transition of transitions) ports.publish({ type: 'transition', ...transition });
    for (const incident of incidents) ports.publish({ type: 'incident', ...incident });
    if (wantedRuns.length > 0) ports.onWanted(wantedRuns);
    if (hasMessages) ports.onMessages();
  }
}

const healthOf = {
  online: 'well',
  reconnecting: 'well',
  offline: 'offline',
  impaired: 'impaired',
  revoked: 'gone',
} as const;
