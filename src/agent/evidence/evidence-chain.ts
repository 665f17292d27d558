import { sleep, type Clock } from '../../core/clock.ts';
import type { ClassOfData, SensorRecord } from '../../core/record.ts';
import type { SensorName } from '../../core/sensor.ts';
import { seal, type RecordBody, type WrittenChain } from '../../records/chain.ts';
import type { ChainHead } from '../../protocol/messages.ts';
import { contentOf, type LineContent } from '../../records/record-line.ts';
import type { Spool } from '../spool/spool.ts';
import { saveChain, type KeptChain } from './chain-file.ts';
import { Delivery, type NumberedLine } from './delivery.ts';
import { isDiskError } from '../on-disk.ts';
import type { EvidenceDisk } from './evidence-disk.ts';
import { EvidenceFiles, linesFiles, type LineBatch, type TextOf } from './evidence-files.ts';
import { PendingRecords, type Stamp } from './pending-records.ts';
import { newChain, recoverChain, type RecoveredChain } from './recovery.ts';
import { deleteFiles, oldFiles } from './retention.ts';

export interface ChainParts {
  readonly sensor: SensorName;
  readonly disk: EvidenceDisk;
  readonly spool: Pick<Spool, 'append'>;
  readonly clock: Clock;
  readonly stamp: Stamp;
  readonly textOf: TextOf;
  /** A sentence for the operator. */
  readonly onFault: (text: string) => void;
}

export interface DeletionOptions {
  readonly classOfData: ClassOfData;
  /** True while a sensor writes to the chain. */
  readonly isInUse: boolean;
}

interface SealedBatch {
  readonly files: LineBatch;
  readonly lines: readonly NumberedLine[];
  readonly after: WrittenChain;
}

/** Pause before a refusing disk is tried again. */
const retryAfterMs = 1000;
/** Sealing pauses while more lines than this wait for the spool. */
const maxUndelivered = 2000;
/** Time that shutdown waits for a disk that does not answer; the next start hands over again what the spool may lack. */
const closeLimitMs = 2000;

/**
 * The records of one sensor, safe from crashes and changes. Order of truth: lines are synced, then the state with the next key
 * replaces the previous one, then the spool gets the lines. A sealed batch is retried until it is written; only then comes the next.
 */
export class EvidenceChain {
  readonly #parts: ChainParts;
  readonly #files: EvidenceFiles;
  readonly #pending: PendingRecords;
  #delivery: Delivery;
  readonly #closing = new AbortController();
  /** The state as it is on disk. */
  #kept: KeptChain;
  #working: Promise<void> | undefined;
  #impaired: string | undefined;
  /** The last record of the run before; undefined if there was none. */
  readonly before: LineContent | undefined;
  #lastAt: number | undefined;

  /** Continues the chain of a folder, or begins one. Rejects with the disk's error. */
  static async open(parts: ChainParts): Promise<EvidenceChain> {
    const chain = new EvidenceChain(parts, await recoverChain(parts.disk));
    await chain.#files.restoreTexts();
    return chain;
  }

  private constructor(parts: ChainParts, { kept, files, undelivered, faults, last }: RecoveredChain) {
    const { disk, textOf, stamp } = parts;
    this.#parts = parts;
    this.#kept = kept;
    this.before = last === undefined ? undefined : contentOf(last);
    this.#files = new EvidenceFiles(disk, { ...files, textOf });
    this.#pending = new PendingRecords(stamp);
    this.#delivery = this.#newDelivery();
    this.#delivery.add(undelivered);
    for (const message of faults) this.record({ event: 'lost', message });
  }

  get id(): string {
    return this.#kept.chain;
  }

  /** The announcement that the server must confirm before anything is written; undefined once it has. */
  get announcement(): { readonly chain: string; readonly key: string } | undefined {
    const { announced, chain, key } = this.#kept;
    return announced ? undefined : { chain, key };
  }

