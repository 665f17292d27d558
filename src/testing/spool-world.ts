import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Queue } from '../agent/spool/queue.ts';
import type { Lane } from '../protocol/messages.ts';
import { RangeSet } from '../core/ranges.ts';
import type { GapItem } from '../core/entry.ts';
import { randomFrom } from './random-from.ts';
import { diskError, SimulatedCrash, SimulatedDisk } from './simulated-disk.ts';

/** Something that happens in the life of a spool. */
export type Action =
  | { readonly type: 'append'; readonly sizes: readonly number[]; readonly droppable: boolean }
  | { readonly type: 'start-sending' | 'note' | 'reopen' | 'kill' | 'free' }
  | { readonly type: 'read'; readonly lane: Lane; readonly count: number }
  | { readonly type: 'acknowledge'; readonly share: number }
  | { readonly type: 'power-cut'; readonly seed: number }
  | { readonly type: 'crash-after'; readonly operations: number; readonly power: boolean; readonly seed: number }
  | { readonly type: 'fill'; readonly room: number }
  | { readonly type: 'fail'; readonly after: number; readonly times: number; readonly code: 'ENOSPC' | 'EIO' }
  | { readonly type: 'flip'; readonly file: number; readonly bit: number };

const seed = fc.nat();
const size = fc.oneof(fc.integer({ min: 20, max: 400 }), fc.integer({ min: 50_000, max: 250_000 }));
const append = fc.record({
  type: fc.constant('append' as const),
  sizes: fc.array(size, { minLength: 1, maxLength: 8 }),
  droppable: fc.boolean(),
});

export const actions: fc.Arbitrary<Action> = fc.oneof(
  { weight: 8, arbitrary: append },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('read' as const),
      lane: fc.constantFrom('live' as const, 'backlog' as const),
      count: fc.integer({ min: 1, max: 20 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('acknowledge' as const),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constantFrom('start-sending' as const, 'note', 'reopen', 'kill', 'free') }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('power-cut' as const), seed }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('crash-after' as const),
      operations: fc.nat({ max: 30 }),
      power: fc.boolean(),
      seed,
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('fill' as const), room: fc.nat({ max: 300_000 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('fail' as const),
      after: fc.nat({ max: 12 }),
      times: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 20, max: 200 })),
      code: fc.constantFrom('ENOSPC' as const, 'EIO'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('flip' as const), file: fc.nat({ max: 10 }), bit: fc.nat() }) },
);

