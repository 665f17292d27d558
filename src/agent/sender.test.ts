import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { SeqRange } from '../core/entry.ts';
import { decodeFrame } from '../protocol/frames.ts';
import { agentMessage, type AgentMessage, type Lane } from '../protocol/messages.ts';
import { Sender, type EntrySource } from './sender.ts';

type Frame = Extract<AgentMessage, { type: 'entries' }>;

/** A spool that is a list; what is there at the start is backlog. */
class ListSource implements EntrySource {
  readonly epoch = '1';
  readonly waiting = new Set<number>();
  readonly #lanes: Record<Lane, number[]> = { live: [], backlog: [] };
  #nextSeq = 1;

  append(lane: Lane, count: number): void {
    for (let i = 0; i < count; i++) {
      const seq = this.#nextSeq++;
      this.#lanes[lane].push(seq);
      this.waiting.add(seq);
    }
  }

  async read(lane: Lane, { maxCount }: { maxCount: number }) {
    const json = JSON.stringify({ kind: 'gap', ranges: [], cause: 'corrupt', at: 1 });
    return this.#lanes[lane].splice(0, maxCount).map((seq) => ({ seq, json }));
  }

  acknowledge(ranges: readonly SeqRange[]): void {
    for (const [from, to] of ranges) for (let seq = from; seq <= to; seq++) this.waiting.delete(seq);
  }
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function line(source: ListSource): { sender: Sender; frames: Frame[] } {
  const frames: Frame[] = [];
  const sendFrame = (frame: string): void => void frames.push(decodeFrame(agentMessage, frame) as Frame);
  return { frames, sender: new Sender(source, { unsentBytes: 0, sendFrame }) };
}

type Entries = Awaited<ReturnType<EntrySource['read']>>;

/** A sender whose spool is in the middle of a read. */
function readingLine() {
  const reading = Promise.withResolvers<Entries>();
  const frames: string[] = [];
  const source: EntrySource = { epoch: '1', read: () => reading.promise, acknowledge: () => {} };
  const sender = new Sender(source, { unsentBytes: 0, sendFrame: (frame) => void frames.push(frame) });
  return { sender, frames, source: { finish: reading.resolve, fail: reading.reject } };
}

describe('the sender', () => {
  test('sends what waited as backlog and what comes as live, each once', async () => {
    const source = new ListSource();
    source.append('backlog', 5);
    const { sender, frames } = line(source);
    sender.wake();
    source.append('live', 2);
    sender.wake();
    sender.wake();
    await settle();
    const sent = frames.flatMap(({ lane, entries }) => entries.map(({ seq }) => `${lane} ${seq}`));
    assert.deepEqual(sent.toSorted(), [
      'backlog 1',
      'backlog 2',
      'backlog 3',
      'backlog 4',
      'backlog 5',
      'live 6',
      'live 7',
    ]);
  });

  test('lets live results pass a backlog that is larger than its window', async () => {
    const source = new ListSource();
    source.append('backlog', 50_000);
    const { sender, frames } = line(source);
    sender.wake();
    await settle();
    const waiting = frames.flatMap(({ entries }) => entries).length;
    assert.equal(waiting, 4000);
    source.append('live', 1);
    sender.wake();
    await settle();
    assert.equal(frames.at(-1)?.lane, 'live');
  });

  test('goes on when what it sent is acknowledged, until the spool is empty', async () => {
    const source = new ListSource();
    source.append('backlog', 45_000);
    const { sender, frames } = line(source);
    sender.wake();
    for (let at = 0; source.waiting.size > 0; at++) {
      await settle();
      const frame = frames[at];
      assert.ok(frame, 'another frame');
      sender.acknowledged(frame.entries.map(({ seq }): SeqRange => [seq, seq]));
    }
    assert.equal(frames.flatMap(({ entries }) => entries).length, 45_000);
  });

  test('keeps what is not acknowledged below what a server reads ahead, of long entries too, with room for live ones', async () => {
    const json = JSON.stringify('x'.repeat(100_000));
    const left: Record<Lane, number> = { backlog: 100, live: 0 };
    let seq = 0;
    const source: EntrySource = {
      epoch: '1',
      read: async (lane) => (left[lane]-- > 0 ? [{ seq: ++seq, json }] : []),
      acknowledge: () => {},
    };
    let sent = 0;
    const sender = new Sender(source, { unsentBytes: 0, sendFrame: ({ length }) => void (sent += length) });
    sender.wake();
    await settle();
    assert.ok(sent > 500_000 && sent < 700_000, `${sent} of the backlog`);
    left.live = 100;
    sender.wake();
    await settle();
    assert.ok(sent > 1_000_000 && sent < 1_300_000, `${sent} in all`);
    sender.acknowledged([[1, 200]]);
    await settle();
    assert.ok(sent > 2_000_000, `${sent} once all is acknowledged`);
  });

  test('MU2: waits while the network takes nothing, and goes on once it does', async () => {
    const source = new ListSource();
    source.append('live', 5);
    const frames: string[] = [];
    let unsentBytes = 1024 * 1024 + 1;
    const network = {
      get unsentBytes() {
        return unsentBytes;
      },
      sendFrame: (frame: string) => void frames.push(frame),
    };
    const sender = new Sender(source, network);
    sender.wake();
    await settle();
    assert.equal(frames.length, 0);
    unsentBytes = 1024 * 1024;
    sender.wake();
    await settle();
    assert.equal(frames.length, 1);
  });

  test('MU3: what was being read when the connection ended is not sent on it', async () => {
    const { sender, frames, source } = readingLine();
    sender.wake();
    await settle();
    sender.stop();
    source.finish([{ seq: 1, json: '{}' }]);
    await settle();
    assert.deepEqual(frames, []);
  });

  test('MU1: a spool that closes under a read ends nothing but the sending', async () => {
    const { sender, frames, source } = readingLine();
    sender.wake();
    await settle();
    sender.stop();
    // A rejection that nobody handles would fail this test, as it would end the agent.
    source.fail(new Error('The spool is closed.'));
    await settle();
    sender.wake();
    await settle();
    assert.deepEqual(frames, []);
  });

  test('sends nothing after it was stopped', async () => {
    const source = new ListSource();
    source.append('backlog', 5);
    const { sender, frames } = line(source);
    sender.stop();
    sender.wake();
    await settle();
    assert.deepEqual(frames, []);
  });

  test('reads the spool once at a time, however often it is woken', async () => {
    let [reading, most] = [0, 0];
    const source: EntrySource = {
      epoch: '1',
      async read() {
        most = Math.max(most, ++reading);
        await settle();
        reading--;
        return [];
      },
      acknowledge: () => {},
    };
    const sender = new Sender(source, { unsentBytes: 0, sendFrame: () => {} });
    for (let wake = 0; wake < 5; wake++) sender.wake();
    await settle();
    for (let wake = 0; wake < 5; wake++) sender.wake();
    for (let turn = 0; turn < 10; turn++) await settle();
    assert.deepEqual([reading, most], [0, 1]);
  });

  test('only what an acknowledgement names makes room again', async () => {
    const source = new ListSource();
    source.append('backlog', 5000);
    const { sender, frames } = line(source);
    sender.wake();
    await settle();
    const sent = (): number => frames.flatMap(({ entries }) => entries).length;
    assert.equal(sent(), 4000);
    // Numbers that were never sent, and those around them.
    sender.acknowledged([[4001, 9000]]);
    await settle();
    assert.equal(sent(), 4000);
    sender.acknowledged([
      [1, 1],
      [11, 20],
    ]);
    await settle();
    assert.equal(sent(), 4011);
  });

  test('asks the spool for frames of 128 KiB and no more entries than there is room for', async () => {
    const limits: { readonly maxBytes: number; readonly maxCount: number }[] = [];
    const source: EntrySource = {
      epoch: '1',
      async read(_lane, limit) {
        limits.push(limit);
        return [];
      },
      acknowledge: () => {},
    };
    new Sender(source, { unsentBytes: 0, sendFrame: () => {} }).wake();
    await settle();
    assert.deepEqual(
      limits.map(({ maxBytes }) => maxBytes),
      [131_072, 131_072],
    );
    assert.ok(limits.every(({ maxCount }) => maxCount > 0 && maxCount <= 4000));
  });
});
