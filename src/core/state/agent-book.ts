import type { ConfirmedChange } from './incident.ts';
import type { SubjectView } from './incident-record.ts';
import { steady } from './flapping.ts';
import type { NotifyStep } from './policies.ts';

/** `gone`: revoked or removed. */
export const agentHealthWords = ['well', 'impaired', 'offline', 'gone'] as const;

/** What the server believes of an agent; times are its own. */
export interface AgentHealth {
  readonly id: string;
  readonly name: string;
  readonly status: (typeof agentHealthWords)[number];
  /** Why, for people. */
  readonly message: string;
  readonly at: number;
}

const stateOf = { well: 'up', impaired: 'degraded', offline: 'down', gone: 'up' } as const;
const summaryOf = { well: 'well', impaired: 'impaired', offline: 'offline', gone: 'removed' } as const;
/** An agent that goes and comes is one incident. */
const reopenMs = 300_000;

/** The health of agents: an agent that is unwell has no vote. */
export class AgentBook {
  readonly #agents = new Map<string, AgentHealth>();

  isWell(id: string): boolean {
    return (this.#agents.get(id)?.status ?? 'well') === 'well';
  }

  nameOf(id: string): string {
    return this.#agents.get(id)?.name ?? id;
  }

  /** The change for its incident; undefined if nothing changed. */
  set(health: AgentHealth): Omit<ConfirmedChange, 'at'> | undefined {
    const before = this.#agents.get(health.id);
    this.#agents.set(health.id, health);
    if (before?.status === health.status || (!before && health.status === 'well')) return undefined;
    return { state: stateOf[health.status], verdict: 'observer', since: health.at };
  }

  view(id: string, steps: readonly NotifyStep[]): SubjectView | undefined {
    const agent = this.#agents.get(id);
    if (!agent) return undefined;
    return {
      subject: { kind: 'agent', id },
      name: agent.name,
      steps,
      reopenMs,
      isPaused: false,
      flapping: steady,
      account: { summary: summaryOf[agent.status], facts: [{ label: 'Agent', text: agent.message }], causes: [] },
      suppressions: () => ({}),
    };
  }
}
