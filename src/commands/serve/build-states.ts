import type { Clock } from '../../core/clock.ts';
import type { ServerEvent } from '../../core/event.ts';
import type { AlertWindow, NotifyStep } from '../../core/state/policies.ts';
import type { InProcessBus } from '../../server/bus/in-process.ts';
import type { Fleet } from '../../server/fleet/fleet.ts';
import type { TaskRuns } from '../../server/fleet/task-runs.ts';
import type { TaskTable } from '../../server/fleet/task-table.ts';
import type { Health } from '../../server/host/health.ts';
import { defaultConfirmations, defaultRetryMs, policiesOf } from '../../server/state/monitor-policies.ts';
import { SecondOpinion } from '../../server/state/second-opinion.ts';
import { StateKeeper } from '../../server/state/state-keeper.ts';
import type { Store } from '../../server/store/store.ts';

interface StateParts {
  readonly clock: Clock;
  readonly store: Store;
  readonly bus: InProcessBus;
  readonly fleet: Fleet;
  readonly tasks: TaskTable;
  readonly health: Health;
  readonly runs: TaskRuns;
  readonly publish: (event: ServerEvent) => void;
}

/** What the configuration says of telling people. */
export interface AlertPlans {
  /** Whom to tell of monitors that do not say whom, and of agents. */
  readonly notify: readonly NotifyStep[];
  readonly windows: readonly AlertWindow[];
}

interface AlertSections {
  readonly notifiers?: readonly { readonly name: string }[];
  readonly windows?: readonly AlertWindow[];
}

/** Whoever is not told otherwise tells every notifier of the configuration. */
export function alertPlansOf({ notifiers = [], windows = [] }: AlertSections): AlertPlans {
  return { notify: notifiers.map(({ name: notifier }) => ({ notifier, step: 0, afterMs: 0 })), windows };
}

/** Keeps what is believed, and asks for runs that confirm or refute it. */
export function buildStates({ clock, store, bus, fleet, tasks, health, runs, publish }: StateParts) {
  let plans: AlertPlans = { notify: [], windows: [] };
  let wakeOutbox: (() => void) | undefined;
  const monitorOf = (monitorId: string) => tasks.monitors.find(({ id }) => id === monitorId);
  const opinion = new SecondOpinion({
    clock,
    random: Math.random,
    tasksOf: (monitorId) => tasks.wanted.filter(({ task }) => task.monitorId === monitorId),
    retryOf(monitorId) {
      const monitor = monitorOf(monitorId);
      const { confirmations = defaultConfirmations, retryIntervalMs } = monitor?.alert ?? {};
      return monitor && { confirmations, intervalMs: retryIntervalMs ?? defaultRetryMs(monitor) };
    },
    run: ({ agentId, id }) => runs.run({ agentId, taskId: id, waitMs: 0 }),
  });
  const keeper = new StateKeeper({
    clock,
    store,
    policies: () => policiesOf({ monitors: tasks.monitors, wanted: tasks.wanted, ...plans }),
    agents: () => fleet.views(),
    publish,
    onWanted: (wanted) => opinion.want(wanted),
    onMessages: () => wakeOutbox?.(),
    onStep: (fault) => health.noteStates(fault),
  });
  bus.subscribe(({ type }) => {
    if (type === 'result') keeper.noteResults();
    if (type === 'agent') keeper.noteAgents();
    if (type === 'agent' || type === 'tasks') keeper.policiesChanged();
  });
  return {
    keeper,
    opinion,
    /** Those of the configuration. */
    windows: () => plans.windows,
    /** The configuration says so from now on. */
    follow(changed: AlertPlans): void {
      plans = changed;
      keeper.policiesChanged();
    },
    /** Calls back when there are new messages to send. */
    onMessages(wake: () => void): void {
      wakeOutbox = wake;
    },
    async stop(): Promise<void> {
      opinion.stop();
      await keeper.stop();
    },
  };
}
