import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readStatus } from '../../src/agent/status-file.ts';
import { eventually } from '../../src/testing/eventually.ts';
import { closedPort } from '../../src/testing/tcp-server.ts';
import { runWatchkeeper, Watchkeeper } from '../../src/testing/watchkeeper.ts';
import { temporaryFolder } from '../peers/daemon.ts';

const executable = fileURLToPath(new URL('../../bin/watchkeeper', import.meta.url));

type LogPlace = 'a full disk' | 'a reader that has gone' | 'a reader that sleeps';

function started(words: readonly string[], place: LogPlace): ChildProcess {
  if (place !== 'a full disk') {
    const child = spawn(executable, words, { stdio: ['ignore', 'ignore', 'pipe'] });
    if (place === 'a reader that has gone') child.stderr?.destroy();
    return child;
  }
  const full = openSync('/dev/full', 'w');
  const child = spawn(executable, words, { stdio: ['ignore', 'ignore', full] });
  closeSync(full);
  return child;
}

async function endedPolitely(child: ChildProcess): Promise<number | null> {
  assert.equal(child.exitCode, null, 'it ended by itself');
  child.kill('SIGTERM');
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.exitCode;
}

describe('SF1: a log that cannot be written ends nothing', () => {
  for (const place of ['a full disk', 'a reader that has gone', 'a reader that sleeps'] as const) {
    test(`a server whose log is on ${place} goes on serving`, async () => {
      await using folder = await temporaryFolder('operator-log');
      const port = await closedPort();
      const where = ['--data', join(folder.path, 'data'), '--listen', `127.0.0.1:${port}`];
      const server = started(['serve', ...where, '--no-local-agent'], place);
      try {
        const isWell = async (): Promise<boolean> => (await fetch(`http://127.0.0.1:${port}/healthz`)).ok;
        await eventually('it serves', isWell);
        assert.equal(await isWell(), true);
        assert.equal(await endedPolitely(server), 0);
      } finally {
        server.kill('SIGKILL');
      }
    });

    test(`an agent whose log is on ${place} goes on`, async () => {
      await using folder = await temporaryFolder('operator-log');
      const data = join(folder.path, 'agent');
      const agent = started(['agent', '--listen', `127.0.0.1:${await closedPort()}`, '--data', data], place);
      try {
        const first = await eventually('it runs', () => readStatus(data)?.writtenAt);
        await eventually('it still runs', () => (readStatus(data)?.writtenAt ?? 0) > first);
        assert.equal(await endedPolitely(agent), 0);
      } finally {
        agent.kill('SIGKILL');
      }
    });
  }

  test('a command whose output is on a full disk ends with a sentence, and is no bug', async () => {
    const full = openSync('/dev/full', 'w');
    const child = spawn(executable, ['validate', 'config/starter.yaml'], { stdio: ['ignore', full, 'pipe'] });
    closeSync(full);
    let said = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (said += text));
    await once(child, 'close');
    assert.equal(child.exitCode, 3);
    assert.match(said, /^watchkeeper: the output cannot be written: .*ENOSPC/);
  });

  test('SI10: --log-format json writes an object a line', async () => {
    await using folder = await temporaryFolder('operator-log');
    const words = ['agent', '--listen', '127.0.0.1:0', '--data', join(folder.path, 'agent'), '--log-format', 'json'];
    await using agent = new Watchkeeper(words);
    const line = await eventually('it says where it listens', () => /^.*Listens on.*$/m.exec(agent.stderr)?.[0]);
    const { time, message } = JSON.parse(line) as { readonly time: string; readonly message: string };
    assert.equal(new Date(time).toISOString(), time);
    assert.equal(message, 'Listens on 127.0.0.1:0.');
  });

  test('another --log-format is misuse', async () => {
    const { code, stderr } = await runWatchkeeper(['serve', '--log-format', 'yaml']);
    assert.equal(code, 3);
    assert.match(stderr, /Allowed choices are text, json/);
  });
});
