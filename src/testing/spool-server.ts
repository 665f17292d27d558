import assert from 'node:assert/strict';
import type { GapItem, SeqRange } from '../core/entry.ts';
import { RangeSet } from '../core/ranges.ts';

interface Sent {
  readonly epoch: number;
  readonly seq: number;
  readonly json: string;
}

interface Epoch {
  readonly entries: Map<number, string>;
  readonly gaps: Map<GapItem['cause'], RangeSet>;
}

/** What a server knows of one agent's entries, by epoch; it refuses what it must never be told. */
export class SpoolServer {
  readonly #epochs = new Map<number, Epoch>();
  /** By entry: the epochs that have it. */
  readonly #epochsOf = new Map<string, Set<number>>();

  /** @throws {AssertionError} when a number is given away twice, or was declared missing */
  receive({ epoch, seq, json }: Sent): void {
    const { entries, gaps } = this.#epoch(epoch);
    const known = entries.get(seq);
    assert.ok(known === undefined || known === json, `number ${seq} of epoch ${epoch} was given away twice`);
    for (const [cause, closed] of gaps)
      assert.ok(!closed.has(seq), `entry ${seq} arrived after a gap (${cause}) had said that it never will`);
    this.#keep({ epoch, seq, json });
    const item = JSON.parse(json) as GapItem | { kind?: undefined };
    if (item.kind !== 'gap') return;
    const closed = gaps.getOrInsertComputed(item.cause, () => new RangeSet());
    for (const range of item.ranges) closed.add(range);
  }

  received(epoch: number): readonly SeqRange[] {
    const { entries, gaps } = this.#epoch(epoch);
    const known = new RangeSet([...entries.keys()].map((seq) => [seq, seq]));
    for (const closed of gaps.values()) for (const range of closed.ranges) known.add(range);
    return known.ranges;
  }

  /** In how many epochs it knows this entry. */
  count(json: string): number {
    return this.#epochsOf.get(json)?.size ?? 0;
  }

  knows(json: string): boolean {
    return this.count(json) > 0;
  }

  /** The numbers that gaps of these causes closed in these epochs. */
  closed(epochs: Iterable<number>, causes: readonly GapItem['cause'][]): readonly SeqRange[] {
    const gaps = [...epochs].map((epoch) => this.#epoch(epoch).gaps);
    return gaps.flatMap((of) => causes.flatMap((cause) => of.get(cause)?.ranges ?? []));
  }

  copy(): SpoolServer {
    const copy = new SpoolServer();
    for (const [epoch, { entries, gaps }] of this.#epochs) {
      for (const [seq, json] of entries) copy.#keep({ epoch, seq, json });
      for (const [cause, { ranges }] of gaps) copy.#epoch(epoch).gaps.set(cause, new RangeSet(ranges));
    }
    return copy;
  }

  #keep({ epoch, seq, json }: Sent): void {
    this.#epoch(epoch).entries.set(seq, json);
    this.#epochsOf.getOrInsertComputed(json, () => new Set()).add(epoch);
  }

  #epoch(epoch: number): Epoch {
    return this.#epochs.getOrInsertComputed(epoch, () => ({ entries: new Map(), gaps: new Map() }));
  }
}
