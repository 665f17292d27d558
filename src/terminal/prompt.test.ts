import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { test } from 'node:test';
import { Prompt } from './prompt.ts';

const up = '\u001B[A';

test('what was typed ahead of its question comes back where it was taken: commands among commands, answers among answers', async () => {
  const input = Object.assign(new PassThrough(), { isTTY: true });
  const output = Object.assign(new PassThrough(), { isTTY: true, columns: 80, rows: 25 });
  const prompt = new Prompt({ input, output: output as unknown as NodeJS.WriteStream });
  input.write('tcp\r192.0.2.1\rview\r');
  await nextTurn();

  assert.equal(await prompt.askCommand([]), 'tcp');
  assert.equal(await prompt.ask('Host: '), '192.0.2.1');
  assert.equal(await prompt.askCommand([]), 'view');

  const command = prompt.askCommand([]);
  input.write(`${up}${up}\r`);
  assert.equal(await command, 'tcp');
  const answer = prompt.ask('Host: ');
  input.write(`${up}\r`);
  assert.equal(await answer, '192.0.2.1');
  prompt.close();
});
