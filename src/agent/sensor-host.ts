import { join } from 'node:path';
import type { Cancel, Clock, MachineTime } from '../core/clock.ts';
import { agentEnds } from '../core/record.ts';
import type { SensorType } from '../core/sensor.ts';
import type { ChainHead, SensorOrder, SensorReport, ServerMessage } from '../protocol/messages.ts';
import { EvidenceFolder } from './evidence/evidence-disk.ts';
import type { KeptOrder } from './agent-file.ts';
import type { Collected } from './notice-file.ts';
import { HostedSensor, type HostedSensorParts } from './hosted-sensor.ts';
import { disturbances, lookEveryMs, SmallSteps, type Clocks, type Moment } from './disturbances.ts';
import { refusalOfSensor, type LocalRules } from './local-rules.ts';

export type SensorsMessage = Extract<ServerMessage, { type: 'sensors' }>;

export interface SensorHostParts extends Pick<
  HostedSensorParts,
  'spool' | 'textOf' | 'version' | 'announce' | 'serverAddresses' | 'onFault'
> {
  readonly clock: Clock;
  readonly machine: MachineTime;
  /** Every sensor that this agent has. */
  readonly types: readonly SensorType[];
  readonly rules: LocalRules;
  /** Each sensor has a folder in it. */
  readonly folder: string;
  /** Called at each start and change of the order. */
  readonly onOrder: (order: SensorOrder) => void;
}

const deleteEveryMs = 3600_000;

/** Runs the sensors that the server orders, until the agreed end, each with its own chain of evidence. */
export class SensorHost {
  readonly #parts: SensorHostParts;
  readonly #sensors: readonly HostedSensor[];
  #order: KeptOrder;
  #isOver = false;
  #clocks: Clocks;
  readonly #smallSteps = new SmallSteps();
  #cancelLook: Cancel = () => {};
  #cancelDeletion: Cancel = () => {};

  /** `kept` is the saved order of the last run; it is in force until the server sends another. */
  constructor(parts: SensorHostParts, kept: KeptOrder) {
    this.#parts = parts;
    this.#order = kept;
    this.#clocks = this.#readClocks();
    const { types, folder, ...rest } = parts;
    const { clock, machine } = parts;
    // Two records of one boot have an order, whatever the wall clock did.
    const moment = (): Moment => ({ at: clock.now(), monotonicMs: machine.uptimeMs(), boot: machine.boot });
    this.#sensors = types.map(
      (type) => new HostedSensor({ ...rest, type, moment, disk: new EvidenceFolder(join(folder, type.type)) }),
    );
  }

  /** What is collected now. */
  get order(): SensorOrder {
    const { ends: _ends, ...order } = this.#order;
    return this.#isOver ? { ...order, sensors: [] } : order;
  }

  /** The last safe line of each chain that the server knows. */
  get heads(): readonly ChainHead[] {
    return this.#sensors.flatMap(({ head }) => head ?? []);
  }

  /** How each sensor is that is wanted. */
  get reports(): readonly SensorReport[] {
    const known = this.#sensors.flatMap(({ report }) => report ?? []);
    const missing = this.order.sensors.flatMap(({ sensor }) => {
      const message = this.#whyNot(sensor);
      return message === undefined ? [] : [{ sensor, state: 'unavailable' as const, message }];
    });
    return [...known, ...missing];
  }

  /** Shown to the watched person. */
  get collected(): readonly Collected[] {
    return this.#sensors.flatMap(({ collected }) => collected ?? []);
  }

  start(): void {
    this.#reconcile('');
    this.#look();
    this.#deleteOldFiles();
  }

  /** Replaces the current order at once. */
  take(order: KeptOrder): void {
    this.#order = order;
    this.#isOver = false;
    this.#reconcile('by order of the server');
    this.#look();
  }

  /** A new connection: the server may not know of every chain. */
  announce(): void {
    for (const sensor of this.#sensors) sensor.announce();
  }

  onChainBegun(chain: string): void {
    for (const sensor of this.#sensors) sensor.onChainBegun(chain);
  }

  onChainUnknown(chain: string): void {
    for (const sensor of this.#sensors) sensor.onChainUnknown(chain);
  }

  async stop(): Promise<void> {
    this.#cancelLook();
    this.#cancelDeletion();
    await Promise.all(this.#sensors.map((sensor) => sensor.close(agentEnds)));
  }

  #reconcile(why: string): void {
    const { by } = this.#order;
    this.#isOver ||= this.#leftMs() <= 0;
    const { sensors } = this.order;
    this.#parts.types.forEach(({ type }, index) => {
      const ordered = sensors.find(({ sensor }) => sensor === type && this.#whyNot(sensor) === undefined);
      const wanted = ordered && { options: ordered.options, by };
      this.#sensors[index]?.want(wanted, this.#isOver ? 'the time agreed on has come' : why);
    });
    const started = sensors.filter(({ sensor }) => this.#whyNot(sensor) === undefined);
    this.#parts.onOrder({ ...this.order, sensors: started });
  }

  /** Why a sensor cannot run here; undefined if it can. */
  #whyNot(sensor: string): string | undefined {
    if (!this.#parts.types.some(({ type }) => type === sensor)) return 'this agent has no such sensor: update it';
    return refusalOfSensor(sensor, this.#parts.rules);
  }

  /** Records what disturbed the watching since the last look, and ends collection at the agreed time. */
  #look(): void {
    const { clock } = this.#parts;
    const clocks = this.#readClocks();
    for (const record of [...disturbances(this.#clocks, clocks), ...this.#smallSteps.add(this.#clocks, clocks)])
      for (const sensor of this.#sensors) sensor.recordIfRunning(record);
    this.#clocks = clocks;
    if (!this.#isOver && this.#leftMs() <= 0) this.#reconcile('');
    this.#cancelLook();
    this.#cancelLook = clock.after(Math.min(lookEveryMs, this.#leftMs()), () => this.#look());
  }

  /** Until the agreed end: by the machine's own time since the order, and after another boot, for want of that, by the wall clock. */
  #leftMs(): number {
    const { clock, machine } = this.#parts;
    const { until, ends } = this.#order;
    if (until === undefined || this.#isOver) return Infinity;
    return ends?.boot === machine.boot ? ends.uptimeMs - machine.uptimeMs() : until - clock.now();
  }

  #deleteOldFiles(): void {
    for (const sensor of this.#sensors) void sensor.deleteOldFiles();
    this.#cancelDeletion = this.#parts.clock.after(deleteEveryMs, () => this.#deleteOldFiles());
  }

  #readClocks(): Clocks {
    const { clock, machine } = this.#parts;
    return { wallMs: clock.now(), monotonicMs: clock.monotonic(), uptimeMs: machine.uptimeMs() };
  }
}