  /** The last durable line; undefined until the server has confirmed the chain. */
  get head(): ChainHead | undefined {
    const { announced, chain, n, head } = this.#kept;
    return announced ? { sensor: this.#parts.sensor, chain, n, head } : undefined;
  }

  /** Time of the last record of this run. */
  get lastAt(): number | undefined {
    return this.#lastAt;
  }

  /** Why records wait in memory; undefined if they do not. */
  get impaired(): string | undefined {
    return this.#impaired;
  }

  /** The server has confirmed the chain's first key, so pending records are written. Rejects with the disk's error. */
  async announced(): Promise<void> {
    const kept = { ...this.#kept, announced: true };
    await saveChain(this.#parts.disk, kept);
    this.#kept = kept;
    this.#wake();
  }

  /** Ends this chain, which the server cannot verify, and begins another that must be announced. Rejects with the disk's error. */
  beginAnew(): Promise<void> {
    return this.#alone(async () => {
      const { chain, n } = this.#kept;
      await this.#delivery.idle();
      if (this.#closing.signal.aborted) return;
      await this.#files.end();
      this.#kept = await newChain(this.#parts.disk);
      this.#delivery = this.#newDelivery();
      const message = `the server does not know chain ${chain}, as after an older backup of it was restored: it ends with line ${n}, and this one takes its place`;
      this.record({ event: 'lost', message });
    });
  }

  /** Deletes old files by the rules of retention.ts. The current file stays while the chain is in use; failed deletions are repeated next time. */
  deleteOldFiles({ classOfData, isInUse }: DeletionOptions): Promise<void> {
    const { disk, clock } = this.#parts;
    return this.#alone(async () => {
      const current = isInUse ? this.#files.current : undefined;
      const all = await disk.list();
      const old = oldFiles(all, { classOfData, now: clock.now(), current });
      if (old.length === 0) return;
      // The deletion is recorded first: a crash in between leaves files, never a gap without a reason.
      if (old.at(-1) === linesFiles(all).at(-1)?.name) {
        await this.#files.end();
        await this.#save({ ...this.#kept, deletedTo: this.#kept.n });
      }
      await deleteFiles(disk, old);
    }).catch((error: unknown) => {
      if (!isDiskError(error)) throw error;
    });
  }

  /** Numbers, seals, stores and sends a record. Never waits, never throws. */
  record(record: SensorRecord): void {
    this.#pending.add(record);
    this.#wake();
  }

  /** Writes and hands over pending records, if disk and spool accept them. */
  async close(): Promise<void> {
    const limit = Promise.withResolvers<void>();
    const cancel = this.#parts.clock.after(closeLimitMs, limit.resolve);
    this.#closing.abort();
    await Promise.race([this.#finish(), limit.promise]);
    cancel();
  }

  /** Runs `work` while nothing else is written. */
  async #alone(work: () => Promise<void>): Promise<void> {
    while (this.#working) await this.#working;
    const done = work().finally(() => {
      this.#working = undefined;
    });
    // Only the caller handles the error.
    this.#working = done.catch(() => {});
    try {
      await done;
    } finally {
      this.#wake();
    }
  }

  #newDelivery(): Delivery {
    const { clock, spool, onFault } = this.#parts;
    const { chain, delivered } = this.#kept;
    return new Delivery({ clock, spool, chain, delivered, signal: this.#closing.signal, onFault });
  }

  async #finish(): Promise<void> {
    await this.#working;
    await this.#delivery.idle();
    if (this.#delivery.delivered > this.#kept.delivered) await this.#persist(() => this.#save(this.#kept));
  }

  #wake(): void {
    if (this.#kept.announced && !this.#pending.isEmpty && !this.#closing.signal.aborted) this.#working ??= this.#work();
  }

  async #work(): Promise<void> {
    for (let bodies = this.#pending.take(); bodies.length > 0; bodies = this.#pending.take()) {
      const batch = this.#seal(bodies);
      if (!(await this.#persist(() => this.#write(batch)))) break;
      this.#lastAt = bodies.at(-1)?.at;
      this.#delivery.add(batch.lines);
      await this.#files.addText(batch.files);
      if (this.#delivery.waiting > maxUndelivered) await this.#delivery.idle();
    }
    this.#working = undefined;
  }

  #seal(bodies: readonly RecordBody[]): SealedBatch {
    let after: WrittenChain = this.#kept;
    const lines = bodies.map((body) => {
      const { line, state } = seal(after, body);
      after = state;
      return { n: state.n, line };
    });
    const texts = lines.map(({ line }) => line);
    return { files: this.#files.place(texts, bodies[0]?.at ?? 0), lines, after };
  }

  async #write({ files, after }: SealedBatch): Promise<void> {
    await this.#files.append(files);
    await this.#save(after);
  }

  async #save(chain: WrittenChain | KeptChain): Promise<void> {
    const kept = { ...this.#kept, ...chain, delivered: this.#delivery.delivered };
    await saveChain(this.#parts.disk, kept);
    this.#kept = kept;
  }

  /** False if the disk still refuses when the chain is closed. */
  async #persist(write: () => Promise<void>): Promise<boolean> {
    const { clock, onFault } = this.#parts;
    const { signal } = this.#closing;
    for (;;) {
      try {
        await write();
        this.#impaired = undefined;
        return true;
      } catch (error) {
        if (!isDiskError(error)) throw error;
        this.#impaired = `records wait in memory, for the disk refuses them (${error.message}): free space on it or repair it`;
        onFault(this.#impaired);
      }
      if (signal.aborted) return false;
      // An abort ends the pause early; one last attempt follows.
      await sleep(clock, retryAfterMs, signal).catch(() => {});
    }
  }
}
