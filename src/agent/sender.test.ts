import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Entry, SeqRange } from '../core/entry.ts';
import type { AgentMessage } from '../protocol/messages.ts';
import { Sender, type EntrySource } from './sender.ts';

const epoch = '0193a0de-0000-7000-8000-000000000001';
type Frame = Extract<AgentMessage, { type: 'entries' }>;

/** A spool that is a list. */
class ListSource implements EntrySource {
  readonly epoch = epoch;
  readonly #entries = new Map<number, Entry>();
  nextSeq = 1;

  append(count: number): void {
    for (let i = 0; i < count; i++) {
      const seq = this.nextSeq++;
      this.#entries.set(seq, { seq, item: { kind: 'gap', ranges: [], cause: 'corrupt', at: seq } });
    }
  }

  async read({ from, to, maxEntries }: { from: number; to: number; maxEntries: number }): Promise<readonly Entry[]> {
    return [...this.#entries.values()].filter(({ seq }) => seq >= from && seq < to).slice(0, maxEntries);
  }

  acknowledge(ranges: readonly SeqRange[]): void {
    for (const [from, to] of ranges) for (let seq = from; seq <= to; seq++) this.#entries.delete(seq);
  }

  get size(): number {
    return this.#entries.size;
  }
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function line(source: ListSource): { sender: Sender; frames: Frame[] } {
  const frames: Frame[] = [];
  return { frames, sender: new Sender(source, (message) => frames.push(message as Frame)) };
}

describe('the sender', () => {
  test('sends what waited as backlog and what comes as live, each once', async () => {
    const source = new ListSource();
    source.append(5);
    const { sender, frames } = line(source);
    sender.wake();
    source.append(2);
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
    source.append(50_000);
    const { sender, frames } = line(source);
    sender.wake();
    await settle();
    const waiting = frames.flatMap(({ entries }) => entries).length;
    assert.equal(waiting, 10_000);
    source.append(1);
    sender.wake();
    await settle();
    assert.equal(frames.at(-1)?.lane, 'live');
  });

  test('goes on when what it sent is acknowledged, until the spool is empty', async () => {
    const source = new ListSource();
    source.append(45_000);
    const { sender, frames } = line(source);
    sender.wake();
    for (let at = 0; source.size > 0; at++) {
      await settle();
      const frame = frames[at];
      assert.ok(frame, 'another frame');
      sender.acknowledged(frame.entries.map(({ seq }): SeqRange => [seq, seq]));
    }
    assert.equal(frames.flatMap(({ entries }) => entries).length, 45_000);
  });

  test('sends nothing after it was stopped', async () => {
    const source = new ListSource();
    source.append(5);
    const { sender, frames } = line(source);
    sender.stop();
    sender.wake();
    await settle();
    assert.deepEqual(frames, []);
  });
});
