import assert from 'node:assert/strict';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { systemClock, type Clock } from '../../core/clock.ts';
import type { SealedRecord } from '../../core/entry.ts';
import { RangeSet } from '../../core/ranges.ts';
import { hashOf } from '../../records/chain.ts';
import type { ChainHead, Heartbeat } from '../../protocol/messages.ts';
import { eventually } from '../../testing/eventually.ts';
import { ChainWriter } from '../../testing/chain-writer.ts';
import type { Alarm } from '../store/evidence.ts';
import { openSqliteStore } from '../../commands/serve/open-store.ts';
import type { Store } from '../store/store.ts';
import { ChainWatch } from './chain-watch.ts';
import { readRecord } from './read-record.ts';
import { removeFolder } from '../../testing/remove-folder.ts';

const agentId = 'agent-1';
/** Waits are a hundredth of what they are. */
const clock: Clock = { ...systemClock, after: (delayMs, callback) => systemClock.after(delayMs / 100, callback) };

/** An agent's chain of nothing in particular. */
class Writer extends ChainWriter {
  writeSome(count: number): void {
    for (let made = 0; made < count; made++)
      this.write({ event: 'sensor-started', message: `line of ${this.first.chain}` }, { at: 1000 + made });
  }
}

/** A store and the watch over its chains, with one chain begun. */
class Watching implements AsyncDisposable {
  readonly writer = new Writer();
  readonly alarms: Alarm[] = [];
  store: Store;
  watch: ChainWatch;
  readonly #folder: string;
  #seq = 0;

  private constructor(folder: string, store: Store) {
    this.#folder = folder;
    this.store = store;
    this.watch = this.#newWatch();
  }

  static async begin(): Promise<Watching> {
    const folder = await mkdtemp(join(tmpdir(), 'watchkeeper-watch-'));
    const watching = new Watching(folder, await openSqliteStore({ folder }));
    await watching.beginChain(watching.writer);
    return watching;
  }

  async beginChain({ sensor, first: { chain, key } }: Writer): Promise<void> {
    await this.watch.begin(agentId, { type: 'chain-begin', sensor, chain, key });
  }

