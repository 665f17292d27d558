import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { Failure } from '../../core/failure.ts';
import { Conversation } from './conversation.ts';
import { unescapedBytes } from './escapes.ts';
import { doStep, step } from './steps.ts';

test('CK4: the bytes of a text are those that a person means', () => {
  const table: readonly (readonly [text: string, hex: string])[] = [
    [String.raw`\xff\x00`, 'ff00'],
    [String.raw`a\r\n\t\0`, '610d0a0900'],
    [String.raw`\\xff`, '5c786666'],
    [String.raw`\\`, '5c'],
    ['\r\n', '0d0a'],
    ['é\u00ff', 'c3a9c3bf'],
    ['👋', 'f09f918b'],
    // Not an escape: it stands for itself.
    [String.raw`\q\xf\x`, '5c715c78665c78'],
    ['\\', '5c'],
    [String.raw`\XFF`, '5c584646'],
  ];
  for (const [text, hex] of table) assert.equal(unescapedBytes(text).toString('hex'), hex, text);
});

test('a step that says nothing, or two things at once, is refused', () => {
  const table = [
    [{}, /expected send, expect or both/],
    [{ send: 'a', hex: '00' }, /send or hex, not both/],
    [{ expect: 'a', expectHex: '00' }, /expect or expectHex, not both/],
    [{ send: 'x', reject: 'y' }, /reject only beside expect/],
    [{ startTls: true, send: 'x' }, /startTls in a step of its own/],
    [{ startTls: false }, /true/],
    [{ hex: '0' }, /pairs of hexadecimal digits/],
  ] as const;
  for (const [given, message] of table) assert.match(JSON.stringify(step.safeParse(given).error?.issues), message);
});

test('CA1: what drips is searched for a pattern within a bound, and beyond it nothing is known of the target', async () => {
  // A stream is all of a socket that a conversation uses.
  const stream = new PassThrough() as unknown as Socket;
  using conversation = new Conversation(stream, { signal: new AbortController().signal, where: 'a.test:25' });
  const waits = doStep(conversation, { expect: `${'(?:ab|cd|ef){0,9}'.repeat(5)}x` });
  const dripping = (async () => {
    for (let pieces = 0; pieces < 50_000; pieces++) {
      stream.write('a');
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  const failure = await Promise.race([dripping, waits]).catch((error: unknown) => error);
  assert.ok(failure instanceof Failure, 'it gave up');
  const { status, reason, source, message } = failure.toOutcome();
  assert.deepEqual([status, reason, source], ['unknown', 'too-large', 'agent']);
  assert.match(message, /bytes in many pieces, takes too long to search/);
});
