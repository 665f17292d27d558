/** Counts of the messages of one run. */
export interface Tally {
  readonly sent: number;
  readonly received: number;
  readonly lost: number;
  readonly lossPercent: number;
  readonly duplicates: number;
  /** Replies that came after the reply to a later message (RFC 4737, section 3). */
  readonly reordered: number;
  readonly corrupted: number;
  readonly rttsMs: readonly number[];
  /** The first reply that was nothing we sent. */
  readonly corruptedReply: Buffer | undefined;
}

/** Recognises replies by their bytes: what equals no message that was sent is corrupted. */
export class EchoTally {
  readonly #sentAtMs: number[] = [];
  readonly #numberOf = new Map<string, number>();
  readonly #answered = new Set<number>();
  readonly #rttsMs: number[] = [];
  #highest = -1;
  #duplicates = 0;
  #reordered = 0;
  #corrupted = 0;
  #corruptedReply: Buffer | undefined;

  send(message: Buffer, nowMs: number): void {
    this.#numberOf.set(message.toString('latin1'), this.#sentAtMs.length);
    this.#sentAtMs.push(nowMs);
  }

  hear(reply: Buffer, nowMs: number): void {
    const number = this.#numberOf.get(reply.toString('latin1'));
    if (number === undefined) {
      this.hearWrong(reply);
    } else if (this.#answered.has(number)) {
      this.#duplicates++;
    } else {
      this.#answer(number, nowMs);
    }
  }

  /** A reply with other bytes than were sent. */
  hearWrong(reply: Buffer): void {
    this.#corrupted++;
    this.#corruptedReply ??= reply;
  }

  #answer(number: number, nowMs: number): void {
    this.#answered.add(number);
    if (number < this.#highest) this.#reordered++;
    this.#highest = Math.max(this.#highest, number);
    // A number stands for a message that was sent.
    this.#rttsMs.push(nowMs - this.#sentAtMs[number]!);
  }

  /** Replies of any kind without duplicates. All have come when it equals the number of sent messages. */
  get heard(): number {
    return this.#answered.size + this.#corrupted;
  }

  result(): Tally {
    const sent = this.#sentAtMs.length;
    const received = this.#answered.size;
    return {
      sent,
      received,
      lost: sent - received,
      lossPercent: sent === 0 ? 0 : (100 * (sent - received)) / sent,
      duplicates: this.#duplicates,
      reordered: this.#reordered,
      corrupted: this.#corrupted,
      rttsMs: this.#rttsMs,
      corruptedReply: this.#corruptedReply,
    };
  }
}
