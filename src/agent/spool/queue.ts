import type { GapItem, SeqRange } from '../../core/entry.ts';
import type { Lane } from '../../protocol/messages.ts';
import { isDiskError } from '../on-disk.ts';
import { attempt, isFull, type Disk } from './disk.ts';
import { Intake, type Pending, type Receipt } from './intake.ts';
import { SpoolReader, type ReadLimit, type SpooledEntry } from './reader.ts';
import type { Ledger } from './ledger.ts';
import { chooseVictim, rewrite } from './overflow.ts';
import { rangesOf } from '../../core/ranges.ts';
import { recover, secureNewest, type Recovered } from './recovery.ts';
import { Reserve } from './reserve.ts';
import type { Contents, Segment, Segments } from './segments.ts';
import { SegmentWriter, type NewRecord } from './writer.ts';

export interface QueueOptions {
  readonly now: () => number;
  readonly newEpoch: number;
  /** Limit of all segments on disk; beyond it the oldest droppable entries are dropped. */
  readonly limitBytes: number;
  /** Disk space held in reserve for when the disk is full. */
  readonly reserveBytes: number;
  /** Memory for entries while the disk refuses writes. */
  readonly memoryBytes: number;
}

export interface SpoolStats {
  readonly epoch: number;
  /** The number the next entry gets. */
  readonly nextSeq: number;
  /** Entries the server has not acknowledged, also those that wait in memory. */
  readonly depth: number;
  readonly bytes: number;
  /** When the oldest entry that is not acknowledged was recorded, epoch milliseconds. */
  readonly oldestAt?: number;
  /** Why nothing can be recorded at present; entries wait in memory meanwhile. */
  readonly impaired?: string;
  /** Why recording may soon stop: the disk is getting full. */
  readonly warning?: string;
}

const rangesPerGap = 4000;

/** The durable queue. Every call is complete when it returns; an entry is recorded once `commit` has returned its receipt. */
export class Queue {
  readonly recovered: Recovered;
  readonly #options: QueueOptions;
  readonly #disk: Disk;
  readonly #segments: Segments;
  readonly #ledger: Ledger;
  readonly #intake: Intake;
  readonly #reserve: Reserve;
  #limitBytes: number;
  #writer: SegmentWriter | undefined;
  #nextSeq: number;
  #recordedNext: number;
  #liveFrom: number;
  #lanes: Readonly<Record<Lane, SpoolReader>>;
  #impaired: string | undefined;
  #isSecured = false;
  #isNoted = false;

  /** Opens what is on the disk; throws only if it was written by a newer version or the folder cannot be listed. */
  constructor(disk: Disk, options: QueueOptions) {
    const { segments, ledger, recovered } = recover(disk, options.newEpoch);
    this.recovered = recovered;
    this.#disk = disk;
    this.#options = options;
    this.#segments = segments;
    this.#ledger = ledger;
    this.#reserve = new Reserve(disk, options.reserveBytes);
    this.#limitBytes = options.limitBytes;
    this.#intake = new Intake(options.memoryBytes);
    this.#nextSeq = recovered.nextSeq;
    this.#recordedNext = recovered.nextSeq;
    this.#liveFrom = recovered.nextSeq;
    this.#lanes = this.#newLanes();
    this.#try(() => this.#secure());
    const newest = segments.all.at(-1);
    const contents = newest && segments.contents(newest);
    if (contents) this.#declareLost(newest, contents);
  }

