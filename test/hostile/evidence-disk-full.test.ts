import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { lineText } from '../../src/records/record-line.ts';
import { eventually } from '../../src/testing/eventually.ts';
import { ChainWriter } from '../../src/testing/chain-writer.ts';
import { AttackedServer } from './attacked-server.ts';
import { Liar } from './liar.ts';

function mount(...words: readonly string[]): boolean {
  return spawnSync('mount', words).status === 0;
}

test('while the disk of the client folders is full every record is kept, and written once there is room', async (t) => {
  await using server = await AttackedServer.prepare();
  const clients = join(server.data, 'clients');
  await mkdir(clients, { recursive: true });
  if (!mount('-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', clients)) return t.skip('a small disk cannot be mounted here');
  try {
    server.program.start();
    await server.untilAnswering();
    using seat = await Liar.join(server, 'seat-17');
    const writer = new ChainWriter();
    await seat.begun(writer);
    const lines = Array.from({ length: 1000 }, (_, index) =>
      writer.write({ event: 'lost', message: `event ${index} ${'x'.repeat(200)}` }),
    );
    await seat.send(writer.first.chain, lines);
    await eventually('it is said', () => /clients cannot be written: ENOSPC.*written later/.test(server.said));
    await server.untilOthersGoOn();
    assert.ok(mount('-o', 'remount,size=64m', clients));
    await eventually('it is said', () => /clients are written again; nothing is left out/.test(server.said));
    const folder = join(clients, '127.0.0.1');
    const texts = await Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name), 'utf8')));
    assert.equal(texts.join(''), lines.map((line) => `${lineText(line)}\n`).join(''));
  } finally {
    await server.program.stop();
    spawnSync('umount', [clients]);
  }
});
