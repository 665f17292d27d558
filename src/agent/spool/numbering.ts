import type { Ledger, LedgerPage } from './ledger.ts';

type Progress = Pick<LedgerPage, 'nextSeq' | 'settled'>;

/**
 * Under which epoch the entries are numbered, and how far these numbers were sent, both noted in the ledger: a number that the
 * server knows and that was never sent tells that this folder is an older copy of itself.
 */
export class Numbering {
  readonly series: number;
  readonly #ledger: Ledger;
  #epoch: number;
  #sentBelow: number;
  /** While a connection may be open the ledger says that all may have been sent: to note each number would cost a sync each. */
  #isSending = false;
  #isNoted = false;

  constructor(ledger: Ledger, { series, epoch, sentBelow }: Pick<LedgerPage, 'series' | 'epoch' | 'sentBelow'>) {
    this.series = series;
    this.#ledger = ledger;
    this.#epoch = epoch;
    this.#sentBelow = sentBelow;
  }

  get epoch(): number {
    return this.#epoch;
  }

  /** Entries from this number on were never sent in this epoch. */
  get sentBelow(): number {
    return this.#sentBelow;
  }

  /** This entry is about to be sent. */
  sends(seq: number): void {
    this.#sentBelow = Math.max(this.#sentBelow, seq + 1);
  }

  /** From now on entries may be sent. Durable when it returns; throws what the disk says. */
  startSending(progress: Progress): void {
    if (this.#isSending) return;
    this.#writeBoth(progress, { epoch: this.#epoch, sentBelow: Infinity });
    this.#isSending = true;
  }

  /** A new epoch, in which nothing was sent yet. Durable when it returns; throws what the disk says. */
  renew(epoch: number, progress: Progress): void {
    this.#writeBoth(progress, { epoch, sentBelow: 1 });
    this.#epoch = epoch;
    this.#sentBelow = 1;
    this.#isSending = false;
  }

  /** What was settled has changed. */
  touch(): void {
    this.#isNoted = false;
  }

  /** Writes the ledger if something has changed; false if not all of it fits. Throws what the disk says. */
  note(progress: Progress): boolean {
    const sentBelow = this.#isSending ? Infinity : this.#sentBelow;
    if (!this.#isNoted) this.#write(progress, { epoch: this.#epoch, sentBelow });
    return this.#isNoted;
  }

  close(): void {
    this.#ledger.close();
  }

  /** Both pages, so that none that rots brings back an older word on what was sent. */
  #writeBoth(progress: Progress, now: Pick<LedgerPage, 'epoch' | 'sentBelow'>): void {
    this.#write(progress, now);
    this.#write(progress, now);
  }

  #write(progress: Progress, now: Pick<LedgerPage, 'epoch' | 'sentBelow'>): void {
    this.#isNoted = this.#ledger.write({ series: this.series, ...progress, ...now });
  }
}
