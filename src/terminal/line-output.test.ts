import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { LineOutput } from './line-output.ts';

test('a reader that keeps up gets every line', async () => {
  let read = '';
  const stream = new PassThrough().setEncoding('utf8').on('data', (text: string) => (read += text));
  const output = new LineOutput(stream, () => assert.fail('nothing is skipped'));
  output.write('one');
  output.write('two');
  assert.equal(await output.flush(1000), true);
  assert.equal(read, 'one\ntwo\n');
});

test('a reader that does not read fills 4 MiB and no more, and hears how many lines it lost', async () => {
  const stream = new PassThrough();
  const skipped: number[] = [];
  const output = new LineOutput(stream, (lines) => skipped.push(lines));
  const line = 'x'.repeat(1023);
  for (let count = 0; count < 10_000; count++) output.write(line);
  assert.ok(stream.writableLength < 5 * 1024 * 1024, `${stream.writableLength} bytes wait`);
  assert.equal(await output.flush(10), false);
  assert.equal(skipped.length, 1);
  assert.ok((skipped[0] ?? 0) > 5000 && (skipped[0] ?? 0) < 6000, String(skipped));
});
