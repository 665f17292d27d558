import type { Cancel, Clock } from '../core/clock.ts';
import type { JsonObject } from '../core/outcome.ts';
import { printable } from '../core/printable.ts';
import type { SensorRecord } from '../core/record.ts';
import type { RunningSensor, SensorContext, SensorState, SensorType } from '../core/sensor.ts';
import { recordVersion, type RecordBody } from '../records/chain.ts';
import type { AgentMessage, ChainHead, SensorReport } from '../protocol/messages.ts';
import { EvidenceChain } from './evidence/evidence-chain.ts';
import { isDiskError } from './on-disk.ts';
import type { EvidenceDisk } from './evidence/evidence-disk.ts';
import type { TextOf } from './evidence/evidence-files.ts';
import type { Collected } from './notice-file.ts';
import type { Spool } from './spool/spool.ts';
import { blindSince, type Moment } from './disturbances.ts';

export type ChainBegin = Extract<AgentMessage, { type: 'chain-begin' }>;

export interface HostedSensorParts {
  readonly type: SensorType;
  readonly disk: EvidenceDisk;
  readonly clock: Clock;
  readonly spool: Pick<Spool, 'append'>;
  readonly moment: () => Moment;
  readonly textOf: TextOf;
  /** Version of this program, written into the records. */
  readonly version: string;
  /** Tells the server of a new chain, if there is a connection. */
  readonly announce: (begin: ChainBegin) => void;
  readonly serverAddresses?: SensorContext['serverAddresses'];
  /** A sentence for the operator. */
  readonly onFault: (text: string) => void;
}

/** What the server ordered of one sensor. */
export interface Wanted {
  readonly options: JsonObject;
  /** Who collects. */
  readonly by: string;
}

interface Run {
  /** Undefined if it could not be started. */
  readonly sensor: Promise<RunningSensor | undefined>;
  readonly chain: EvidenceChain;
  /** As JSON: other options are another run. */
  readonly options: string;
  /** Stops accepting records from the sensor. */
  readonly leave: () => void;
}

const retryAfterMs = 5000;
/** Silence that is longer than this was not watched. */
const beatEveryMs = 40_000;
/** Twice the time that a sensor may take to stop. */
const stopLimitMs = 2000;
const settleLimitMs = stopLimitMs + 500;
const maxMessageCharacters = 300;

/** One sensor of this machine: its chain, which outlives every run, and the running sensor while an order asks for it. */
export class HostedSensor {
  readonly #parts: HostedSensorParts;
  #wanted: Wanted | undefined;
  /** Reason that the next `stopped` record gives. */
  #why = '';
  #chain: EvidenceChain | undefined;
  /** The chain that the server confirmed, and the one that it cannot verify. */
  #begun: string | undefined;
  #unknown: string | undefined;
  #run: Run | undefined;
  #state: SensorState = { state: 'unavailable', message: 'waits until the server knows its chain' };
  #settling: Promise<void> | undefined;
  #isUnsettled = false;
  #isClosed = false;
  #cancelRetry: Cancel = () => {};
  #cancelBeat: Cancel = () => {};

  constructor(parts: HostedSensorParts) {
    this.#parts = parts;
  }

  /** The last line on disk; undefined until the server has confirmed the chain. */
  get head(): ChainHead | undefined {
    return this.#chain?.head;
  }

