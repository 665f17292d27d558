import type { AgentHealth } from '../core/state/agent-book.ts';
import type { IncidentEvent } from '../core/state/incident-record.ts';
import type { PlannedMessage } from '../core/state/incident-book.ts';
import type { AlertWindow, MonitorPolicy, Policies } from '../core/state/policies.ts';
import { StateBook } from '../core/state/state-book.ts';
import type { Transition } from '../core/state/change-log.ts';
import { monitorPolicy } from './monitor-policy.ts';

type Random = () => number;

const agents = ['a', 'b', 'c'] as const;
const start = Date.UTC(2026, 10, 28);
const statuses = ['up', 'up', 'up', 'down', 'down', 'down', 'degraded', 'unknown'] as const;

/** A random life of a few monitors, and everything that was told of it. */
export class StateHistory {
  readonly #random: Random;
  readonly #book = new StateBook();
  readonly #events: IncidentEvent[] = [];
  readonly #planned: PlannedMessage[] = [];
  readonly #transitions: Transition[] = [];
  readonly #steps = new Map<string, number>();
  readonly #open = new Map<string, boolean>();
  #monitors: readonly MonitorPolicy[];
  #windows: readonly AlertWindow[] = [];
  #now = start;

  constructor(random: Random) {
    this.#random = random;
    const quorum = (['any', 'majority', 'all', 2] as const)[this.#below(4)] ?? 'any';
    this.#monitors = ['gate', 'web', 'db'].map((id) =>
      monitorPolicy({
        id,
        quorum,
        agents,
        dependsOn: id === 'gate' ? [] : ['gate'],
        causes: id === 'gate' ? [] : ['host:one'],
      }),
    );
    this.#setPolicies();
  }

  play(steps: number): void {
    for (let step = 0; step < steps; step++) {
      this.#now += 1 + this.#below(this.#below(5) === 0 ? 600_000 : 20_000);
      this.#book.advance(this.#now);
      this.#act();
      this.#drain();
    }
  }

