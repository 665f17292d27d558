import type { GapItem, RenewalCause, SeqRange } from '../../core/entry.ts';
import type { Lane } from '../../protocol/messages.ts';
import { isDiskError } from '../on-disk.ts';
import { ClosedNumbers } from './closed-numbers.ts';
import { attempt, isFull, type Disk } from './disk.ts';
import { gapItems } from './gaps.ts';
import { Intake, type Pending, type Receipt } from './intake.ts';
import { SpoolReader, type ReadLimit, type SpooledEntry } from './reader.ts';
import { Numbering } from './numbering.ts';
import { chooseVictim, rewrite } from './overflow.ts';
import { rangesOf } from '../../core/ranges.ts';
import type { QueueOptions } from './queue-options.ts';
import { recover, secureNewest, type Recovered } from './recovery.ts';
import { Reserve } from './reserve.ts';
import type { Contents, Segment, Segments } from './segments.ts';
import type { SpoolStats } from './stats.ts';
import { SegmentWriter } from './writer.ts';

/** The durable queue. Every call is complete when it returns; an entry is recorded once `commit` has returned its receipt. */
export class Queue {
  readonly recovered: Recovered;
  readonly #options: QueueOptions;
  readonly #segments: Segments;
  readonly #numbering: Numbering;
  readonly #closed: ClosedNumbers;
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
  /** Why a new epoch must begin before anything is sent; a gap entry says it already. */
  #renewal: RenewalCause | undefined;

  /** Opens what is on the disk; throws only if it was written by a newer version or the folder cannot be listed. */
  constructor(disk: Disk, options: QueueOptions) {
    const { segments, ledger, recovered } = recover(disk, options);
    this.recovered = recovered;
    this.#options = options;
    this.#segments = segments;
    this.#numbering = new Numbering(ledger, recovered);
    this.#closed = new ClosedNumbers(segments);
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
    if (recovered.isLost) this.#declare([], 'lost');
    if (options.renewal) this.#renew(options.renewal);
    this.note();
    this.#removeSettled();
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

  /**
   * A new connection, and what the server knows of this epoch. Numbers that were never sent mean a new epoch; what the server no
   * longer knows is declared missing. Returns why nothing may be sent over this connection, undefined if it may.
   */
  reconcile(received: readonly SeqRange[]): string | undefined {
    if (this.#isLossUntold && !this.#writeWaiting()) return this.#impaired;
    const { sentBelow } = this.#numbering;
    this.acknowledge(received.map(([from, to]) => [from, Math.min(to, sentBelow - 1)]));
    const isSetBack = received.some(([, to]) => to >= sentBelow);
    if (this.#renewal || isSetBack) return this.#renew('set-back');
    const waiting = this.#intake.waiting.flatMap(({ declares = [] }) => declares);
    this.#declare(this.#closed.unknownTo(received, waiting), 'restored');
    return this.#try(() => this.#numbering.startSending(this.#progress())) ? undefined : this.#impaired;
  }

  /** A new connection: the live lane begins here, the backlog lane at the oldest entry and ends where the live one begins. */
  startSending(): void {
    this.#liveFrom = this.#recordedNext;
    this.#lanes = this.#newLanes();
  }

  /** The next entries of a lane since `startSending`. */
  read(lane: Lane, limit: ReadLimit): SpooledEntry[] {
    const end = lane === 'live' ? this.#recordedNext : this.#liveFrom;
    const entries = this.#lanes[lane].take(Math.min(end, this.#unsecuredFrom()), limit);
    const last = entries.at(-1);
    if (last) this.#numbering.sends(last.seq);
    return entries;
  }

  /** The server has committed these. */
  acknowledge(ranges: readonly SeqRange[]): void {
    const known = ranges.map(([from, to]): SeqRange => [Math.max(1, from), Math.min(to, this.#recordedNext - 1)]);
    this.#segments.settle(known.filter(([from, to]) => from <= to));
    this.#numbering.touch();
    this.#removeSettled();
  }

  /** Writes the settled numbers to the ledger; false if the disk refuses or they do not all fit. */
  note(): boolean {
    if (this.#isLossUntold) return false;
    let isNoted = false;
    attempt(() => (isNoted = this.#numbering.note(this.#progress())));
    return isNoted;
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
      epoch: this.#numbering.epoch,
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
    this.#numbering.close();
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

  #progress(): { readonly nextSeq: number; readonly settled: readonly SeqRange[] } {
    return { nextSeq: this.#recordedNext, settled: this.#segments.settled.ranges };
  }

  /** Begins a new epoch, whose first words say why. The numbers go on; those under which nothing comes any more are closed. */
  #renew(cause: RenewalCause): string | undefined {
    if (!this.#renewal) this.#declare(this.#closed.unknownTo([], []), cause);
    this.#renewal ??= cause;
    const renew = (): void => this.#numbering.renew(this.#options.newEpoch(), this.#progress());
    if (!this.#writeWaiting() || !this.#try(renew)) return this.#impaired;
    // The next segment has the new epoch in its header.
    this.#writer?.close();
    this.#writer = undefined;
    this.#renewal = undefined;
    return `a new numbering of its entries begins (${cause})`;
  }

  /** Until the gap that tells of a loss is durable, the ledger must go on saying that there was something. */
  get #isLossUntold(): boolean {
    return this.recovered.isLost && this.#recordedNext === this.recovered.nextSeq;
  }

  /** Closes numbers by gap entries; they are settled once these are durable. */
  #declare(ranges: readonly SeqRange[], cause: GapItem['cause']): void {
    for (const gap of gapItems(ranges, { cause, at: this.#options.now() }))
      this.#gather(JSON.stringify(gap), { droppable: false, isGap: true, declares: gap.ranges });
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
      const { series, epoch } = this.#numbering;
      this.#writer = new SegmentWriter(this.#segments.disk, { series, epoch, first: this.#recordedNext });
    }
    const writer = this.#writer;
    const count = writer.gatherAll(waiting);
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
    this.#numbering.touch();
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
      if (victim.segment.remaining > 0 && !rewrite(this.#segments, victim, this.#numbering.epoch)) break;
      this.#removeSettled();
      // The disk refuses the removal; it is tried again later.
      if (this.#segments.all.includes(victim.segment)) break;
    }
  }
}
