import type { Clock } from '../../core/clock.ts';
import type { ServerEvent } from '../../core/event.ts';
import type { MonitorSpec } from '../../core/monitor-spec.ts';
import type { JsonObject } from '../../core/outcome.ts';
import { serverAgentId } from '../../core/task.ts';
import { AgentGate } from '../../server/auth/agent-gate.ts';
import { InProcessBus } from '../../server/bus/in-process.ts';
import type { RecordIntake } from '../../server/evidence/record-intake.ts';
import { sayAgentChange } from '../../server/fleet/agent-log.ts';
import { AgentAdministration } from '../../server/fleet/agent-administration.ts';
import { Dispatcher } from '../../server/fleet/dispatcher.ts';
import { readAgentState } from '../../server/fleet/agent-state.ts';
import type { SensorOrders } from '../../server/fleet/sensor-orders.ts';
import { TaskRuns } from '../../server/fleet/task-runs.ts';
import { TaskStates, type StateChange } from '../../server/fleet/task-states.ts';
import { TaskTable } from '../../server/fleet/task-table.ts';
import { ConnectionFaults } from '../../server/gateway/connection-faults.ts';
import { Gateway, type GatewayPorts } from '../../server/gateway/gateway.ts';
import type { ServerIdentity } from '../../server/gateway/greeting.ts';
import { StorageAllowance } from '../../server/gateway/storage-allowance.ts';
import { Heartbeats } from '../../server/heartbeats/heartbeats.ts';
import { Health } from '../../server/host/health.ts';
import { EventFeed } from '../../server/live/event-feed.ts';
import { MonitorBook } from '../../server/monitors/monitor-book.ts';
import { ResultMasks } from '../../server/monitors/result-masks.ts';
import { commitResults, type PipelinePorts } from '../../server/pipeline/commit-results.ts';
import { LatestResults } from '../../server/pipeline/latest-results.ts';
import { buildStates, type AlertPlans } from './build-states.ts';
import { buildFleet } from './build-fleet.ts';
import {
  buildSupervision,
  loadSupervision,
  stopSupervision,
  type Supervision,
  type SupervisionParts,
  type SupervisionPlans,
} from './build-supervision.ts';
import { eventAnswer, eventText } from '../../server/routes/event-text.ts';
import type { Store } from '../../server/store/store.ts';

export interface ServerParts extends SupervisionParts {
  readonly identity: ServerIdentity;
  /** A monitor out of what a person wrote. @throws {AppError} usage */
  readonly readMonitor: (definition: JsonObject) => MonitorSpec;
}

/** A server without its listeners: agents connect at the gateway, results go through the pipeline into the store. */
export type Server = ReturnType<typeof buildServer>;

/** Builds the rooms of a server and connects them. It has no sockets and no files: those are in its parts. */
export function buildServer(parts: ServerParts) {
  const { clock, store, identity, say } = parts;
  const view = viewOf(parts);
  const { fleet, health, publish } = view;
  const dispatcher = new Dispatcher({
    table: view.tasks,
    onSent: (agentId, change) => publish({ type: 'tasks', agentId, ...change }),
  });
  const masks = new ResultMasks();
  const book = bookOf(parts, { dispatcher, masks, onChanged: () => alerts.keeper.policiesChanged() });
  const supervision = buildSupervision(parts, view);
  const { records, sensorOrders } = supervision;
  const gate = gateOf(parts, { ...view, ...supervision });
  const runs = new TaskRuns({ clock, session: (agentId) => gateway.session(agentId) });
  view.bus.subscribe((event) => {
    if (event.type === 'result') runs.noteResult(event.result);
  });
  const alerts = buildStates({ clock, store, runs, say, ...view });
  const faults = new ConnectionFaults({ clock, health, say });
  const commit = committerOf(parts, { ...view, records, faults, masks });
  const heartbeats = new Heartbeats({
    clock,
    tasks: () => view.tasks.tasksOf(serverAgentId),
    latest: (taskId) => view.latest.get(taskId)?.result,
    received: () => store.received(serverAgentId, heartbeatEpoch),
    commit: (entries) => commit(serverAgentId, heartbeatEpoch, entries),
  });
  const gateway: Gateway = new Gateway({
    clock,
    identity,
    gatekeeper: gate,
    received: (agentId, epoch) => store.received(agentId, epoch),
    commit,
    ...presencePorts({ fleet, sensorOrders, dispatcher, records }),
    ...storagePort(parts, { ...view, faults }),
    beginChain: (agentId, chain) => records.chains.begin(agentId, chain),
    onTasksApplied: ({ agentId }, revision) => publish({ type: 'tasks-applied', agentId, revision }),
    onRunAnswer: (requestId, answer) => runs.answer(requestId, answer),
    onFault: (session, error) => faults.ended(session, error),
  });
  const issuer = { clock, tokens: store, serverKey: identity.publicKey };
  const administration = new AgentAdministration({ ...issuer, gate, gateway, dispatcher, sensorOrders });
  return { ...view, ...supervision, gate, gateway, faults, book, runs, administration, heartbeats, alerts, say };
}

