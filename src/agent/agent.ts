import { join } from 'node:path';
import type { Cancel, Clock, MachineTime } from '../core/clock.ts';
import type { AbsenceItem, ResultItem } from '../core/entry.ts';
import type { Network } from '../core/network.ts';
import type { SensorType } from '../core/sensor.ts';
import { keyPin } from '../protocol/identity.ts';
import type { Dialler } from '../protocol/line.ts';
import type { Heartbeat, SensorOrder } from '../protocol/messages.ts';
import { lineText } from '../records/record-line.ts';
import type { LagGuard } from '../schedule/lag.ts';
import { runMonitor } from '../schedule/runner.ts';
import type { AgentFile, AgentFolder } from './agent-file.ts';
import type { ChainBegin } from './hosted-sensor.ts';
import type { LocalRules } from './local-rules.ts';
import { writeNotice } from './notice-file.ts';
import { OwnTime } from './own-time.ts';
import { privileges } from './privileges.ts';
import { reportIntervalMs } from './report-file.ts';
import type { SelfTest } from './self-test.ts';
import { SensorHost, type SensorsMessage } from './sensor-host.ts';
import type { Spool } from './spool/spool.ts';
import { writeStatus } from './status-file.ts';
import { TaskExecutor } from './task-executor.ts';
import { TaskList, type Applied, type TasksMessage } from './task-list.ts';
import { Uplink, type LinkState, type UplinkPorts } from './uplink.ts';

export interface AgentParts {
  readonly clock: Clock;
  readonly dialler: Dialler;
  readonly net: Network;
  readonly machine: MachineTime;
  readonly folder: AgentFolder;
  readonly file: AgentFile;
  readonly spool: Spool;
  readonly selfTest: SelfTest;
  /** Runs; ended with the agent. */
  readonly lag: LagGuard;
  readonly sensorTypes: readonly SensorType[];
  readonly rules: LocalRules;
  readonly version: string;
  readonly random: () => number;
  /** A line for the operator: what changed between this agent and its server. */
  readonly onLink: (link: LinkState) => void;
  /** Called with the new order when what is collected on this machine changes. */
  readonly onOrder: (order: SensorOrder) => void;
  /** Called with a sentence when an operation on this machine fails. */
  readonly onFault: (text: string) => void;
}

/**
 * One vantage point. Tasks arrive over the uplink, the executor runs them, and each result goes into the spool and from the
 * spool to the server, whose acknowledgement deletes it. Without a server the agent continues with the tasks it has.
 */
export class Agent {
  readonly uplink: Uplink;
  readonly #parts: AgentParts;
  readonly #lag: LagGuard;
  readonly #tasks: TaskList;
  readonly #executor: TaskExecutor;
  readonly #sensors: SensorHost;
  readonly #ownTime: OwnTime;
  readonly #startedAt: number;
  readonly #privileges = privileges();
  #file: AgentFile;
  #link: LinkState = { state: 'connecting', server: '', message: 'not yet' };
  #lastAcknowledgedAt: number | undefined;
  #cancelStatus: Cancel = () => {};
  #savingTasks: Promise<void> = Promise.resolve();
  #areTasksSaved = true;

  constructor(parts: AgentParts) {
    const { clock, net, folder, file, rules } = parts;
    this.#parts = parts;
    this.#file = file;
    this.#startedAt = clock.now();
    this.#lag = parts.lag;
    this.#tasks = new TaskList(folder.tasks());
    this.#executor = new TaskExecutor({
      clock,
      rules,
      run: (monitor, turn) => runMonitor(monitor, { clock, net, lag: this.#lag, ...turn }),
      onResult: (item, { isPlain }) => void this.#record(item, isPlain),
    });
    this.#sensors = this.#sensorHost();
    const onAbsence = (absence: AbsenceItem): void => void this.#record(absence, false);
    this.#ownTime = new OwnTime({ clock, machine: parts.machine, files: folder.files, onAbsence });
    this.uplink = new Uplink(this.#uplinkPorts());
  }

  start(): void {
    this.#parts.selfTest.start();
    this.#try('When it runs was not noted', () => this.#ownTime.start());
    this.#executor.reconcile(this.#tasks.tasks);
    this.#sensors.start();
    this.#reportStatus();
  }

  /** Entries were recorded, or the spool's state changed. */
  onSpoolChange(): void {
    this.uplink.wake();
  }

  /** Stops within about a second; every finished measurement is in the spool. */
  async stop(): Promise<void> {
    await Promise.all([this.#executor.stop(), this.#sensors.stop(), this.#savingTasks]);
    this.#parts.selfTest.stop();
    this.#lag.stop();
    this.uplink.stop();
    this.#cancelStatus();
    this.#try('That it ends was not noted', () => this.#ownTime.stop());
    await this.#parts.spool.close();
  }

  async #record(item: ResultItem | AbsenceItem, droppable: boolean): Promise<void> {
    try {
      await this.#parts.spool.append(item, { droppable });
    } catch (error) {
      // The spool counts what it had no room for and says so in a gap entry; nothing else can be done here.
      this.#parts.onFault((error as Error).message);
    }
  }

  #uplinkPorts(): UplinkPorts {
    const { clock, dialler, file, version, random, onLink } = this.#parts;
    return {
      clock,
      dialler,
      version,
      random,
      identity: file,
      source: this.#source(),
      trust: () => this.#file,
      onWelcome: (serverKey, name) => {
        this.#remember({ serverPin: keyPin(serverKey), name });
        this.#sensors.announce();
      },
      onSensors: (message) => this.#takeOrder(message),
      onChainBegun: (chain) => this.#sensors.onChainBegun(chain),
      onChainUnknown: (chain) => this.#sensors.onChainUnknown(chain),
      onTasks: (message) => this.#takeTasks(message),
      onRunNow: (taskId) => this.#executor.runNow(taskId),
      vitals: () => this.#vitals(),
      onLink: (link) => {
        this.#link = link;
        onLink(link);
        // A disk that was full may have room now.
        if (link.state === 'connected' && !this.#areTasksSaved) this.#saveTasks();
      },
    };
  }

  #source(): UplinkPorts['source'] {
    const { spool, clock } = this.#parts;
    return {
      // It changes when its numbers can no longer be trusted.
      get epoch() {
        return String(spool.stats().epoch);
      },
      reconcile: (received) => spool.reconcile(received),
      startSending: () => spool.startSending(),
      read: (lane, limit) => spool.read(lane, limit),
      acknowledge: (ranges) => {
        this.#lastAcknowledgedAt = clock.now();
        spool.acknowledge(ranges);
      },
    };
  }

  #takeTasks(message: TasksMessage): Applied {
    const applied = this.#tasks.apply(message);
    if (applied === 'changed') {
      this.#executor.reconcile(this.#tasks.tasks);
      this.#saveTasks();
    }
    return applied;
  }