  /** Numbers an entry; it is recorded once `commit` returns its ticket. Empty `json` stands for an entry that the caller had no room for. */
  append(json: string, { ticket, droppable }: { readonly ticket: number; readonly droppable: boolean }): void {
    this.#gather(json, { ticket, droppable, isGap: false });
    if (json === '') return this.#intake.refuseNewest();
    if (!this.#intake.isOverfull) return;
    if (this.isImpaired || !this.#writeWaiting()) this.#intake.makeRoom();
  }

  /** Makes all pending entries durable, as far as the disk allows, and returns the receipts since the last call. */
  commit(): Receipt[] {
    if (this.#writeWaiting()) {
      this.#declare(this.#intake.takeRefused(), 'overflow');
      if (this.#writeWaiting()) this.#makeRoom();
    }
    return this.#intake.takeReceipts();
  }

  /** True if entries or receipts are pending, or entries found at the start must be synced again before they may be sent. */
  get isCommitDue(): boolean {
    return !this.#intake.isIdle || !this.#isSecured;
  }

  get isImpaired(): boolean {
    return this.#impaired !== undefined;
  }

  /** A new connection: the live lane begins here, the backlog lane at the oldest entry and ends where the live one begins. */
  startSending(): void {
    this.#liveFrom = this.#recordedNext;
    this.#lanes = this.#newLanes();
  }

  /** The next entries of a lane since `startSending`. */
  read(lane: Lane, limit: ReadLimit): SpooledEntry[] {
    const end = lane === 'live' ? this.#recordedNext : this.#liveFrom;
    return this.#lanes[lane].take(Math.min(end, this.#unsecuredFrom()), limit);
  }

  /** The server has committed these. */
  acknowledge(ranges: readonly SeqRange[]): void {
    const known = ranges.map(([from, to]): SeqRange => [Math.max(1, from), Math.min(to, this.#recordedNext - 1)]);
    this.#segments.settle(known.filter(([from, to]) => from <= to));
    this.#isNoted = false;
    this.#removeSettled();
  }

  /** Writes the settled numbers to the ledger; false if the disk refuses or they do not all fit. */
  note(): boolean {
    if (this.#isNoted) return true;
    const { epoch } = this.recovered;
    const page = { epoch, nextSeq: this.#recordedNext, settled: this.#segments.settled.ranges };
    attempt(() => (this.#isNoted = this.#ledger.write(page)));
    return this.#isNoted;
  }

  /** Checks the free disk space and renews the reserve; true if the warning has changed. */
  lookAtSpace(): boolean {
    const before = this.#reserve.warning;
    this.#reserve.look();
    if (!this.#reserve.isGivenUp) this.#limitBytes = this.#options.limitBytes;
    return this.#reserve.warning !== before;
  }

  stats(): SpoolStats {
    const { warning } = this.#reserve;
    const oldestAt = this.#segments.oldestAt() ?? this.#intake.waiting[0]?.at;
    return {
      epoch: this.recovered.epoch,
      nextSeq: this.#nextSeq,
      depth: this.#segments.remaining + this.#intake.waiting.length,
      bytes: this.#segments.bytes,
      ...(oldestAt !== undefined && { oldestAt }),
      ...(this.#impaired !== undefined && { impaired: this.#impaired }),
      ...(warning !== undefined && { warning }),
    };
  }

  close(): void {
    this.note();
    this.#writer?.close();
    this.#ledger.close();
  }

  #newLanes(): Readonly<Record<Lane, SpoolReader>> {
    const onOpened = (segment: Segment, contents: Contents): void => this.#declareLost(segment, contents);
    return {
      live: new SpoolReader(this.#segments, this.#liveFrom, onOpened),
      backlog: new SpoolReader(this.#segments, 1, onOpened),
    };
  }

  #gather(json: string, facts: Pick<Pending, 'droppable' | 'isGap' | 'ticket' | 'declares'>): void {
    const jsonBytes = Buffer.byteLength(json);
    this.#intake.add({ seq: this.#nextSeq++, at: this.#options.now(), json, jsonBytes, ...facts });
  }

  /** Declares entries missing by gap entries; the numbers are settled once these are durable. */
  #declare(ranges: readonly SeqRange[], cause: GapItem['cause']): void {
    for (let start = 0; start < ranges.length; start += rangesPerGap) {
      const declares = ranges.slice(start, start + rangesPerGap);
      const gap: GapItem = { kind: 'gap', ranges: declares, cause, at: this.#options.now() };
      this.#gather(JSON.stringify(gap), { droppable: false, isGap: true, declares });
    }
  }

  #declareLost(segment: Segment, contents: Contents): void {
    if (segment.isDamaged || segment === this.#writer?.segment) return;
    const lost = this.#segments.lostIn(segment, contents);
    segment.isDamaged = lost.length > 0;
    this.#declare(lost, 'corrupt');
  }

  #writeWaiting(): boolean {
    return this.#try(() => {
      if (!this.#isSecured) this.#secure();
      while (this.#isSecured && this.#intake.waiting.length > 0) this.#writeSome();
    });
  }

  #try(write: () => void): boolean {
    try {
      write();
      this.#impaired = undefined;
      return true;
    } catch (error) {
      if (!isDiskError(error)) throw error;
      // The state of a file after a failed write or sync is unknown: it is never written again, and its last records go into a new one.
      this.#writer?.close();
      this.#writer = undefined;
      if (isFull(error) && this.#useReserve()) return this.#try(write);
      this.#impaired = `The spool cannot write (${error.message}): free space on its disk or repair it; entries wait in memory until then.`;
      return false;
    }
  }

  /** Half of the reserve is for new entries; the other half for dropping old ones, which needs space too. */
  #useReserve(): boolean {
    const givenUp = this.#reserve.giveUp();
    if (givenUp > 0) this.#limitBytes = Math.min(this.#limitBytes, this.#segments.bytes + givenUp / 2);
    return givenUp > 0;
  }

  #secure(): void {
    this.#isSecured = secureNewest(this.#segments);
  }

  #unsecuredFrom(): number {
    return this.#isSecured ? Infinity : (this.#segments.all.at(-1)?.first ?? Infinity);
  }

  /** One write and one sync: as much as fits into the segment. */
  #writeSome(): void {
    const { waiting } = this.#intake;
    const [first] = waiting;
    if (!first) return;
    if (!this.#writer?.fits(first)) {
      this.#writer?.close();
      this.#writer = new SegmentWriter(this.#disk, { epoch: this.recovered.epoch, first: this.#recordedNext });
    }
    const writer = this.#writer;
    const count = gather(writer, waiting);
    const isNew = !writer.isStarted;
    writer.flush();
    if (isNew) this.#adopt(writer);
    this.#onRecorded(this.#intake.take(count));
  }

  #adopt({ segment, contents }: SegmentWriter): void {
    const { all } = this.#segments;
    // A segment that a crash left without a record has the same name.
    if (all.at(-1)?.name === segment.name) all.pop();
    all.push(segment);
    this.#segments.grow(segment, contents);
  }

  #onRecorded(records: readonly Pending[]): void {
    this.#recordedNext = (records.at(-1)?.seq ?? 0) + 1;
    for (const { declares } of records) if (declares) this.#segments.settle(declares);
    this.#isNoted = false;
  }

  #removeSettled(): void {
    if (this.#segments.hasRemovable) this.#segments.removeSettled(this.note());
  }

  /** Drops old entries beyond the limit. The gap entry is durable before the entries that it declares are removed. */
  #makeRoom(): void {
    while (this.#segments.bytes > this.#limitBytes) {
      const victim = chooseVictim(this.#segments);
      if (!victim) break;
      this.#declareLost(victim.segment, victim.contents);
      this.#declare(rangesOf(victim.droppable.map(({ seq }) => seq)).ranges, 'overflow');
      if (!this.#writeWaiting()) break;
      if (victim.segment.remaining > 0 && !rewrite(this.#segments, victim, this.recovered.epoch)) break;
      this.#removeSettled();
      // The disk refuses the removal; it is tried again later.
      if (this.#segments.all.includes(victim.segment)) break;
    }
  }
}

/** How many fitted in. */
function gather(writer: SegmentWriter, records: readonly NewRecord[]): number {
  const full = records.findIndex((record) => !writer.gather(record));
  return full === -1 ? records.length : full;
}