  /** Commits these lines, in this order, as records of the chain. */
  async commit(lines: readonly string[], { chain } = this.writer.first): Promise<void> {
    const records: SealedRecord[] = [];
    for (const line of lines) {
      const reading = readRecord({ kind: 'record', chain, line }, { sensor: undefined, receivedAt: clock.now() });
      assert.ok(reading, line);
      if (!this.watch.find(chain)) this.watch.adopt(agentId, reading.record);
      records.push({ ...reading.record, seq: ++this.#seq, address: undefined });
    }
    const entries = records.map(({ seq, line }) => ({ seq, item: { kind: 'record' as const, chain, line } }));
    const { alarms, repeated } = await this.store.commit({ agentId, epoch: '1', entries, records });
    this.alarms.push(...alarms);
    const before = new RangeSet(repeated);
    this.watch.committed(records.filter(({ seq }) => !before.has(seq)));
  }

  /** A heartbeat that announces this line, of an agent that has nothing left to send unless told otherwise. */
  announce(head: ChainHead, { depth = 0, at = clock.now() } = {}): readonly string[] {
    return this.watch.heard({ agentId }, {
      type: 'heartbeat',
      at,
      queue: { depth, bytes: 0, lastSeq: 0, ...(depth > 0 && { oldestUnsentAt: 1 }) },
      health: { lagMs: 0, impaired: [] },
      tasks: 0,
      chains: [head],
      sensors: [],
    } satisfies Heartbeat);
  }

  async verifiedTo(n: number): Promise<void> {
    await eventually(`line ${n} verified`, async () => (await this.#cursor()) === n);
  }

  async alarm(): Promise<Alarm> {
    return await eventually('an alarm', () => this.alarms[0]);
  }

  /** The causes and lines of all alarms, once all that came is verified; another watch goes on. */
  async settled(): Promise<readonly string[]> {
    await this.watch.stop();
    this.watch = this.#newWatch();
    await this.watch.load();
    const kept = await this.store.alarms({ limit: 100 });
    assert.deepEqual(
      kept.map(({ cause, n }) => `${cause} ${n}`).toSorted(),
      this.alarms.map(({ cause, n }) => `${cause} ${n}`).toSorted(),
      'told what is kept, and each once',
    );
    return kept.map(({ cause, n }) => `${cause} ${n}`).toReversed();
  }

  async restart(): Promise<void> {
    await this.watch.stop();
    await this.store[Symbol.asyncDispose]();
    this.store = await openSqliteStore({ folder: this.#folder });
    this.watch = this.#newWatch();
    await this.watch.load();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.watch.stop();
    await this.store[Symbol.asyncDispose]();
    await removeFolder(this.#folder);
  }

  #newWatch(): ChainWatch {
    return new ChainWatch({
      clock,
      store: this.store,
      onAlarm: (alarm) => this.alarms.push(alarm),
      onFault: assert.fail,
    });
  }

  async #cursor(): Promise<number | undefined> {
    return (await this.store.chains()).find(({ chain }) => chain === this.writer.first.chain)?.cursor.n;
  }
}

function numbered(line: string, n: number): string {
  return line.replace(/^\{"n":\d+/, `{"n":${n}`);
}

describe('a chain of records', () => {
  test('is verified whatever the order in which its lines come, and raises no alarm', async () => {
    await using watching = await Watching.begin();
    const { writer } = watching;
    writer.writeSome(250);
    watching.announce(writer.head(), { depth: 9 });
    await watching.commit(writer.lines.slice(200));
    await watching.commit(writer.lines.slice(0, 120));
    watching.announce(writer.head(), { depth: 9 });
    await watching.commit(writer.lines.slice(120, 200).toReversed());
    await watching.verifiedTo(250);
    for (let beat = 0; beat < 4; beat++) watching.announce(writer.head());
    assert.deepEqual(await watching.settled(), []);
  });

  test('goes on after a restart from where it was verified', async () => {
    await using watching = await Watching.begin();
    const { writer } = watching;
    writer.writeSome(3);
    await watching.commit(writer.lines);
    await watching.verifiedTo(3);
    writer.writeSome(2);
    await watching.watch.stop();
    await watching.commit(writer.lines.slice(3));
    await watching.restart();
    await watching.verifiedTo(5);
    assert.deepEqual(await watching.settled(), []);
  });

  test('with a line that was edited raises an alarm for it and, since the next names another, for that', async () => {
    await using watching = await Watching.begin();
    const { writer } = watching;
    writer.writeSome(5);
    const edited = writer.lines.map((line, index) => (index === 2 ? line.replace('line of', 'lie of') : line));
    await watching.commit(edited);
    await watching.verifiedTo(5);
    assert.deepEqual(await watching.settled(), ['edited 3', 'unlinked 4']);
  });

  test('with two lines swapped raises alarms: each is numbered, and sealed with its number', async () => {
    await using watching = await Watching.begin();
    const { writer } = watching;
    writer.writeSome(4);
    const [one = '', two = '', three = '', four = ''] = writer.lines;
    await watching.commit([one, numbered(three, 2), numbered(two, 3), four]);
    await watching.verifiedTo(4);
    assert.deepEqual(await watching.settled(), ['edited 2', 'edited 3', 'unlinked 4']);
  });

  test('with a hole raises an alarm once the agent has nothing left to send, and goes on behind it', async () => {
    await using watching = await Watching.begin();
    const { writer } = watching;
    writer.writeSome(8);
    await watching.commit(writer.lines.filter((_, index) => index !== 3 && index !== 4));
    await watching.verifiedTo(3);
    for (let beat = 0; beat < 5; beat++) watching.announce(writer.head(), { depth: 1 });
    assert.deepEqual(await watching.settled(), [], 'the rest may still come');
    for (let beat = 0; beat < 5; beat++) watching.announce(writer.head());
    await watching.verifiedTo(8);
    assert.deepEqual(await watching.settled(), ['missing 4']);
    assert.match(watching.alarms[0]?.message ?? '', /lines 4 to 5/);
    writer.writeSome(1);
    await watching.commit([writer.lines[8] ?? '', writer.lines[3] ?? '']);
    await watching.verifiedTo(9);
    assert.deepEqual(await watching.settled(), ['missing 4', 'unlinked 4'], 'its seal can no longer be verified');
  });

  test('with its end cut raises an alarm when the agent announces an earlier line, or one that never comes', async () => {
    await using watching = await Watching.begin();
    const { writer } = watching;
    writer.writeSome(6);
    await watching.commit(writer.lines.slice(0, 3));
    watching.announce(writer.head(5));
    watching.announce(writer.head(5));
    watching.announce(writer.head(5));
    assert.deepEqual(await watching.settled(), ['missing 4']);
    await watching.restart();
    watching.announce(writer.head(3));
    watching.announce(writer.head(3));
    assert.deepEqual(await watching.settled(), ['missing 4', 'rolled-back 5'], 'what was announced outlives a restart');
  });

  test('that goes on differently on a copy is a fork, whoever is heard first', async () => {
    await using watching = await Watching.begin();
    const { writer } = watching;
    writer.writeSome(3);
    await watching.commit(writer.lines);
    await watching.verifiedTo(3);
    watching.announce({ ...writer.head(), head: hashOf('another line 3') });
    await watching.alarm();
    writer.writeSome(1);
    watching.announce({ ...writer.head(), head: hashOf('another line 4') });
    await watching.commit(writer.lines.slice(3));
    await watching.verifiedTo(4);
    assert.deepEqual(await watching.settled(), ['forked 3', 'forked 4']);
  });

  test('that takes the place of another is accepted, with an alarm; the same begun twice is none', async () => {
    await using watching = await Watching.begin();
    await watching.beginChain(watching.writer);
    assert.deepEqual(await watching.settled(), []);
    const other = new Writer();
    await watching.beginChain(other);
    const { chain, cause, n } = await watching.alarm();
    assert.deepEqual([chain, cause, n], [other.first.chain, 'begun-anew', 0]);
  });

  test('has one first key: another is refused, with an alarm', async () => {
    await using watching = await Watching.begin();
    const copied = new Writer();
    const { chain } = watching.writer.first;
    await assert.rejects(
      watching.watch.begin(agentId, { type: 'chain-begin', sensor: 'usb', chain, key: copied.first.key }),
      { code: 'not-your-entries' },
    );
    assert.equal((await watching.alarm()).cause, 'forked');
  });

  test('whose first key is not known, as after a restored backup, is followed by its links', async () => {
    await using watching = await Watching.begin();
    const unknown = new Writer();
    unknown.writeSome(4);
    const { first, lines } = unknown;
    await watching.commit(lines.slice(1), first);
    await eventually('its lines verified', async () =>
      (await watching.store.chains()).some(({ chain, cursor }) => chain === first.chain && cursor.n === 4),
    );
    const edited = lines[3]?.replace('line of', 'lie of') ?? '';
    await watching.commit([edited], first);
    assert.deepEqual(await watching.settled(), ['begun-anew 0', 'forked 4']);
  });

  test('that cannot be verified by its seals is said to be unknown, and another in its place is no alarm', async () => {
    await using watching = await Watching.begin();
    const unknown = new Writer('mounts');
    unknown.writeSome(3);
    const { chain } = unknown.first;
    assert.deepEqual(watching.announce(watching.writer.head()), []);
    assert.deepEqual(watching.announce(unknown.head()), [chain]);
    // Those that waited at the agent are kept.
    await watching.commit(unknown.lines, unknown.first);
    assert.deepEqual(watching.announce(unknown.head()), [chain]);
    await watching.beginChain(new Writer('mounts'));
    assert.deepEqual(await watching.settled(), ['begun-anew 0']);
    assert.equal((await watching.store.lines({ chain, from: 1, limit: 10 })).length, 3);
    assert.equal((await watching.store.alarms({ limit: 10 }))[0]?.chain, chain);
  });

  test('of which a restored backup has less raises one alarm for what is gone, and goes on behind it', async () => {
    await using watching = await Watching.begin();
    const { writer } = watching;
    writer.writeSome(10);
    await watching.commit(writer.lines.slice(0, 4));
    await watching.verifiedTo(4);
    // Lines 5 to 10 were acknowledged by the server whose folder is gone: the agent never sends them again.
    for (let beat = 0; beat < 4; beat++) assert.deepEqual(watching.announce(writer.head()), []);
    assert.equal((await watching.alarm()).n, 5);
    writer.writeSome(2);
    const forged = writer.lines[11]?.replace('line of', 'lie of') ?? '';
    await watching.commit([writer.lines[10] ?? '', forged]);
    for (let beat = 0; beat < 4; beat++) watching.announce(writer.head());
    await watching.verifiedTo(12);
    assert.deepEqual((await watching.settled()).toSorted(), ['edited 12', 'forked 12', 'missing 5']);
  });

  test('that skips by the million holds nothing up', async () => {
    await using watching = await Watching.begin();
    const { writer } = watching;
    writer.writeSome(1);
    const far = writer.lines[0]?.replace('{"n":1,', '{"n":900000000000000,') ?? '';
    await watching.commit([...writer.lines, far]);
    for (let beat = 0; beat < 4; beat++)
      watching.announce({ ...writer.head(), n: 900_000_000_000_000, head: hashOf(far) });
    await watching.verifiedTo(900_000_000_000_000);
    assert.deepEqual(await watching.settled(), ['missing 2']);
  });
});