  /** Saved before it is applied, so that a restart without the server never collects more than was ordered. A full disk delays neither. */
  #takeOrder({ order: given, now }: SensorsMessage): void {
    const { machine } = this.#parts;
    const { until } = given;
    const order = {
      ...given,
      ...(until !== undefined && { ends: { boot: machine.boot, uptimeMs: machine.uptimeMs() + until - now } }),
    };
    this.#try('The order for the sensors was not saved', () => this.#parts.folder.saveSensorOrder(order));
    this.#sensors.take(order);
  }

  #sensorHost(): SensorHost {
    const { clock, machine, folder, spool, sensorTypes: types, rules, version, onOrder, onFault } = this.#parts;
    const announce = (begin: ChainBegin): void => this.uplink.announce(begin);
    const serverAddresses = (): readonly string[] => this.uplink.serverAddresses;
    const evidence = join(folder.path, 'evidence');
    const parts = {
      clock,
      machine,
      types,
      rules,
      spool,
      version,
      textOf: lineText,
      announce,
      serverAddresses,
      onOrder,
      onFault,
    };
    return new SensorHost({ ...parts, folder: evidence }, folder.sensorOrder());
  }

  /** For a start without the server. */
  #saveTasks(): void {
    const { folder, onFault } = this.#parts;
    this.#areTasksSaved = true;
    this.#savingTasks = folder.saveTasks(this.#tasks.tasks).catch((error: unknown) => {
      this.#areTasksSaved = false;
      onFault(`The tasks were not saved: ${(error as Error).message}`);
    });
  }

  /** A write that a full disk refuses is repeated later; it must not end the agent, which can still report. */
  #try(whatFails: string, write: () => void): void {
    try {
      write();
    } catch (error) {
      this.#parts.onFault(`${whatFails}: ${(error as Error).message}`);
    }
  }

  /** The greeting succeeded: from now on the pinned keys identify both sides, the join token is dropped, and the name is the server's. */
  #remember(met: { readonly serverPin: string; readonly name: string }): void {
    const { secret, ...file } = this.#file;
    if (secret === undefined && file.serverPin === met.serverPin && file.name === met.name) return;
    this.#file = { ...file, ...met };
    this.#try('Who this agent is was not saved', () => this.#parts.folder.saveIdentity(this.#file));
  }

  #vitals(): Omit<Heartbeat, 'type' | 'at'> {
    const { spool, selfTest } = this.#parts;
    const { depth, bytes, oldestAt, nextSeq, impaired, warning } = spool.stats();
    const health = selfTest.health();
    const spoolFault = impaired === undefined ? [] : [{ part: 'spool' as const, message: impaired }];
    return {
      queue: { depth, bytes, lastSeq: nextSeq - 1, ...(oldestAt !== undefined && { oldestUnsentAt: oldestAt }) },
      health: {
        ...health,
        impaired: [...health.impaired, ...spoolFault],
        warnings: warning === undefined ? [] : [warning],
      },
      tasks: this.#executor.size,
      chains: [...this.#sensors.heads],
      sensors: [...this.#sensors.reports],
    };
  }

  #reportStatus(): void {
    this.#try('The status was not written', () => {
      this.#writeStatus();
      this.#writeNotice();
      this.#ownTime.look();
    });
    this.#cancelStatus = this.#parts.clock.after(reportIntervalMs, () => this.#reportStatus());
  }

  #writeNotice(): void {
    const { clock, folder, spool } = this.#parts;
    const { by, purpose, until } = this.#sensors.order;
    writeNotice(folder.files, {
      name: this.#file.name,
      pid: process.pid,
      writtenAt: clock.now(),
      server: this.#link.server,
      isConnected: this.#link.state === 'connected',
      by,
      ...(purpose !== undefined && { purpose }),
      ...(until !== undefined && { until }),
      collected: this.#sensors.collected,
      waiting: spool.stats().depth,
      ...(this.#lastAcknowledgedAt !== undefined && { lastAcknowledgedAt: this.#lastAcknowledgedAt }),
      privileges: this.#privileges,
    });
  }

  #writeStatus(): void {
    const { clock, folder, version } = this.#parts;
    const { queue, health } = this.#vitals();
    writeStatus(folder.files, {
      agentId: this.#file.agentId,
      name: this.#file.name,
      version,
      pid: process.pid,
      startedAt: this.#startedAt,
      writtenAt: clock.now(),
      link: this.#link,
      lastAcknowledgedAt: this.#lastAcknowledgedAt,
      queue,
      health,
    });
  }
}