/** One for ever: the store alone numbers what this server makes itself. */
const heartbeatEpoch = 'heartbeats';

/** Reads what was known when the server last ran; then agents may connect. */
export async function loadServer(server: Server, { clock, store, monitors, ...plans }: LoadParts): Promise<void> {
  const { gate, fleet, tasks, latest, book, states, heartbeats, alerts, bus, say } = server;
  await gate.load();
  fleet.restore((await store.agentStates()).flatMap((kept) => readAgentState(kept) ?? []));
  tasks.load(await store.tasks());
  latest.load(await store.latest(), clock);
  await loadSupervision(server, plans);
  await book.load(monitors);
  states.start();
  await heartbeats.start();
  alerts.follow(plans.alerts ?? { notify: [], windows: [] });
  await alerts.keeper.start();
  // From now on: what is only read from the store is no news.
  bus.subscribe((event) => {
    if (event.type === 'agent') sayAgentChange(event, say);
  });
}

export async function stopServer(server: Server): Promise<void> {
  const { gateway, fleet, states, heartbeats, alerts, feed } = server;
  heartbeats.stop();
  gateway.close();
  await fleet.stop();
  states.stop();
  await alerts.stop();
  feed.stop();
  await stopSupervision(server);
}

interface LoadParts extends SupervisionPlans {
  readonly alerts?: AlertPlans;
  readonly clock: Clock;
  readonly store: Store;
  /** Of the configuration file. */
  readonly monitors: readonly MonitorSpec[];
}

type View = ReturnType<typeof viewOf>;

/** What the server knows in memory of its agents and tasks, and who is told of changes. */
function viewOf({ clock, store }: ServerParts) {
  const bus = new InProcessBus();
  const publish = (event: ServerEvent): void => bus.publish(event);
  const latest = new LatestResults();
  const tasks = new TaskTable({ clock, assignTasks: (agentId, ids) => store.assignTasks(agentId, ids) });
  const fleet = buildFleet({ clock, store }, publish);
  const feed = new EventFeed({
    clock,
    // The moment of the start: no other run of this server has it.
    epoch: Math.round(clock.now()).toString(36),
    subscribe: (listener) => bus.subscribe(listener),
    write: (event, id) => eventText(event.type, eventAnswer(event), id),
  });
  const nameOf = (agentId: string): string => fleet.view(agentId)?.name ?? agentId;
  const health = new Health({
    clock,
    wanted: () => tasks.wanted,
    withoutAgent: () => tasks.withoutAgent,
    measuredMs: (taskId) => latest.get(taskId)?.measuredMs,
    agentName: nameOf,
  });
  bus.subscribe((event) => health.note(event));
  const states = new TaskStates({
    clock,
    wanted: () => tasks.wanted,
    tasksOf: (agentId) => tasks.tasksOf(agentId),
    latest: (taskId) => latest.get(taskId)?.result,
    isPresent: (agentId) => agentId === serverAgentId || fleet.isPresent(agentId),
    isCurrent: (wanted) => health.silence.isCurrent(wanted),
    onChange: (change) => publish(stateEvent(change, nameOf)),
  });
  bus.subscribe((event) => {
    if (event.type === 'result') states.noteResult(event.agentId, event.result.taskId);
    if (event.type === 'agent' || event.type === 'tasks') states.noteAgent(event.agentId);
  });
  return { bus, publish, latest, tasks, fleet, health, nameOf, states, feed };
}

function stateEvent({ wanted, since: _since, ...change }: StateChange, nameOf: View['nameOf']): ServerEvent {
  const { id: taskId, agentId, monitorId, monitorName: monitor } = wanted.task;
  return { type: 'state', agentId, name: nameOf(agentId), taskId, monitorId, monitor, ...change };
}

