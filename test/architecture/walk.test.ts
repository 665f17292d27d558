import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { posix, resolve } from 'node:path';
import { describe, test } from 'node:test';

const root = resolve(import.meta.dirname, '../..');

/** The files that ARCHITECTURE names in the section of this title, in their order. */
function walk(title: string): readonly string[] {
  const [, ...sections] = textOf('ARCHITECTURE.md').split(/^## /m);
  const section = sections.find((text) => text.startsWith(`${title}\n`)) ?? '';
  return [...section.matchAll(/^\d+\. `([^`]+)`/gm)].map(([, file = '']) => file);
}

function textOf(file: string): string {
  return readFileSync(resolve(root, file), 'utf8');
}

/** Files that a file imports, statically or when they are wanted; of a shell script, the program that it starts. */
function importsOf(file: string): readonly string[] {
  const text = textOf(file);
  const started = [...text.matchAll(/\$root\/(src\/[\w/.-]+)/g)].map(([, path = '']) => path);
  const imported = [...text.matchAll(/(?:\bfrom |\bimport\()'(\.[^']+)'/g)].map(([, path = '']) =>
    posix.join(posix.dirname(file), path),
  );
  return [...started, ...imported];
}

/** Each file exists, and imports one before it or is imported by one. */
function testConnections(files: readonly string[]): void {
  for (const [index, file] of files.entries()) {
    test(`${file} exists, and is connected with a file before it`, () => {
      assert.ok(existsSync(resolve(root, file)));
      const before = files.slice(0, index);
      const isConnected =
        index === 0 || before.some((other) => importsOf(other).includes(file) || importsOf(file).includes(other));
      assert.ok(isConnected, `neither imports a file before it nor is imported by one: ${before.join(', ')}`);
    });
  }
}

describe('the walk that begins ARCHITECTURE is true', () => {
  const files = walk('From `watchkeeper check http URL` to the first packet');

  test('it has at most twelve files, each once, from the executable to the room of the network', () => {
    assert.ok(files.length >= 8 && files.length <= 12, `${files.length} files`);
    assert.equal(new Set(files).size, files.length);
    assert.equal(files[0], 'bin/watchkeeper');
    assert.match(files.at(-1) ?? '', /^src\/net\//);
  });

  testConnections(files);

  test('its last file opens a socket', () => assert.match(textOf(files.at(-1) ?? ''), /from 'node:net'/));
});

describe('the walk of a result in ARCHITECTURE is true', () => {
  const files = walk("From the agent's timer to the reader of the API");

  test('it has at most twenty files, each once, from the timers to the HTTP interface', () => {
    assert.ok(files.length >= 12 && files.length <= 20, `${files.length} files`);
    assert.equal(new Set(files).size, files.length);
    assert.equal(files[0], 'src/schedule/scheduler.ts');
    assert.equal(files.at(-1), 'src/server/routes/app.ts');
    for (const room of ['agent/spool', 'protocol', 'server/gateway', 'server/pipeline', 'server/store'])
      assert.ok(
        files.some((file) => file.startsWith(`src/${room}/`)),
        room,
      );
  });

  testConnections(files);
});
