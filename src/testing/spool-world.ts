import assert from 'node:assert/strict';
import { Queue } from '../agent/spool/queue.ts';
import { renewalCauses, type GapItem } from '../core/entry.ts';
import type { Lane } from '../protocol/messages.ts';
import { RangeSet } from '../core/ranges.ts';
import { randomFrom } from './random-from.ts';
import type { Action } from './spool-actions.ts';
import { SpoolServer } from './spool-server.ts';
import { diskError, SimulatedCrash, SimulatedDisk } from './simulated-disk.ts';

/** What the agent's folder should hold: the ticket of each number, and the epochs under which it was sent. */
interface Folder {
  readonly recorded: ReadonlyMap<number, number>;
  readonly epochs: ReadonlySet<number>;
}

/** The agent's folder, and the server, as both were at one time. */
interface Backup {
  readonly disk: ReturnType<SimulatedDisk['copy']>;
  readonly folder: Folder;
  readonly server: SpoolServer;
}

/** One agent's queue on a simulated disk, the server it sends to, and a witness who remembers everything. */
export class World {
  /** What came about, for tests that must have seen it. */
  readonly events: string[] = [];
  operations = 0;
  readonly #disk = new SimulatedDisk();
  readonly #json = new Map<number, string>();
  readonly #droppable = new Set<number>();
  readonly #acknowledgeable: number[] = [];
  /** Entries that the server knew and does not know any more. */
  readonly #lostByServer = new Set<string>();
  /** Entries that two folders had, so that each may send them; the store keeps them once. */
  readonly #wasInBackup = new Set<string>();
  #recorded = new Map<number, number>();
  #epochs = new Set<number>();
  #server = new SpoolServer();
  #backup: Backup | undefined;
  #isConnected = false;
  #queue: Queue;
  #nextTicket = 0;
  #nextEpoch = 1;
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

  /** Ends all trouble, connects to the server as it is then, and sends and acknowledges until nothing is left. */
  drain(): void {
    this.#disk.capacityBytes = Infinity;
    this.#crash = undefined;
    this.#failure = undefined;
    this.#queue.close();
    this.#queue = this.#open();
    this.#connect();
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
      const json = this.#jsonOf(ticket);
      if (this.#server.knows(json)) continue;
      const isDropped = this.#droppable.has(ticket) && this.#isDeclared(seq, ['overflow']);
      const isRotten = this.#hasRot && (this.#isDeclared(seq, ['corrupt']) || this.#hasLostGap());
      const isForgotten = this.#lostByServer.has(json) && this.#isDeclared(seq, ['restored', ...renewalCauses]);
      const isExcused = isDropped || isRotten || isForgotten;
      assert.ok(isExcused, `entry ${seq} was recorded, never arrived, and nothing excuses it`);
    }
    const { nextSeq, epoch } = this.#queue.stats();
    if (!this.#hasLostGap()) {
      const unknown = new RangeSet(this.#server.received(epoch)).missingIn([1, nextSeq - 1]);
      assert.deepEqual(unknown, [], 'numbers are missing and nothing says so');
    }
    for (const cause of ['overflow', 'corrupt', 'restored'] as const)
      if (this.#server.closed(this.#epochs, [cause]).length > 0) this.events.push(cause);
  }

  #isDeclared(seq: number, causes: readonly GapItem['cause'][]): boolean {
    return new RangeSet(this.#server.closed(this.#epochs, causes)).has(seq);
  }

  #jsonOf(ticket: number): string {
    return this.#json.get(ticket) ?? '';
  }

  /** A gap entry that rotted itself takes along what it declared. */
  #hasLostGap(): boolean {
    if (!this.#hasRot) return false;
    const appended = new RangeSet([...this.#recorded.keys()].map((seq) => [seq, seq]));
    return this.#server.closed(this.#epochs, ['corrupt']).some((range) => appended.missingIn(range).length > 0);
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
        return this.#connect();
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
        this.#disconnect();
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
      case 'copy':
        return this.#copy();
      case 'set-back':
        return this.#setBack();
      case 'lose-server':
        return this.#loseServer();
    }
  }

  #copy(): void {
    const folder = { recorded: new Map(this.#recorded), epochs: new Set(this.#epochs) };
    // Also what a crash came before the receipt of.
    for (const json of this.#json.values()) this.#wasInBackup.add(json);
    this.#backup = { disk: this.#disk.copy(), folder, server: this.#server.copy() };
  }

  #setBack(): void {
    if (!this.#backup) return;
    const { disk, folder } = this.#backup;
    this.#disk.setBack(disk);
    this.#recorded = new Map(folder.recorded);
    this.#epochs = new Set(folder.epochs);
    this.#restart(undefined);
  }

  /** Without a backup of its own time, one of before this agent's first entry is restored. */
  #loseServer(): void {
    const before = this.#server;
    this.#server = this.#backup?.server.copy() ?? new SpoolServer();
    for (const json of this.#json.values())
      if (before.knows(json) && !this.#server.knows(json)) this.#lostByServer.add(json);
    this.#disconnect();
  }

  /** As a session does: what the server knows is compared before anything is sent. */
  #connect(): void {
    this.#disconnect();
    const { epoch } = this.#queue.stats();
    const obstacle = this.#queue.reconcile(this.#server.received(epoch));
    if (obstacle?.includes('set-back')) this.events.push('set-back');
    if (obstacle !== undefined) return this.#commit();
    this.#epochs.add(epoch);
    this.#queue.startSending();
    this.#isConnected = true;
  }

  #disconnect(): void {
    this.#isConnected = false;
    this.#acknowledgeable.length = 0;
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
    if (!this.#isConnected) this.#connect();
    if (!this.#isConnected) return;
    let previous = 0;
    for (const { seq, json } of this.#queue.read(lane, { maxBytes: 500_000, maxCount })) {
      assert.ok(seq > previous, `${lane}: ${seq} came after ${previous}`);
      previous = seq;
      this.#receive(seq, json);
    }
    this.#commit();
  }

  #receive(seq: number, json: string): void {
    const { epoch } = this.#queue.stats();
    this.#server.receive({ epoch, seq, json });
    const isGap = json.startsWith('{"kind":"gap"');
    if (!isGap && !this.#hasRot && !this.#wasInBackup.has(json))
      assert.ok(this.#server.count(json) < 2, `entry ${seq} is known under two epochs`);
    this.#acknowledgeable.push(seq);
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
    this.#disconnect();
    this.#queue = this.#open();
  }

  /** Opens it twice: what the first found, the second must find. */
  #open(): Queue {
    const before = this.operations;
    const sizes = { limitBytes: 3_000_000, memoryBytes: 1_000_000, reserveBytes: 600_000 };
    const options = { ...sizes, now: () => this.operations, newEpoch: () => this.#nextEpoch++ };
    this.#disk.onOperation = () => {};
    const first = new Queue(this.#disk, options);
    const second = new Queue(this.#disk, options);
    assert.deepEqual(second.recovered.nextSeq, first.recovered.nextSeq);
    // What rotted is counted exactly only once it was read.
    // After a loss the epoch is chosen anew until the gap that tells of it is durable.
    const { epoch } = first.recovered.isLost ? second.stats() : first.stats();
    if (!this.#hasRot) assert.deepEqual(second.stats(), { ...first.stats(), epoch });
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
