import assert from 'node:assert/strict';
import { Socket } from 'node:net';
import { test } from 'node:test';
import { Conversation } from './conversation.ts';

/** What is shown of this when these are secrets. */
function shown(text: string, ...secrets: readonly string[]): string {
  using conversation = new Conversation(new Socket(), { signal: AbortSignal.timeout(5000), where: 'mail.test:25' });
  conversation.hide(secrets);
  return conversation.shown(Buffer.from(text));
}

test('a secret that a server repeats is shown as stars, whatever it is made of', () => {
  const table: readonly (readonly [string, readonly string[], string])[] = [
    ['no secret here', ['s3cret'], '"no secret here"'],
    ['bad s3cret, s3cret', ['s3cret'], '"bad ***, ***"'],
    ['both ann and s3cret', ['ann', 's3cret'], '"both *** and ***"'],
    ['stars ** and *', ['**', '*'], '"stars *** and ***"'],
    ['aaaa', ['a'], '"***"'],
    ['nothing to hide', [''], '"nothing to hide"'],
    ['', ['s3cret'], '""'],
  ];
  for (const [text, secrets, expected] of table) assert.equal(shown(text, ...secrets), expected, text);
});
