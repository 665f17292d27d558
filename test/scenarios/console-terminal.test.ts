import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tcpServer } from '../../src/testing/tcp-server.ts';
import { Served } from './served.ts';
import { executable, Terminal } from './terminal.ts';

test('the console on a terminal: Tab completes commands, monitors and agents; results scroll above the line being typed; Ctrl-C leaves', async () => {
  await using open = await tcpServer();
  await using server = await Served.start(
    `monitors:\n  - { name: front door, type: tcp, target: "127.0.0.1:${open.port}", interval: 1s }\n`,
  );
  using terminal = new Terminal(`${executable} ${server.words('console').join(' ')}`);
  await terminal.until(/front door is up/);
  terminal.press('ru', 'Tab', 'f', 'Tab');
  await terminal.until(/^> run front door$/m);
  terminal.press(' on', 'Tab');
  const screen = await terminal.until(/( is up[^]*){2}\n> run front door on local\n/);
  assert.equal(screen.match(/run front door/g)?.length, 1, screen);
  terminal.press('Enter');
  await terminal.until(/Sent to run now: task /);
  terminal.press('Ag', 'Tab', 'Enter');
  const coloured = await terminal.until(/1 agent: 1 online/, { colours: true });
  assert.match(coloured, /\[32mOnline/);
  terminal.press('C-c');
  await terminal.until(/exit=0/);
});
