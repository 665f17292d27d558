import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readEvents, type StreamEvent } from './event-stream.ts';

async function eventsOf(chunks: readonly Uint8Array[]): Promise<StreamEvent[]> {
  async function* stream(): AsyncGenerator<Uint8Array> {
    yield* chunks;
  }
  return await Array.fromAsync(readEvents(stream()));
}

describe('a stream of events', () => {
  const cases: readonly (readonly [string, string, readonly StreamEvent[]])[] = [
    ['an event with its type', 'event: result\ndata: {}\n\n', [{ id: '', type: 'result', data: '{}' }]],
    ['an event without a type is a message', 'data: x\n\n', [{ id: '', type: 'message', data: 'x' }]],
    ['several lines of data are one text', 'data: a\ndata: b\n\n', [{ id: '', type: 'message', data: 'a\nb' }]],
    [
      'only the first space after the colon is left out',
      'data:  a: b\n\n',
      [{ id: '', type: 'message', data: ' a: b' }],
    ],
    ['comments and unknown fields are no events', ': here\n\nid: 7\nretry: 1\n\n', []],
    ['a type does not outlive its event', 'event: a\n\ndata: x\n\n', [{ id: '', type: 'message', data: 'x' }]],
    [
      'an id stays until there is another, with no data too',
      'id: a-1\ndata: x\n\ndata: y\n\nid: a-2\n\ndata: z\n\nid\ndata: -\n\n',
      [
        { id: 'a-1', type: 'message', data: 'x' },
        { id: 'a-1', type: 'message', data: 'y' },
        { id: 'a-2', type: 'message', data: 'z' },
        { id: '', type: 'message', data: '-' },
      ],
    ],
    ['an event that was not ended is none', 'data: x\n', []],
    [
      'lines may end as they like',
      'data: a\r\n\r\ndata: b\r\rdata: ü\n\n',
      ['a', 'b', 'ü'].map((data) => ({ id: '', type: 'message', data })),
    ],
  ];
  for (const [name, text, expected] of cases) {
    test(`${name}, wherever the chunks are cut`, async () => {
      const bytes = Buffer.from(text);
      assert.deepEqual(await eventsOf([bytes]), expected);
      assert.deepEqual(await eventsOf(Array.from(bytes, (byte) => Uint8Array.of(byte))), expected);
      for (let cut = 1; cut < bytes.length; cut++)
        assert.deepEqual(await eventsOf([bytes.subarray(0, cut), bytes.subarray(cut)]), expected);
    });
  }

  test('an event that does not end is refused before it fills the memory', async () => {
    const chunk = Buffer.from('x'.repeat(1024 * 1024));
    await assert.rejects(eventsOf(Array<Buffer>(6).fill(chunk)), /at most 4194304 characters/);
    const lines = Buffer.from(`data: ${'x'.repeat(1024)}\n`.repeat(1024));
    await assert.rejects(eventsOf(Array<Buffer>(6).fill(lines)), /at most 4194304 characters/);
  });
});
