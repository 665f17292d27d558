import type { Clock } from '../core/clock.ts';
import type { Entry } from '../core/entry.ts';
import { AppError } from '../core/errors.ts';
import type { ServerEvent } from '../core/event.ts';
import type { JsonObject } from '../core/outcome.ts';
import type { MonitorSpec } from '../core/monitor-spec.ts';
import type { SensorPlan } from '../core/sensor-plan.ts';
import { createJoinToken, formatJoinToken, storedToken } from '../protocol/join-token.ts';
import { ProtocolError } from '../protocol/frames.ts';
import { keyPin } from '../protocol/identity.ts';
import { AgentGate } from './auth/agent-gate.ts';
import { InProcessBus } from './bus/in-process.ts';
import { Dispatcher } from './fleet/dispatcher.ts';
import { signedManifest, type Excerpt } from './evidence/manifest.ts';
import type { SignedManifest } from '../records/manifest.ts';
import { RecordIntake } from './evidence/record-intake.ts';
import { Fleet } from './fleet/fleet.ts';
import type { AgentSession } from './gateway/agent-session.ts';
import { FaultLog } from './gateway/fault-log.ts';
import { Gateway } from './gateway/gateway.ts';
import type { ServerIdentity } from './gateway/greeting.ts';
import { Health } from './host/health.ts';
import { MonitorBook } from './monitors/monitor-book.ts';
import { commitResults } from './pipeline/commit-results.ts';
import { LatestResults } from './pipeline/latest-results.ts';
import { SensorOrders } from './fleet/sensor-orders.ts';
import { TaskTable } from './fleet/task-table.ts';
import type { Store } from './store/store.ts';
import { TaskRuns } from './fleet/task-runs.ts';

export interface ServerParts {
  readonly clock: Clock;
  readonly identity: ServerIdentity;
  readonly store: Store;
  /** A monitor out of what a person wrote. @throws {AppError} usage */
  readonly readMonitor: (definition: JsonObject) => MonitorSpec;
  /** A line for the operator. */
  readonly say: (text: string) => void;
}

interface Invitation {
  readonly lifetimeMs: number;
  /** An agent whose name is taken gets a number behind it, instead of being refused. */
  readonly numbersNames?: boolean;
}

const cloneAdvice =
  'If this is said again, two processes use copies of one agent folder: revoke the agent and let one of them join anew.';

/** The server without its listeners: agents in at the gateway, results through the pipeline into the store, monitors out as tasks. */
export class Server {
  readonly bus = new InProcessBus();
  readonly latest = new LatestResults();
  readonly gateway: Gateway;
  readonly fleet: Fleet;
  readonly tasks: TaskTable;
  readonly dispatcher: Dispatcher;
  readonly book: MonitorBook;
  readonly health: Health;
  readonly records: RecordIntake;
  readonly sensorOrders: SensorOrders;
  readonly #parts: ServerParts;
  readonly #gate: AgentGate;
  readonly #runs: TaskRuns;
  readonly #faults: FaultLog;

