import type { Clock } from '../../core/clock.ts';
import { randomUUIDv7 } from 'node:crypto';
import { Drills } from '../../server/drills/drills.ts';
import type { MonitorSpec } from '../../core/monitor-spec.ts';
import type { Say } from '../../core/say.ts';
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
  readonly say: Say;
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
export function buildStates({ clock, store, bus, fleet, tasks, health, runs, publish, say }: StateParts) {
  let plans: AlertPlans = { notify: [], windows: [] };
  let wakeOutbox: (() => void) | undefined;
  const policies = () => policiesOf({ monitors: tasks.monitors, wanted: tasks.wanted, ...plans });
  const drills = drillsOf({ clock, store, say }, () => wakeOutbox?.());
  const opinion = new SecondOpinion({
    clock,
    random: Math.random,
    tasksOf: (monitorId) => tasks.wanted.filter(({ task }) => task.monitorId === monitorId),
    retryOf: (monitorId) => retryOf(tasks.monitors.find(({ id }) => id === monitorId)),
    run: ({ agentId, id }) => runs.run({ agentId, taskId: id, waitMs: 0 }),
  });
  const keeper = new StateKeeper({
    clock,
    store,
    policies,
    publish,
    agents: () => fleet.views(),
    onWanted: (wanted) => opinion.want(wanted),
    onMessages: () => wakeOutbox?.(),
    onStep: (fault) => health.noteStates(fault),
  });
  bus.subscribe(({ type }) => noteEvent(keeper, type));
  return {
    keeper,
    opinion,
    drills,
    /** What rules now. */
    policies,
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
      drills.stop();
      await keeper.stop();
    },
  };
}

function noteEvent(keeper: StateKeeper, type: ServerEvent['type']): void {
  if (type === 'result') keeper.noteResults();
  if (type === 'agent') keeper.noteAgents();
  if (type === 'agent' || type === 'tasks') keeper.policiesChanged();
}

function retryOf(monitor: MonitorSpec | undefined) {
  const { confirmations = defaultConfirmations, retryIntervalMs } = monitor?.alert ?? {};
  return monitor && { confirmations, intervalMs: retryIntervalMs ?? defaultRetryMs(monitor) };
}

function drillsOf({ clock, store, say }: Pick<StateParts, 'clock' | 'store' | 'say'>, onQueued: () => void): Drills {
  return new Drills({
    clock,
    outbox: store,
    newId: randomUUIDv7,
    onQueued,
    onError: (error) => say(`A drill cannot go on now: ${String(error)}.`, { event: 'drill-error', level: 'warning' }),
  });
}
