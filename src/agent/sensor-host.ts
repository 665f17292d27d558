import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Cancel, Clock } from '../core/clock.ts';
import type { SensorType } from '../core/sensor.ts';
import type { ChainHead, SensorOrder, SensorReport } from '../protocol/messages.ts';
import { EvidenceFolder } from './evidence/evidence-disk.ts';
import type { Collected } from './notice-file.ts';
import { HostedSensor, type HostedSensorParts, type Moment } from './hosted-sensor.ts';

export interface SensorHostParts extends Pick<
  HostedSensorParts,
  'spool' | 'textOf' | 'version' | 'announce' | 'serverAddresses' | 'onFault'
> {
  readonly clock: Clock;
  /** Every sensor that this agent has. */
  readonly types: readonly SensorType[];
  /** Each sensor has a folder in it. */
  readonly folder: string;
  /** Called at each start and change of the order. */
  readonly onOrder: (order: SensorOrder) => void;
}

/** If the wall clock moves by more than this between two looks, it was set or the machine slept. */
const jumpMs = 2000;
const lookEveryMs = 2000;
const deleteEveryMs = 3600_000;

/** Runs the sensors that the server orders, until the agreed end, each with its own chain of evidence. */
export class SensorHost {
  readonly #parts: SensorHostParts;
  readonly #sensors: readonly HostedSensor[];
  #order: SensorOrder;
  #isOver = false;
  #offsetMs: number;
  #cancelLook: Cancel = () => {};
  #cancelDeletion: Cancel = () => {};

  /** `kept` is the saved order of the last run; it is in force until the server sends another. */
  constructor(parts: SensorHostParts, kept: SensorOrder) {
    this.#parts = parts;
    this.#order = kept;
    this.#offsetMs = this.#wallOffsetMs();
    const { types, folder, ...rest } = parts;
    const moment = momentsBy(parts.clock);
    this.#sensors = types.map(
      (type) => new HostedSensor({ ...rest, type, moment, disk: new EvidenceFolder(join(folder, type.type)) }),
    );
  }

  /** What is collected now. */
  get order(): SensorOrder {
    return this.#isOver ? { ...this.#order, sensors: [] } : this.#order;
  }

  /** The last safe line of each chain that the server knows. */
  get heads(): readonly ChainHead[] {
    return this.#sensors.flatMap(({ head }) => head ?? []);
  }

  /** How each sensor is that is wanted. */
  get reports(): readonly SensorReport[] {
    const known = this.#sensors.flatMap(({ report }) => report ?? []);
    const unknown = this.order.sensors.filter(({ sensor }) => !this.#parts.types.some(({ type }) => type === sensor));
    const message = 'this agent has no such sensor: update it';
    return [...known, ...unknown.map(({ sensor }) => ({ sensor, state: 'unavailable' as const, message }))];
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
  take(order: SensorOrder): void {
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
    await Promise.all(this.#sensors.map((sensor) => sensor.close('the agent ends')));
  }

  #reconcile(why: string): void {
    const { until, by } = this.#order;
    this.#isOver ||= until !== undefined && this.#parts.clock.now() >= until;
    const { sensors } = this.order;
    this.#parts.types.forEach(({ type }, index) => {
      const ordered = sensors.find(({ sensor }) => sensor === type);
      const wanted = ordered && { options: ordered.options, by };
      this.#sensors[index]?.want(wanted, this.#isOver ? 'the time agreed on has come' : why);
    });
    this.#parts.onOrder(this.order);
  }

  /** Detects a clock that was set, and ends collection at the agreed time. */
  #look(): void {
    const { clock } = this.#parts;
    const offsetMs = this.#wallOffsetMs();
    const byMs = Math.round(offsetMs - this.#offsetMs);
    this.#offsetMs = offsetMs;
    if (Math.abs(byMs) > jumpMs)
      for (const sensor of this.#sensors) sensor.recordIfRunning({ event: 'clock-jump', byMs });
    const { until = Infinity } = this.#order;
    const isEnding = !this.#isOver && clock.now() >= until;
    if (isEnding) this.#reconcile('');
    const untilMs = this.#isOver ? Infinity : Math.max(0, until - clock.now());
    this.#cancelLook();
    this.#cancelLook = clock.after(Math.min(lookEveryMs, untilMs), () => this.#look());
  }

  #deleteOldFiles(): void {
    for (const sensor of this.#sensors) void sensor.deleteOldFiles();
    this.#cancelDeletion = this.#parts.clock.after(deleteEveryMs, () => this.#deleteOldFiles());
  }

  #wallOffsetMs(): number {
    const { clock } = this.#parts;
    return clock.now() - clock.monotonic();
  }
}

/** Milliseconds since the boot: two records of one boot have an order, whatever the wall clock did. */
function momentsBy(clock: Clock): () => Moment {
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  const bootedMs = Number(process.hrtime.bigint()) / 1e6 - clock.monotonic();
  return () => ({ at: clock.now(), monotonicMs: bootedMs + clock.monotonic(), boot });
}
