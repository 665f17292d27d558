import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { fillDisk, mountSmallDisk } from '../testing/small-disk.ts';
import { replaceFile, replaceFileSoon } from './atomic-file.ts';

function temporary(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'watchkeeper-atomic-'));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

describe('replacing a file', () => {
  test('puts the new content there, with its mode, and leaves nothing beside it', (t) => {
    const folder = temporary(t);
    const file = join(folder, 'a.json');
    replaceFile(file, 'one');
    replaceFile(file, 'zwei ü', { mode: 0o644, isDurable: false });
    assert.equal(readFileSync(file, 'utf8'), 'zwei ü');
    assert.equal(statSync(file).mode & 0o777, 0o644);
    replaceFile(file, new Uint8Array([1, 2, 3]));
    assert.deepEqual([...readFileSync(file)], [1, 2, 3]);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(folder), ['a.json']);
  });

  test('AT6: writes through no link, and takes the place of what a crash left', (t) => {
    const folder = temporary(t);
    const [file, victim] = [join(folder, 'a.json'), join(folder, 'victim')];
    writeFileSync(victim, 'mine');
    symlinkSync(victim, `${file}.new`);
    replaceFile(file, 'new');
    writeFileSync(`${file}.new`, 'half of');
    replaceFile(file, 'newer');
    assert.deepEqual([readFileSync(victim, 'utf8'), readFileSync(file, 'utf8')], ['mine', 'newer']);
  });

  test('SF14: off this thread it does the same', async (t) => {
    const folder = temporary(t);
    const [file, victim] = [join(folder, 'a.json'), join(folder, 'victim')];
    writeFileSync(victim, 'mine');
    symlinkSync(victim, `${file}.soon`);
    await replaceFileSoon(file, 'zwei ü');
    await replaceFileSoon(file, 'drei');
    assert.deepEqual([readFileSync(victim, 'utf8'), readFileSync(file, 'utf8')], ['mine', 'drei']);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(folder).toSorted(), ['a.json', 'victim']);
  });

  test('SF14: off this thread a full disk rejects, and the old content stays whole', async (t) => {
    await using disk = await mountSmallDisk();
    if (!disk) return t.skip('a file system of its own needs root and loop devices');
    const file = join(disk.path, 'tasks.json');
    await replaceFileSoon(file, 'old');
    fillDisk(join(disk.path, 'filler'));
    await assert.rejects(replaceFileSoon(file, 'x'.repeat(100_000)), { code: 'ENOSPC' });
    assert.equal(readFileSync(file, 'utf8'), 'old');
    assert.deepEqual(readdirSync(disk.path).toSorted(), ['filler', 'lost+found', 'tasks.json']);
  });

  test('SE8: on a full disk throws, and the old content stays whole', async (t) => {
    await using disk = await mountSmallDisk();
    if (!disk) return t.skip('a file system of its own needs root and loop devices');
    const file = join(disk.path, 'tasks.json');
    replaceFile(file, 'old');
    fillDisk(join(disk.path, 'filler'));
    assert.throws(() => replaceFile(file, 'x'.repeat(100_000)), { code: 'ENOSPC' });
    assert.equal(readFileSync(file, 'utf8'), 'old');
    assert.deepEqual(readdirSync(disk.path).toSorted(), ['filler', 'lost+found', 'tasks.json']);
  });

  test('SE8: on a nearly full disk, which takes a part, throws too', async (t) => {
    await using disk = await mountSmallDisk();
    if (!disk) return t.skip('a file system of its own needs root and loop devices');
    const file = join(disk.path, 'tasks.json');
    replaceFile(file, 'old');
    writeFileSync(join(disk.path, 'room'), 'x'.repeat(40_000), { flush: true });
    fillDisk(join(disk.path, 'filler'));
    rmSync(join(disk.path, 'room'));
    assert.throws(() => replaceFile(file, 'x'.repeat(1_000_000)), { code: 'ENOSPC' });
    assert.equal(readFileSync(file, 'utf8'), 'old');
    replaceFile(file, 'x'.repeat(8000));
    assert.equal(readFileSync(file, 'utf8').length, 8000);
  });
});
