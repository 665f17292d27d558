import type { Cancel, Clock } from '../../core/clock.ts';
import type { WantedRun } from '../../core/state/change-log.ts';
import type { HandedTask, WantedTask } from '../fleet/task-table.ts';

interface OpinionPorts {
  readonly clock: Clock;
  readonly random: () => number;
  /** The tasks of a monitor, one for each agent that runs it. */
  tasksOf(monitorId: string): readonly WantedTask[];
  /** How often a failure must be seen in a row, and the time from one run to the next until then. */
  retryOf(monitorId: string): { readonly confirmations: number; readonly intervalMs: number } | undefined;
  /** Asks an agent to run a task now; rejects if it cannot. */
  run(task: HandedTask): Promise<unknown>;
}

/** A failure is looked at again after this time: a service that restarts is often back by then. */
const firstRetryMs = 900;
/** Monitors below a parent that has come back are run again within this time. */
const childrenWithinMs = 60_000;
/** Where so much fails in one step, the schedule confirms the rest. */
const maxAtOnce = 200;
/** An agent is asked for so many runs at a time. */
const maxPerAgent = 50;

/** Asks for runs that confirm or refute a failure at once, instead of at the next interval. */
export class SecondOpinion {
  readonly #ports: OpinionPorts;
  /** Runs that each agent was asked for and has not begun. */
  readonly #asked = new Map<string, number>();
  readonly #timers = new Set<Cancel>();

  constructor(ports: OpinionPorts) {
    this.#ports = ports;
  }

  want(runs: readonly WantedRun[]): void {
    for (const run of runs.slice(0, maxAtOnce)) {
      if (run.why === 'first-failure') this.#confirm(run);
      else if (run.why === 'parent') this.#askAll(run.monitorId, 0);
      else this.#askAll(run.monitorId, this.#ports.random() * childrenWithinMs);
    }
  }

  stop(): void {
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
  }

  /** The agent that saw it runs again until it is confirmed; the others are asked once, for theirs are voices of their own. */
  #confirm({ monitorId, agentId }: WantedRun): void {
    const retry = this.#ports.retryOf(monitorId);
    for (const { task } of this.#ports.tasksOf(monitorId)) {
      if (task.agentId !== agentId) this.#ask(task);
      else
        for (let again = 0; again < (retry?.confirmations ?? 1) - 1; again++)
          this.#later(firstRetryMs + again * (retry?.intervalMs ?? 0), () => this.#ask(task));
    }
  }

  #askAll(monitorId: string, delayMs: number): void {
    const askNow = (): void => {
      for (const { task } of this.#ports.tasksOf(monitorId)) this.#ask(task);
    };
    if (delayMs === 0) askNow();
    else this.#later(delayMs, askNow);
  }

  #ask(task: HandedTask): void {
    const { agentId } = task;
    const asked = this.#asked.get(agentId) ?? 0;
    if (task.paused || asked >= maxPerAgent) return;
    this.#asked.set(agentId, asked + 1);
    const settle = (): void => {
      const left = (this.#asked.get(agentId) ?? 1) - 1;
      if (left > 0) this.#asked.set(agentId, left);
      else this.#asked.delete(agentId);
    };
    // An agent that is away, or runs it already, tells all the same what it sees next.
    this.#ports.run(task).then(settle, settle);
  }

  #later(delayMs: number, act: () => void): void {
    const cancel = this.#ports.clock.after(delayMs, () => {
      this.#timers.delete(cancel);
      act();
    });
    this.#timers.add(cancel);
  }
}