/** One agent's queue on a simulated disk, the server it sends to, and a witness who remembers everything. */
export class World {
  /** What came about, for tests that must have seen it. */
  readonly events: string[] = [];
  operations = 0;
  readonly #disk = new SimulatedDisk();
  readonly #json = new Map<number, string>();
  readonly #recorded = new Map<number, number>();
  readonly #droppable = new Set<number>();
  readonly #server = new Map<number, string>();
  readonly #gaps: Readonly<Record<GapItem['cause'], RangeSet>> = {
    overflow: new RangeSet(),
    corrupt: new RangeSet(),
    refused: new RangeSet(),
  };
  readonly #acknowledgeable: number[] = [];
  #queue: Queue;
  #nextTicket = 0;
  #crash: { at: number; power: boolean; seed: number } | undefined;
  #failure: { from: number; to: number; code: string } | undefined;
  #hasRot = false;

  constructor() {
    this.#queue = this.#open();
  }

  do(action: Action): void {
    try {
      this.#act(action);
    } catch (error) {
      if (!(error instanceof SimulatedCrash)) throw error;
      const { power, seed } = this.#crash ?? { power: true, seed: 0 };
      this.#crash = undefined;
      this.#restart(power ? seed : undefined);
    }
  }

  /** Ends all trouble, then sends and acknowledges until nothing is left. */
  drain(): void {
    this.#disk.capacityBytes = Infinity;
    this.#crash = undefined;
    this.#failure = undefined;
    this.#queue.close();
    this.#queue = this.#open();
    this.#queue.startSending();
    for (let round = 0; round < 200 && this.#queue.stats().depth > 0; round++) {
      this.#commit();
      this.#read('backlog', 10);
      this.#read('live', 10);
      this.#acknowledge(1);
    }
    assert.deepEqual(this.#queue.stats().depth, 0, 'the spool does not get empty');
  }

  verify(): void {
    for (const [seq, ticket] of this.#recorded) {
      if (this.#server.get(seq) === this.#json.get(ticket)) continue;
      assert.ok(!this.#server.has(seq), `entry ${seq} arrived with the words of another`);
      const isDropped = this.#gaps.overflow.has(seq) && this.#droppable.has(ticket);
      const isRotten = this.#hasRot && (this.#gaps.corrupt.has(seq) || this.#hasLostGap());
      assert.ok(isDropped || isRotten, `entry ${seq} was recorded, never arrived, and nothing excuses it`);
    }
    const { nextSeq } = this.#queue.stats();
    const known = new RangeSet([...this.#server.keys()].map((seq) => [seq, seq]));
    for (const { ranges } of Object.values(this.#gaps)) ranges.forEach((range) => known.add(range));
    if (!this.#hasLostGap()) {
      assert.deepEqual(known.missingIn([1, nextSeq - 1]), [], 'numbers are missing and nothing says so');
    }
    for (const cause of ['overflow', 'corrupt'] as const) {
      if (this.#gaps[cause].ranges.length > 0) this.events.push(cause);
    }
  }

  /** A gap entry that rotted itself takes along what it declared. */
  #hasLostGap(): boolean {
    if (!this.#hasRot) return false;
    const appended = new RangeSet([...this.#recorded.keys()].map((seq) => [seq, seq]));
    return this.#gaps.corrupt.ranges.some((range) => appended.missingIn(range).length > 0);
  }

  #act(action: Action): void {
    switch (action.type) {
      case 'append':
        return this.#append(action.sizes, action.droppable);
      case 'read':
        return this.#read(action.lane, action.count);
      case 'acknowledge':
        return this.#acknowledge(action.share);
      case 'start-sending':
        return this.#queue.startSending();
      case 'note':
        this.#queue.lookAtSpace();
        return void this.#queue.note();
      default:
        return this.#befall(action);
    }
  }

  #befall(action: Exclude<Action, { type: 'append' | 'read' | 'acknowledge' | 'start-sending' | 'note' }>): void {
    switch (action.type) {
      case 'reopen':
        this.#queue.close();
        return void (this.#queue = this.#open());
      case 'kill':
        return this.#restart(undefined);
      case 'power-cut':
        return this.#restart(action.seed);
      case 'crash-after':
        return void (this.#crash = { ...action, at: this.operations + action.operations });
      case 'fill':
        return void (this.#disk.capacityBytes = this.#disk.usedBytes + action.room);
      case 'free':
        return void (this.#disk.capacityBytes = Infinity);
      case 'fail': {
        const from = this.operations + action.after;
        return void (this.#failure = { from, to: from + action.times, code: action.code });
      }
      case 'flip':
        return this.#flip(action);
    }
  }

  #append(sizes: readonly number[], droppable: boolean): void {
    for (const size of sizes) {
      const ticket = this.#nextTicket++;
      const json = JSON.stringify({ ticket, text: 'x'.repeat(size) });
      this.#json.set(ticket, json);
      if (droppable) this.#droppable.add(ticket);
      this.#queue.append(json, { ticket, droppable });
    }
    this.#commit();
  }

  #commit(): void {
    for (const { ticket, seq } of this.#queue.commit()) {
      // A refused entry whose bytes a failed write left behind may still come, if a crash comes before its gap.
      if (seq === undefined) this.events.push('refused');
      else this.#recorded.set(seq, ticket);
    }
    const { impaired, warning } = this.#queue.stats();
    if (impaired?.includes('ENOSPC')) this.events.push('disk full');
    if (warning?.includes('reserve')) this.events.push('reserve used');
  }

  #read(lane: Lane, maxCount: number): void {
    let previous = 0;
    for (const { seq, json } of this.#queue.read(lane, { maxBytes: 500_000, maxCount })) {
      assert.ok(seq > previous, `${lane}: ${seq} came after ${previous}`);
      previous = seq;
      this.#receive(seq, json);
    }
    this.#commit();
  }

  #receive(seq: number, json: string): void {
    const known = this.#server.get(seq);
    assert.ok(known === undefined || known === json, `number ${seq} was given away twice`);
    for (const [cause, gaps] of Object.entries(this.#gaps))
      assert.ok(!gaps.has(seq), `entry ${seq} arrived after a gap (${cause}) had said that it never will`);
    if (known !== undefined) this.events.push('resent');
    this.#server.set(seq, json);
    this.#acknowledgeable.push(seq);
    const item = JSON.parse(json) as GapItem | { kind?: undefined };
    if (item.kind === 'gap') item.ranges.forEach((range) => this.#gaps[item.cause].add(range));
  }

  #acknowledge(share: number): void {
    const count = Math.ceil(this.#acknowledgeable.length * share);
    const start = count % (this.#acknowledgeable.length - count + 1);
    const acknowledged = this.#acknowledgeable.slice(start, start + count);
    this.#queue.acknowledge(acknowledged.map((seq) => [seq, seq]));
    this.#acknowledgeable.splice(start, count);
  }

  #flip({ file, bit }: Extract<Action, { type: 'flip' }>): void {
    const files = this.#disk.list();
    const name = files[file % Math.max(1, files.length)]?.name;
    if (name === undefined) return;
    this.#disk.flipBit(name, bit);
    this.#hasRot = true;
  }

  #restart(powerCutSeed: number | undefined): void {
    this.events.push(powerCutSeed === undefined ? 'kill' : 'power cut');
    if (powerCutSeed === undefined) this.#disk.kill();
    else this.#disk.powerCut(randomFrom(powerCutSeed));
    this.#acknowledgeable.length = 0;
    this.#queue = this.#open();
  }

  /** Opens it twice: what the first found, the second must find. */
  #open(): Queue {
    const before = this.operations;
    const sizes = { limitBytes: 3_000_000, memoryBytes: 1_000_000, reserveBytes: 600_000 };
    const options = { ...sizes, now: () => this.operations, newEpoch: 1 };
    this.#disk.onOperation = () => {};
    const first = new Queue(this.#disk, options);
    const second = new Queue(this.#disk, options);
    assert.deepEqual(second.recovered.nextSeq, first.recovered.nextSeq);
    assert.deepEqual(second.stats(), first.stats());
    this.operations = before;
    this.#disk.onOperation = (operation) => {
      const at = this.operations++;
      if (this.#crash && at >= this.#crash.at) throw new SimulatedCrash(`at operation ${at}`);
      const { from, to, code } = this.#failure ?? { from: 0, to: 0, code: '' };
      const isWriting = !['list', 'read'].includes(operation);
      if (at < from || at >= to || !isWriting) return;
      this.events.push(operation === 'sync' ? 'failed sync' : 'failed operation');
      throw diskError(code, operation);
    };
    return second;
  }
}