  constructor(parts: ServerParts) {
    const { clock, store, say } = parts;
    this.#parts = parts;
    this.#runs = new TaskRuns(clock);
    this.#faults = new FaultLog({ clock, say });
    this.fleet = new Fleet({
      clock,
      onChange: ({ id, name, address, status }, before) =>
        this.#publish({ type: 'agent', agentId: id, name, address, status, before }),
    });
    this.#gate = new AgentGate({
      clock,
      records: store,
      say,
      onKnown: ({ id, name, revokedAt }) => this.#know({ id, name, isRevoked: revokedAt !== undefined }),
    });
    this.tasks = new TaskTable({ clock, assignTasks: (agentId, ids) => store.assignTasks(agentId, ids) });
    this.dispatcher = new Dispatcher({
      table: this.tasks,
      onSent: (agentId, { revision, set, removed }) =>
        this.#publish({ type: 'tasks', agentId, revision, set, removed }),
    });
    this.book = new MonitorBook({
      saveMonitor: (monitor) => store.saveMonitor(monitor),
      monitors: () => store.monitors(),
      deleteMonitor: (monitorId) => store.deleteMonitor(monitorId),
      setPaused: (monitorId, isPaused) => store.setPaused(monitorId, isPaused),
      paused: () => store.paused(),
      read: parts.readMonitor,
      onChange: (monitors) => this.dispatcher.reconcile(monitors),
      onUnreadable: (id, message) => say(`The saved monitor ${id} can no longer be read and does not run: ${message}`),
    });
    this.health = new Health({
      clock,
      wanted: () => this.tasks.wanted,
      withoutAgent: () => this.tasks.withoutAgent,
      heardMs: (taskId) => this.latest.get(taskId)?.heardMs,
      agentName: (agentId) => this.fleet.view(agentId)?.name ?? agentId,
    });
    this.sensorOrders = new SensorOrders(clock);
    this.records = new RecordIntake({
      clock,
      store,
      agentOf: (agentId) => this.fleet.view(agentId) ?? { name: agentId, address: undefined },
      publish: (event) => this.#publish(event),
      say,
    });
    this.gateway = new Gateway(this.#gatewayPorts());
  }

  /** Reads what was known when the server last ran; then agents may come. */
  async load(monitors: readonly MonitorSpec[], sensorPlans: readonly SensorPlan[] = []): Promise<void> {
    await this.#gate.load();
    this.tasks.load(await this.#parts.store.tasks());
    for (const { agentId, place, ...result } of await this.#parts.store.latest())
      this.latest.take(
        { agentId, result, receivedAt: result.startedAt + result.durationMs, heardMs: undefined },
        place,
      );
    await this.records.chains.load();
    this.sensorOrders.reconcile(sensorPlans);
    await this.book.load(monitors);
  }

  /** A one-use token for one agent. */
  async invite({
    lifetimeMs,
    numbersNames = false,
  }: Invitation): Promise<{ readonly token: string; readonly expiresAt: number }> {
    const { clock, store, identity } = this.#parts;
    const token = createJoinToken(keyPin(identity.publicKey));
    const createdAt = clock.now();
    const expiresAt = createdAt + lifetimeMs;
    await store.createJoinToken({ ...storedToken(token.secret), createdAt, expiresAt, numbersNames });
    return { token: formatJoinToken(token), expiresAt };
  }

  /** Refuses an agent's key from now on and ends its connection. False if there is no such agent, or it is revoked already. */
  async revoke(agentId: string): Promise<boolean> {
    const isRevoked = this.#gate.revoke(agentId);
    this.gateway.session(agentId)?.end('revoked', 'this agent was revoked');
    return await isRevoked;
  }

  /** Gives an agent another name; what it runs and watches by its name follows. @throws {AppError} usage, not-found */
  async rename(agentId: string, name: string): Promise<void> {
    await this.#gate.rename(agentId, name);
    this.gateway.session(agentId)?.rename(name);
    this.sensorOrders.refresh();
    await this.dispatcher.refresh(agentId);
  }

  /** What there is of an agent's records, signed with this server's key. */
  async manifest(excerpt: Excerpt, version: string): Promise<SignedManifest> {
    const { store, identity, clock } = this.#parts;
    return await signedManifest(excerpt, { store, identity, version, now: clock.now() });
  }

  /** Runs a task once. @throws {AppError} unavailable */
  async runNow(agentId: string, taskId: string): Promise<void> {
    const session = this.gateway.session(agentId);
    if (!session)
      throw new AppError('unavailable', `agent ${this.fleet.view(agentId)?.name ?? agentId} is not connected`);
    await this.#runs.ask(taskId, (message) => session.send(message));
  }

  async stop(): Promise<void> {
    this.gateway.close();
    this.fleet.stop();
    this.sensorOrders.stop();
    await this.records.chains.stop();
  }

  #gatewayPorts(): ConstructorParameters<typeof Gateway>[0] {
    const { clock, identity, store } = this.#parts;
    return {
      clock,
      identity,
      gatekeeper: this.#gate,
      received: (agentId, epoch) => store.received(agentId, epoch),
      commit: (agentId, epoch, entries) => this.#commit(agentId, epoch, entries),
      onConnected: (session) => void this.#welcome(session),
      onDisconnected: (session) => {
        this.fleet.disconnected(session.agentId);
        this.dispatcher.disconnect(session);
        this.sensorOrders.disconnect(session);
      },
      onHeartbeat: (session, heartbeat) => {
        this.fleet.heard(session.agentId, heartbeat);
        for (const chain of this.records.chains.heard(session, heartbeat))
          session.send({ type: 'chain-unknown', chain });
      },
      beginChain: (agentId, chain) => this.records.chains.begin(agentId, chain),
      onTasksApplied: ({ agentId }, revision) => this.#publish({ type: 'tasks-applied', agentId, revision }),
      onRunAnswer: (requestId, refusal) => this.#runs.answer(requestId, refusal),
      onFault: (session, error) => this.#noteFault(session, error),
    };
  }

  async #welcome(session: AgentSession): Promise<void> {
    const { agentId, address, version } = session;
    this.fleet.connected(agentId, { address, version });
    this.sensorOrders.connect(session);
    try {
      await this.dispatcher.connect(session);
    } catch (error) {
      // It comes again, and then the store may answer.
      session.end('unavailable', (error as Error).message);
    }
  }

  async #commit(agentId: string, epoch: string, entries: readonly Entry[]): Promise<void> {
    try {
      const clockOffsetMs = this.fleet.view(agentId)?.clockOffsetMs ?? 0;
      const batch = { agentId, epoch, entries, receivedAt: this.#parts.clock.now(), clockOffsetMs };
      await commitResults(batch, this.#pipelinePorts());
      this.health.noteStore(undefined);
    } catch (error) {
      // What the store never takes is the agent's fault, and says nothing of the store.
      if (error instanceof AppError && error.code === 'usage')
        throw new ProtocolError('not-your-entries', error.message);
      this.health.noteStore((error as Error).message);
      throw error instanceof AppError ? new ProtocolError('unavailable', error.message) : error;
    }
  }

  #noteFault({ agentId, name, address }: AgentSession, error: Error): void {
    const code = error instanceof ProtocolError ? error.code : 'connection';
    this.health.noteFault(code);
    const who = agentId === '' ? address : `agent ${name} at ${address}`;
    const next = code === 'replaced' ? `. ${cloneAdvice}` : '';
    // A stranger's words are not for our log: anybody could write there what operators believe.
    const isStrangers = agentId === '' && error instanceof ProtocolError && error.quotesOther;
    const why = isStrangers ? `it does not speak as an agent does (${code})` : error.message;
    this.#faults.tell(`${agentId || address} ${code}`, `The connection from ${who} ended: ${why}${next}`);
  }

  #noteRefused(agentId: string, count: number, why: string): void {
    this.health.counters.refused += count;
    const name = this.fleet.view(agentId)?.name ?? agentId;
    this.#faults.tell(`${agentId} refused`, `Agent ${name} sent ${count} entries that were not kept: ${why}.`);
  }

  #pipelinePorts(): Parameters<typeof commitResults>[1] {
    return {
      clock: this.#parts.clock,
      latest: this.latest,
      commit: async (batch) => {
        const committed = await this.#parts.store.commit(batch);
        this.records.committed(batch.records, committed);
        return committed;
      },
      readRecord: (agentId, item) => this.records.read(agentId, item),
      isTaskOf: (taskId, agentId) => this.tasks.isTaskOf(taskId, agentId),
      publish: (event) => this.#publish(event),
      onRefused: (agentId, count, why) => this.#noteRefused(agentId, count, why),
    };
  }

  #know(agent: { readonly id: string; readonly name: string; readonly isRevoked: boolean }): void {
    this.fleet.expect(agent);
    this.tasks.expect(agent);
  }

  #publish(event: ServerEvent): void {
    this.health.note(event);
    this.bus.publish(event);
  }
}