function gateOf({ clock, store, say }: ServerParts, { fleet, tasks, sessions }: View & Supervision): AgentGate {
  return new AgentGate({
    clock,
    records: store,
    say,
    onKnown({ id, name, revokedAt, removedAt }) {
      const agent = { id, name, isRevoked: revokedAt !== undefined };
      if (removedAt === undefined) fleet.expect(agent);
      else fleet.forget(id);
      tasks.expect(agent);
      if (!agent.isRevoked) sessions.noteAgent(agent);
    },
  });
}

interface BookReaders {
  readonly dispatcher: Dispatcher;
  readonly masks: ResultMasks;
  readonly onChanged: () => void;
}

function storagePort(
  { clock }: ServerParts,
  { tasks, fleet, faults }: View & { readonly faults: ConnectionFaults },
): Pick<GatewayPorts, 'takeStorage'> {
  const allowance = new StorageAllowance({
    clock,
    resultsPerSecond: (agentId) => tasks.resultsPerSecond(agentId),
    onUsedUp: (agentId) => faults.heldBack({ agentId, name: fleet.view(agentId)?.name ?? agentId }),
  });
  return { takeStorage: (agentId, bytes) => allowance.take(agentId, bytes) };
}

function bookOf(
  { clock, store, readMonitor, say }: ServerParts,
  { dispatcher, masks, onChanged }: BookReaders,
): MonitorBook {
  return new MonitorBook({
    saveMonitor: (monitor) => store.saveMonitor(monitor),
    monitors: () => store.monitors(),
    deleteMonitor: (monitorId) => store.deleteMonitor(monitorId, clock.now()),
    setPaused: (monitorId, isPaused) => store.setPaused(monitorId, isPaused),
    paused: () => store.paused(),
    read: readMonitor,
    async onChange(monitors) {
      masks.follow(monitors);
      await dispatcher.reconcile(monitors);
      onChanged();
    },
    onUnreadable: (id, message) => say(`The saved monitor ${id} can no longer be read and does not run: ${message}`),
  });
}

interface PresenceParts extends Pick<View, 'fleet'> {
  readonly sensorOrders: SensorOrders;
  readonly dispatcher: Dispatcher;
  readonly records: RecordIntake;
}

/** Tells the rooms that an agent came, spoke or went. */
function presencePorts({ fleet, sensorOrders, dispatcher, records }: PresenceParts) {
  return {
    onConnected(session) {
      const { agentId, address, version } = session;
      fleet.connected(agentId, { address, version });
      sensorOrders.connect(session);
      // The agent connects again, and then the store may answer.
      dispatcher.connect(session).catch((error: Error) => session.end('unavailable', error.message));
    },
    onDisconnected(session) {
      fleet.disconnected(session.agentId);
      dispatcher.disconnect(session);
      sensorOrders.disconnect(session);
    },
    onHeartbeat(session, heartbeat) {
      fleet.heard(session.agentId, heartbeat);
      for (const chain of records.chains.heard(session, heartbeat)) session.send({ type: 'chain-unknown', chain });
    },
  } satisfies Partial<ConstructorParameters<typeof Gateway>[0]>;
}

interface CommitParts extends View {
  readonly records: RecordIntake;
  readonly faults: ConnectionFaults;
  readonly masks: ResultMasks;
}

type AgentCommit = ConstructorParameters<typeof Gateway>[0]['commit'];

/** The pipeline, as the gateway calls it. */
function committerOf({ clock, store }: ServerParts, rooms: CommitParts): AgentCommit {
  const { latest, tasks, fleet, health, records, faults, masks, publish, nameOf } = rooms;
  const pipeline: PipelinePorts = {
    clock,
    latest,
    async commit(batch) {
      const committed = await store.commit(batch);
      records.committed(batch.records, committed);
      return committed;
    },
    readRecord: (agentId, item) => records.read(agentId, item),
    withoutSecrets: (item) => masks.apply(item),
    isTaskOf: (task, agentId) => tasks.isTaskOf(task, agentId),
    publish,
    onRefused: (agentId, count, why) => faults.refused({ agentId, name: nameOf(agentId) }, count, why),
  };
  return async (agentId, epoch, entries) => {
    const clockOffsetMs = fleet.view(agentId)?.clockOffsetMs ?? 0;
    const batch = { agentId, epoch, entries, receivedAt: clock.now(), clockOffsetMs };
    await health.watchCommit(commitResults(batch, pipeline));
  };
}
