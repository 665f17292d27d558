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

  test('sends nothing after it was stopped', async () => {
    const source = new ListSource();
    source.append('backlog', 5);
    const { sender, frames } = line(source);
    sender.stop();
    sender.wake();
    await settle();
    assert.deepEqual(frames, []);
  });
});
