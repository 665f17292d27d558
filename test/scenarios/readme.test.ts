import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { EchoResponder } from '../../src/echo/responder.ts';
import { runWatchkeeper } from '../../src/testing/watchkeeper.ts';
import { temporaryFolder } from '../peers/daemon.ts';

/**
 * Blocks of README marked `console` are what the program really prints: each is run, and compared line by line without
 * its numbers. `{…}` stands for any object.
 */

const root = resolve(import.meta.dirname, '../..');
const shownPort = '12345';
const starter = 'config/starter.yaml';

interface Example {
  readonly command: string;
  readonly output: readonly string[];
}

const examples = [
  ...readFileSync(join(root, 'README.md'), 'utf8').matchAll(/^```console\n\$ watchkeeper (.*)\n([^`]*)```$/gm),
].map(([, command = '', output = '']): Example => ({ command, output: output.trimEnd().split('\n') }));

test('README has examples to hold it to', () => assert.ok(examples.length >= 5, `${examples.length} found`));

for (const { command, output } of examples) {
  test(`README: watchkeeper ${command}`, async () => {
    // The examples speak of the usual port, which another test may use at the moment.
    await using responder = new EchoResponder({ host: '127.0.0.1', tcp: 0 });
    const { tcp: port = 0 } = await responder.start();
    await using udpSide = new EchoResponder({ host: '127.0.0.1', udp: port });
    await udpSide.start();
    await using folder = await temporaryFolder('readme');
    const words = await wordsOf(command, { port, folder: folder.path });
    const { stdout, stderr } = await runWatchkeeper(words);
    const shown = new Set(output.map(withoutNumbers));
    const printed = new Set(`${stdout}${stderr}`.trimEnd().split('\n').map(withoutNumbers));
    assert.deepEqual([...printed].toSorted(), [...shown].toSorted());
  });
}

async function wordsOf(
  command: string,
  { port, folder }: { readonly port: number; readonly folder: string },
): Promise<string[]> {
  const file = join(folder, 'starter.yaml');
  await writeFile(file, readFileSync(join(root, starter), 'utf8').replaceAll(shownPort, String(port)));
  return command.replaceAll(shownPort, String(port)).replaceAll(starter, file).split(' ');
}

/** What stays of a line when it is run again elsewhere: columns may be wider, and echoes travel by what is allowed there. */
function withoutNumbers(line: string): string {
  return line
    .replaceAll(/\{[^{}]*\}/g, (object) => (object.includes('"type"') ? object : '{…}'))
    .replaceAll(/\d+(?:\.\d+)?/g, '#')
    .replaceAll(/#e-#/g, '#')
    .replace(/via +\w+/, 'via …')
    .replace(/result: /, 'results: ')
    .replaceAll(/\s+/g, ' ')
    .trim();
}