  /** Undefined if it is not wanted. */
  get report(): SensorReport | undefined {
    if (!this.#wanted) return undefined;
    const impaired = this.#chain?.impaired;
    const state: SensorState = impaired === undefined ? this.#state : { state: 'limited', message: impaired };
    return { sensor: this.#parts.type.type, ...state };
  }

  /** Shown to the watched person; undefined if no order asks for this sensor. */
  get collected(): Collected | undefined {
    const { report, head } = this;
    if (!report) return undefined;
    const { title, summary } = this.#parts.type;
    const { state, message } = report;
    const lastRecordAt = this.#chain?.lastAt;
    const last = lastRecordAt !== undefined && { lastRecordAt };
    return { title, summary, state, message, records: head?.n ?? 0, ...last };
  }

  /** Starts, changes or stops the sensor to match `wanted`; `why` goes into the record that says it stopped. */
  want(wanted: Wanted | undefined, why: string): void {
    this.#wanted = wanted;
    this.#why = why;
    this.#settle();
  }

  /** Announces the chain again if the server has not confirmed it, for instance because it lost its memory of it. */
  announce(): void {
    const announcement = this.#chain?.announcement;
    if (announcement) this.#parts.announce({ type: 'chain-begin', sensor: this.#parts.type.type, ...announcement });
  }

  /** The server confirmed a chain; chains of other sensors are ignored. */
  onChainBegun(chain: string): void {
    if (this.#chain?.announcement?.chain !== chain) return;
    this.#begun = chain;
    this.#settle();
  }

  /** The server cannot verify a chain, for instance after a restored backup; chains of other sensors are ignored. */
  onChainUnknown(chain: string): void {
    if (this.#chain?.id !== chain) return;
    this.#unknown = chain;
    this.#settle();
  }

  /** Writes a record if it is being collected now. */
  recordIfRunning(record: SensorRecord): void {
    this.#run?.chain.record(record);
  }

  async deleteOldFiles(): Promise<void> {
    await this.#chain?.deleteOldFiles({ classOfData: this.#parts.type.classOfData, isInUse: this.#run !== undefined });
  }

  /** Stops the sensor. What it saw is on disk and in the spool, unless these refused it. */
  async close(why: string): Promise<void> {
    this.want(undefined, why);
    // A change under way may wait for a disk or spool that refuses, until the chain is closed.
    await this.#within(settleLimitMs, this.#settling);
    this.#isClosed = true;
    this.#cancelRetry();
    await this.#chain?.close();
  }

  #settle(): void {
    this.#isUnsettled = true;
    this.#settling ??= this.#untilSettled();
  }

  /** Applies one change at a time; orders that arrive meanwhile are applied afterwards. */
  async #untilSettled(): Promise<void> {
    while (this.#isUnsettled) {
      this.#isUnsettled = false;
      await this.#step();
    }
    this.#settling = undefined;
  }

  async #step(): Promise<void> {
    const wanted = this.#wanted;
    if (this.#run && this.#run.options !== (wanted && JSON.stringify(wanted.options))) await this.#stop(this.#run);
    const chain = await this.#chainFor(wanted);
    if (!chain) return;
    await this.#attempt(() => this.#agree(chain));
    if (wanted && !this.#run && !chain.announcement) this.#start(wanted, chain);
  }

  /** Makes sure that the server knows the current chain, or announces it. */
  async #agree(chain: EvidenceChain): Promise<void> {
    if (chain.id === this.#unknown) await chain.beginAnew();
    if (chain.announcement && chain.announcement.chain === this.#begun) await chain.announced();
    this.announce();
  }

  /** An existing chain is opened even without an order: it may hold lines that the server does not have yet. */
  async #chainFor(wanted: Wanted | undefined): Promise<EvidenceChain | undefined> {
    const { type, disk, ...rest } = this.#parts;
    await this.#attempt(async () => {
      if (this.#chain || (!wanted && (await disk.list()).length === 0)) return;
      const stamp = (record: SensorRecord): RecordBody => ({
        ...record,
        sensor: type.type,
        v: recordVersion,
        ...rest.moment(),
      });
      this.#chain = await EvidenceChain.open({ ...rest, disk, stamp, sensor: type.type });
      const { before } = this.#chain;
      const blind = before && blindSince(before, { ...rest.moment(), isOrdered: wanted !== undefined });
      if (blind) this.#chain.record(blind);
      void this.deleteOldFiles();
    });
    return this.#chain;
  }

  /** A start that never completes must not block the next order or shutdown. */
  #start({ options, by }: Wanted, chain: EvidenceChain): void {
    const { type, clock, version, serverAddresses } = this.#parts;
    const parsed = type.options.safeParse(options);
    if (!parsed.success) {
      const mistakes = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'options'}: ${message}`);
      return this.#setState({ state: 'unavailable', message: `the options do not fit: ${mistakes.join('; ')}` });
    }
    const words = JSON.stringify(options);
    const message = `agent ${version}, by order of ${by}, with the options ${words}`;
    chain.record({ event: 'sensor-started', message: short(message) });
    this.#setState({ state: 'unavailable', message: 'is being started' });
    let isOver = false;
    this.#beatLater(chain);
    const context = {
      clock,
      record: (record: SensorRecord) => isOver || this.#record(record, chain),
      onState: (state: SensorState) => isOver || this.#noteState(state, chain),
      ...(serverAddresses && { serverAddresses }),
    };
    const sensor = Promise.try(() => type.start(parsed.data, context)).catch((error: unknown) => {
      this.#fail(error);
      this.#cancelBeat();
      if (this.#run === run) this.#run = undefined;
      return undefined;
    });
    const run: Run = { sensor, chain, options: words, leave: () => (isOver = true) };
    this.#run = run;
  }

  #record(record: SensorRecord, chain: EvidenceChain): void {
    chain.record(record);
    this.#beatLater(chain);
  }

  /** A record that it still watches, unless another comes first. */
  #beatLater(chain: EvidenceChain): void {
    this.#cancelBeat();
    this.#cancelBeat = this.#parts.clock.after(beatEveryMs, () => {
      if (this.#state.state === 'unavailable') this.#beatLater(chain);
      else this.#record({ event: 'watching' }, chain);
    });
  }

  async #stop({ sensor, chain, leave }: Run): Promise<void> {
    const stopped = sensor.then((started) => started?.stop()).catch((error: unknown) => this.#fail(error));
    await this.#within(stopLimitMs, stopped);
    leave();
    // Only now: what it wrote as it stopped has set another, which would keep the agent from ending.
    this.#cancelBeat();
    const message = this.#wanted ? 'to begin again with what is ordered now' : short(this.#why);
    chain.record({ event: 'sensor-stopped', message });
    this.#run = undefined;
  }

  async #within(limitMs: number, work: Promise<void> | undefined): Promise<void> {
    const limit = Promise.withResolvers<void>();
    const cancel = this.#parts.clock.after(limitMs, limit.resolve);
    await Promise.race([work, limit.promise]);
    cancel();
  }

  /** A sensor must not throw. If one does, that is a bug; the agent's other work continues. */
  #fail(error: unknown): void {
    const message = `a mistake in this program: ${error instanceof Error ? error.message : String(error)}`;
    this.#setState({ state: 'unavailable', message });
    this.#parts.onFault(`${this.#parts.type.title}: ${message}`);
  }

  #noteState(state: SensorState, chain: EvidenceChain): void {
    const isNews = state.state !== this.#state.state || state.message !== this.#state.message;
    this.#setState(state);
    if (isNews) chain.record({ event: 'sensor-state', ...state, message: short(state.message) });
  }

  #setState({ state, message }: SensorState): void {
    this.#state = { state, message: printable(message) };
  }

  /** Retries what a full disk refuses; it must not end the agent. */
  async #attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!isDiskError(error)) throw error;
      const message = `the evidence folder refuses (${error.message}): free space on its disk or repair it`;
      if (!this.#run) this.#setState({ state: 'unavailable', message });
      this.#parts.onFault(`${this.#parts.type.title}: ${message}`);
      this.#cancelRetry();
      if (this.#isClosed) return;
      this.#cancelRetry = this.#parts.clock.after(retryAfterMs, () => this.#settle());
    }
  }
}

function short(text: string): string {
  const shown = printable(text);
  return shown.length <= maxMessageCharacters ? shown : `${shown.slice(0, maxMessageCharacters - 1)}…`;
}
