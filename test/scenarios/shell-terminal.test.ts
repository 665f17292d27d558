import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { temporaryFolder } from '../peers/daemon.ts';
import { tcpServer } from '../../src/testing/tcp-server.ts';
import { executable, Terminal } from './terminal.ts';

describe('the shell on a terminal', () => {
  test('A1: Tab completes words, and the answers of a question that has choices', async () => {
    using terminal = new Terminal(`${executable} shell`);
    await terminal.until(/^> *$/m);
    terminal.press('ICM', 'Tab');
    await terminal.until(/^> icmp$/m);
    terminal.press('Enter', '127.0.0.1', 'Enter');
    await terminal.until(/\[ping\]:/);
    terminal.press('tr', 'Tab');
    await terminal.until(/\[ping\]: traceroute$/m);
  });

  test('A6: results scroll above the line that is being typed, which stays whole', async () => {
    await using server = await tcpServer();
    using terminal = new Terminal(`${executable} shell`);
    await terminal.until(/^> *$/m);
    for (const line of ['tcp', '127.0.0.1', String(server.port), '1', 'start']) terminal.press(line, 'Enter');
    await terminal.until(/ is up/);
    terminal.press('vi');
    const screen = await terminal.until(/( is up[^]*){3}\n> vi\n/);
    assert.equal(screen.match(/vi$/gm)?.length, 1, screen);
    terminal.press('e', 'w', 'Enter');
    await terminal.until(/ 1\. TCP 127\.0\.0\.1:\d+, every 1s/);
    terminal.press('exit', 'Enter');
    await terminal.until(/Monitoring has ended\.\n(> *\n)?exit=0/);
  });

  test('Ctrl-C leaves a question and stops monitoring; Ctrl-D leaves the shell', async () => {
    await using server = await tcpServer();
    using terminal = new Terminal(`${executable} shell`);
    await terminal.until(/^> *$/m);
    terminal.press('dns', 'Enter', '8.8');
    await terminal.until(/Server.*: 8\.8$/m);
    terminal.press('C-c');
    await terminal.until(/8\.8\^C\n> *$/m);
    terminal.press('C-c');
    await terminal.until(/Type exit to leave\./);
    for (const line of ['tcp', '127.0.0.1', String(server.port), '1', 'start']) terminal.press(line, 'Enter');
    await terminal.until(/ is up/);
    terminal.press('C-c');
    await terminal.until(/Monitoring has ended\.\n> *$/m);
    terminal.press('C-d');
    await terminal.until(/exit=0/);
  });

  test('CH14: the arrow keys bring commands back, not answers; Ctrl-C clears a half-typed line; Ctrl-D ends the line', async () => {
    using terminal = new Terminal(`${executable} shell`);
    await terminal.until(/^> *$/m);
    for (const line of ['tcp', '127.0.0.1', '9', '3600']) terminal.press(line, 'Enter');
    await terminal.until(/Added TCP[^]*^> *$/m);
    terminal.press('Up');
    await terminal.until(/Added TCP[^]*^> tcp$/m);
    terminal.press('C-c');
    await terminal.until(/^> tcp\^C\n> *$/m);
    terminal.press('start', 'Enter');
    await terminal.until(/ is down/);
    terminal.press('sto');
    await terminal.until(/^> sto$/m);
    terminal.press('C-c');
    const screen = await terminal.until(/^> sto\^C\n> *$/m);
    assert.doesNotMatch(screen, /Monitoring has ended/);
    terminal.press('C-d');
    await terminal.until(/^> *\n(?:Monitoring has ended\.\n)exit=0$/m);
  });

  test('CH10: Tab completes what stands after remove, save and load', async () => {
    await using folder = await temporaryFolder('shell files');
    await mkdir(join(folder.path, 'deep'));
    await writeFile(join(folder.path, 'deep', 'office.yaml'), '');
    using terminal = new Terminal(`cd '${folder.path}'; ${executable} shell`);
    await terminal.until(/^> *$/m);
    for (const line of ['tcp', '127.0.0.1', '9', '3600']) terminal.press(line, 'Enter');
    await terminal.until(/Added TCP/);
    terminal.press('remove ', 'Tab');
    await terminal.until(/^> remove 1$/m);
    terminal.press('C-u', 'save de', 'Tab');
    await terminal.until(/^> save deep\/$/m);
    terminal.press('o', 'Tab');
    await terminal.until(/^> save deep\/office\.yaml$/m);
  });

  test('start opens the console of its server on a terminal', async () => {
    await using folder = await temporaryFolder('start');
    using terminal = new Terminal(`${executable} start --data ${folder.path} --listen 127.0.0.1:0`);
    await terminal.until(/local \(127\.0\.0\.1\): Online/);
    terminal.press('exit', 'Enter');
    await terminal.until(/exit=0/);
  });

  test('check colours its verdict on a terminal, unless NO_COLOR asks for none', async () => {
    await using server = await tcpServer();
    const check = `check tcp 127.0.0.1:${server.port}`;
    const command = `${executable} ${check}; NO_COLOR=1 ${executable} ${check}; ${executable} ${check} | cat`;
    using terminal = new Terminal(command);
    const screen = await terminal.until(/exit=0/, { colours: true });
    const verdicts = screen.split('\n').filter((line) => line.includes('is open.'));
    assert.deepEqual(
      verdicts.map((line) => line.includes('32m')),
      [true, false, false],
      screen,
    );
  });
});