  /** Nothing hinders any more and everything is up: what is held is settled. */
  calmDown(): void {
    this.#windows = [];
    this.#monitors = this.#monitors.map((monitor) => ({ ...monitor, isPaused: false }));
    this.#setPolicies();
    for (const id of agents) this.#health(id, 'well');
    for (let step = 0; step < 100; step++) {
      this.#now += 45_000;
      for (const { id } of this.#monitors) for (const agent of agents) this.#run(id, agent, 'up');
      this.#book.advance(this.#now);
    }
    this.#drain();
  }

  faults(): readonly string[] {
    return [...this.#untoldTransitions(), ...this.#toldWrongly()];
  }

  count(seen: { sent: number; held: number; recovered: number; unstable: number; grouped: number }): void {
    seen.sent += this.#planned.length;
    seen.held += this.#events.filter(({ kind }) => kind === 'held').length;
    seen.recovered += this.#planned.filter(({ kind }) => kind === 'recovery').length;
    seen.unstable += this.#planned.filter(({ kind }) => kind === 'unstable').length;
    seen.grouped += this.#events.filter(({ kind }) => kind === 'joined').length;
  }

  #act(): void {
    const monitor = this.#monitors[this.#below(this.#monitors.length)];
    const agent = agents[this.#below(agents.length)];
    if (!monitor || !agent) return;
    const dice = this.#below(30);
    if (dice === 0) return this.#health(agent, this.#below(2) === 0 ? 'offline' : 'impaired');
    if (dice < 3) return this.#health(agent, 'well');
    if (dice === 3) return this.#toggleWindow(monitor);
    if (dice === 4) return this.#edit(monitor);
    if (dice === 5) return this.#acknowledge();
    this.#runSome(monitor, agent);
  }

  #runSome(monitor: MonitorPolicy, agent: string): void {
    const status = statuses[this.#below(statuses.length)] ?? 'up';
    const all = this.#below(2) === 0 ? agents : [agent];
    for (let times = this.#below(3); times >= 0; times--) for (const one of all) this.#run(monitor.id, one, status);
  }

  #run(monitorId: string, agentId: string, status: 'up' | 'down' | 'degraded' | 'unknown'): void {
    this.#now += 1;
    const reason = status === 'up' ? undefined : 'timeout';
    this.#book.takeRun({ monitorId, agentId, status, at: this.#now, receivedAt: this.#now, reason, message: status });
  }

  #health(id: string, status: AgentHealth['status']): void {
    this.#book.noteAgent({ id, name: id, status, message: status, at: this.#now });
  }

  #toggleWindow({ name }: MonitorPolicy): void {
    const kind = this.#below(2) === 0 ? 'maintenance' : 'silence';
    const to = this.#now + this.#below(1_200_000);
    const schedule = { kind: 'once', from: this.#now, to } as const;
    this.#windows =
      this.#windows.length > 1 ? [] : [...this.#windows, { id: kind, kind, name: kind, monitors: [name], schedule }];
    this.#setPolicies();
  }

  #edit(monitor: MonitorPolicy): void {
    const dice = this.#below(3);
    const changed =
      dice === 0
        ? { isPaused: !monitor.isPaused }
        : dice === 1
          ? { identity: `${this.#now}` }
          : { agents: agents.slice(this.#below(2)) };
    this.#monitors = this.#monitors.map((one) => (one.id === monitor.id ? { ...one, ...changed } : one));
    this.#setPolicies();
  }

  #acknowledge(): void {
    const ids = [...this.#open].filter(([, isOpen]) => isOpen).map(([id]) => id);
    const id = ids[this.#below(ids.length)];
    if (id !== undefined)
      this.#book.acknowledge(id, { by: 'ana', note: '', at: this.#now, until: this.#now + this.#below(3_600_000) });
  }

  #setPolicies(): void {
    const policies: Policies = {
      monitors: this.#monitors,
      notify: [
        { notifier: 'mail', step: 0, afterMs: 0 },
        { notifier: 'chat', step: 0, afterMs: 60_000 },
        { notifier: 'phone', step: 1, afterMs: 600_000 },
      ],
      windows: this.#windows,
    };
    this.#book.setPolicies(policies, this.#now);
  }

  #drain(): void {
    const { events, planned, transitions, incidents } = this.#book.drain();
    this.#events.push(...events);
    this.#planned.push(...planned);
    this.#transitions.push(...transitions);
    for (const { incident, transition } of incidents) {
      this.#steps.set(incident.id, transition);
      this.#open.set(incident.id, incident.endedAt === undefined);
    }
  }

  /** Each transition has exactly one end for each recipient. */
  #untoldTransitions(): readonly string[] {
    const ends = new Map<string, number>();
    for (const { incident, kind, detail } of this.#events) {
      if (kind !== 'sent' && kind !== 'not-sent') continue;
      const key = JSON.stringify([incident, detail['transition'], detail['step'], detail['notifier']]);
      ends.set(key, (ends.get(key) ?? 0) + 1);
    }
    const recipients = [
      [0, 'mail'],
      [0, 'chat'],
      [1, 'phone'],
    ] as const;
    return [...this.#steps].flatMap(([incident, last]) =>
      Array.from({ length: last }, (_, index) => index + 1).flatMap((transition) =>
        recipients.flatMap((recipient) => {
          const count = ends.get(JSON.stringify([incident, transition, ...recipient])) ?? 0;
          return count === 1
            ? []
            : [`${incident} transition ${transition} ended ${count} times for ${recipient.join(' ')}`];
        }),
      ),
    );
  }

  /** Whoever was told down is told of the end, nobody is told of an end alone, and nobody is told the same twice. */
  #toldWrongly(): readonly string[] {
    const told = new Map<string, PlannedMessage>();
    const faults: string[] = [];
    for (const planned of this.#planned) {
      const { incident, notifier, step, kind, message } = planned;
      const key = `${incident} ${step} ${notifier}`;
      const before = told.get(key);
      const isEnd = kind === 'recovery' || kind === 'closed';
      if (isEnd && (!before || isOver(before))) faults.push(`${kind} of ${key} told to somebody who knew of nothing`);
      if (before && isRepeated(before, planned)) faults.push(`${kind} of ${key} says again ${message.state}`);
      told.set(key, planned);
    }
    for (const [key, last] of told)
      if (!isOver(last)) faults.push(`${key} was last told ${last.kind} ${last.message.state}`);
    return faults;
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }
}

function isOver({ kind, message }: PlannedMessage): boolean {
  return kind === 'recovery' || kind === 'closed' || message.state === 'up';
}

function isRepeated(before: PlannedMessage, after: PlannedMessage): boolean {
  const isGrown = after.message.facts.some(({ label }) => label === 'With it');
  const isAboutChange = after.kind === 'unstable' || after.kind === 'stable';
  return before.message.state === after.message.state && isOver(before) === isOver(after) && !isGrown && !isAboutChange;
}
