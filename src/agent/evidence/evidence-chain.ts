import { sleep, type Clock } from '../../core/clock.ts';
import type { ClassOfData, SensorRecord } from '../../core/record.ts';
import type { SensorName } from '../../core/sensor.ts';
import { seal, type RecordBody, type WrittenChain } from '../../records/chain.ts';
import type { ChainHead } from '../../protocol/messages.ts';
import type { Spool } from '../spool/spool.ts';
import { saveChain, type KeptChain } from './chain-file.ts';
import { Delivery, type NumberedLine } from './delivery.ts';
import { isDiskError, type EvidenceDisk } from './evidence-disk.ts';
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
  /** A sensor writes to it. */
  readonly isInUse: boolean;
}

interface SealedBatch {
  readonly files: LineBatch;
  readonly lines: readonly NumberedLine[];
  readonly after: WrittenChain;
}

/** How long a disk that refuses is left alone. */
const retryAfterMs = 1000;
/** More lines than this on their way to the spool, and no more are sealed. */
const maxUndelivered = 2000;
/** What the end of an agent waits for a disk that does not answer; the next start hands over again what the spool may not have. */
const closeLimitMs = 2000;

/**
 * What one sensor wrote, safe against crashes and changes. The order of truth: lines are synced, then the state with the next key
 * replaces the one before, then the spool has the lines. A batch that was sealed is written until it is, before another is.
 */
export class EvidenceChain {
  readonly #parts: ChainParts;
  readonly #files: EvidenceFiles;
  readonly #pending: PendingRecords;
  #delivery: Delivery;
  readonly #closing = new AbortController();
  /** As it is on the disk. */
  #kept: KeptChain;
  #working: Promise<void> | undefined;
  #impaired: string | undefined;
  #lastAt: number | undefined;

  /** Continues the chain of a folder, or begins one. Rejects with what the disk says. */
  static async open(parts: ChainParts): Promise<EvidenceChain> {
    const chain = new EvidenceChain(parts, await recoverChain(parts.disk));
    await chain.#files.restoreTexts();
    return chain;
  }

  private constructor(parts: ChainParts, { kept, files, undelivered, faults }: RecoveredChain) {
    const { disk, textOf, stamp } = parts;
    this.#parts = parts;
    this.#kept = kept;
    this.#files = new EvidenceFiles(disk, { ...files, textOf });
    this.#pending = new PendingRecords(stamp);
    this.#delivery = this.#newDelivery();
    this.#delivery.add(undelivered);
    for (const message of faults) this.record({ event: 'lost', message });
  }

  get id(): string {
    return this.#kept.chain;
  }

  /** What the server must be told before anything is written; undefined once it knows. */
  get announcement(): { readonly chain: string; readonly key: string } | undefined {
    const { announced, chain, key } = this.#kept;
    return announced ? undefined : { chain, key };
  }

  /** The last line that is safe; undefined while the server does not know the chain. */
  get head(): ChainHead | undefined {
    const { announced, chain, n, head } = this.#kept;
    return announced ? { sensor: this.#parts.sensor, chain, n, head } : undefined;
  }

  /** When the last record of this life was seen. */
  get lastAt(): number | undefined {
    return this.#lastAt;
  }

  /** Why what is seen waits in memory; undefined if it does not. */
  get impaired(): string | undefined {
    return this.#impaired;
  }

  /** The server has this chain's first key: what waits is written. Rejects with what the disk says. */
  async announced(): Promise<void> {
    const kept = { ...this.#kept, announced: true };
    await saveChain(this.#parts.disk, kept);
    this.#kept = kept;
    this.#wake();
  }

  /** It ends where it is, for the server cannot verify it: another begins, and must be announced. Rejects with what the disk says. */
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

  /** Deletes as retention.ts says; the file that is being written stays while the chain is in use. What the disk refuses is deleted next time. */
  deleteOldFiles({ classOfData, isInUse }: DeletionOptions): Promise<void> {
    const { disk, clock } = this.#parts;
    return this.#alone(async () => {
      const current = isInUse ? this.#files.current : undefined;
      const all = await disk.list();
      const old = oldFiles(all, { classOfData, now: clock.now(), current });
      if (old.length === 0) return;
      // Said before it is done: a crash between the two leaves files, and no question where they are.
      if (old.at(-1) === linesFiles(all).at(-1)?.name) {
        await this.#files.end();
        await this.#save({ ...this.#kept, deletedTo: this.#kept.n });
      }
      await deleteFiles(disk, old);
    }).catch((error: unknown) => {
      if (!isDiskError(error)) throw error;
    });
  }

  /** Numbers, seals, keeps and sends it. Never waits and never throws. */
  record(record: SensorRecord): void {
    this.#pending.add(record);
    this.#wake();
  }

  /** Writes and hands over what waits, if disk and spool take it. */
  async close(): Promise<void> {
    const limit = Promise.withResolvers<void>();
    const cancel = this.#parts.clock.after(closeLimitMs, limit.resolve);
    this.#closing.abort();
    await Promise.race([this.#finish(), limit.promise]);
    cancel();
  }

  /** Nothing is written meanwhile. */
  async #alone(work: () => Promise<void>): Promise<void> {
    while (this.#working) await this.#working;
    const done = work().finally(() => {
      this.#working = undefined;
    });
    // What goes wrong is for the caller alone.
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
      // The end of the waiting is one more try, not a failure.
      await sleep(clock, retryAfterMs, signal).catch(() => {});
    }
  }
}
