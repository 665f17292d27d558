import assert from 'node:assert/strict';
import { mkdir, readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, test } from 'node:test';
import { migrations } from '../../src/server/store/sqlite/schema.ts';
import { eventually } from '../../src/testing/eventually.ts';
import { runWatchkeeper } from '../../src/testing/watchkeeper.ts';
import { AttackedServer, countOf, monitorsText } from './attacked-server.ts';

describe('a configuration with mistakes, read again', () => {
  test('that leave nothing right: the old one stays, why is said, and a right one is loaded', async () => {
    await using server = await AttackedServer.open();
    await server.untilOthersGoOn();
    const right = monitorsText(['steady'], server.port);
    for (const [text, why] of [
      [right.replace('"1s"', '"1x"'), /interval/],
      [right.replace('"tcp"', '"tpc"'), /tpc/],
      [right.slice(0, -5), /server\.yaml/],
      ['', /expected a mapping/],
    ] as const) {
      const seen = server.said.length;
      await server.configure(text);
      server.program.signal('SIGHUP');
      await eventually('it says that it keeps the old one', () =>
        server.said.slice(seen).includes('The previous configuration stays'),
      );
      assert.match(server.said.slice(seen), why);
    }
    assert.deepEqual(await monitorsOf(server), ['steady']);
    await server.untilOthersGoOn();

    await server.configure(monitorsText(['steady', 'second'], server.port));
    server.program.signal('SIGHUP');
    await eventually('it is loaded', async () => (await monitorsOf(server)).length === 2);
  });

  test('SI6: the start and a reload judge alike: the wrong monitor is left out, and health says so', async () => {
    await using server = await AttackedServer.prepare();
    const text = monitorsText(['steady', 'wrong'], server.port).replace(/("name":"wrong","type":")tcp/, '$1tpc');
    await server.configure(text);
    server.program.start();
    await server.untilAnswering();
    const judged = async () => ({
      monitors: await monitorsOf(server),
      problems: (await fetchHealth(server)).filter((problem) => problem.includes('mistake')),
      mistakes: countOf(/monitors\[1\]\.type: expected a check type, got "tpc"/, server.said),
    });
    const atStart = await judged();
    assert.deepEqual(atStart.monitors, ['steady']);
    assert.deepEqual(atStart.problems, [`${server.configFile} has 1 mistake; what is wrong does not run`]);
    assert.equal(atStart.mistakes, 1);

    await server.configure(monitorsText(['steady', 'wrong'], server.port));
    server.program.signal('SIGHUP');
    await eventually('both run', async () => (await monitorsOf(server)).length === 2);
    assert.deepEqual((await judged()).problems, []);

    await server.configure(text);
    server.program.signal('SIGHUP');
    await eventually('it is read again', async () => (await monitorsOf(server)).length === 1);
    assert.deepEqual(await judged(), { ...atStart, mistakes: 2 });
  });

  test('SI6: a monitor for an agent that nobody knows is said, at the start, at a reload and in the lists', async () => {
    await using server = await AttackedServer.prepare();
    const monitor = { name: 'astray', type: 'tcp', target: `127.0.0.1:${server.port}`, agents: ['locla'] };
    await server.configure(JSON.stringify({ monitors: [monitor] }));
    server.program.start();
    await server.untilAnswering();
    const said =
      /No agent is called "locla", named by 1 monitor; did you mean local\? Until it joins astray runs nowhere\./;
    await eventually('it is said', () => countOf(said, server.said) === 1);
    server.program.signal('SIGHUP');
    await eventually('it is said again', () => countOf(said, server.said) === 2);
    const where = ['--data', server.data];
    assert.match(
      (await runWatchkeeper(['tasks', ...where])).stdout,
      /Run nowhere, for no such agent has joined: astray \(locla\)/,
    );
    assert.match((await runWatchkeeper(['monitors', ...where])).stdout, /runs nowhere/);
  });

  test('AT9: a misspelt egress section leaves a server unstarted, and a running one as it was', async () => {
    await using server = await AttackedServer.open();
    const egress = { egres: { deny: ['127.0.0.0/8'] } };
    const text = JSON.stringify({ ...(JSON.parse(monitorsText(['new'], server.port)) as object), ...egress });
    await server.configure(text);
    server.program.signal('SIGHUP');
    await eventually('it says so', () => /egres: there is no such key; did you mean egress\?/.test(server.said));
    await eventually('it keeps the old one', () => server.said.includes('The previous configuration stays'));
    assert.deepEqual(await monitorsOf(server), ['steady']);
    const where = ['--config', server.configFile, '--data', join(server.folder, 'another'), '--listen', '127.0.0.1:0'];
    const { code, stderr } = await runWatchkeeper(['serve', ...where]);
    assert.equal(code, 3);
    assert.match(stderr, /did you mean egress\?[^]*nothing of it can be used/);
  });

  test('a file that is gone changes nothing', async () => {
    await using server = await AttackedServer.open();
    await server.configure(monitorsText(['steady'], server.port));
    await rename(server.configFile, `${server.configFile}.gone`);
    server.program.signal('SIGHUP');
    await eventually('it says so', () => server.said.includes('The previous configuration stays'));
    assert.deepEqual(await monitorsOf(server), ['steady']);
  });
});

describe('a data folder that', () => {
  test('holds a database that is none: it is put aside, said once, and the server starts', async () => {
    await using server = await AttackedServer.prepare({ flags: ['--no-local-agent'] });
    await mkdir(server.data);
    await writeFile(join(server.data, 'watchkeeper.db'), 'x'.repeat(100_000));
    server.program.start();
    await server.untilAnswering();
    assert.equal(countOf(/cannot be used and was put aside/, server.said), 1);
    assert.ok((await readdir(server.data)).some((name) => name.includes('unreadable')));
  });

  test('a newer version wrote: the server does not touch it, and says what to do', async () => {
    await using server = await AttackedServer.open({ flags: ['--no-local-agent'] });
    await server.program.stop();
    const file = join(server.data, 'watchkeeper.db');
    const db = new DatabaseSync(file);
    db.exec('PRAGMA user_version = 99');
    db.close();
    const { code, stderr } = await runWatchkeeper([...server.program.words()]);
    assert.notEqual(code, 0);
    assert.match(stderr, /written by a newer Watchkeeper .*: start that version, or restore a backup/);
    assert.doesNotMatch(stderr, /bug in Watchkeeper/);
    assert.deepEqual(
      (await readdir(server.data)).filter((name) => name.includes('unreadable')),
      [],
    );
  });

  test('an older version wrote: it is brought up to date, that is said, and all of it is there', async () => {
    await using server = await AttackedServer.prepare({ flags: ['--no-local-agent'] });
    await mkdir(server.data);
    const taskId = '0193a0de-0000-7000-8000-000000000001';
    writeOldDatabase(join(server.data, 'watchkeeper.db'), taskId);
    server.program.start();
    await server.untilAnswering();
    assert.equal(countOf(/The store was brought from version 1 to \d+\./, server.said), 1);
    assert.equal((await server.agent('lab'))?.status, 'offline');
    const { results } = await server.ask<{ readonly results: readonly unknown[] }>(
      `/tasks/${taskId}/results?from=2026-11-02T00:00:00Z&to=2026-11-03T00:00:00Z`,
    );
    const times = { scheduledAt: '2026-11-02T08:00:00.000Z', startedAt: '2026-11-02T08:00:00.002Z', durationMs: 14 };
    const outcome = {
      status: 'up',
      latencyMs: 13,
      metrics: { connectMs: 12 },
      detail: {},
      message: 'Port 80 is open.',
    };
    const unknown = { reason: null, source: null, receivedAt: null, clockOffsetMs: null };
    assert.deepEqual(results, [{ taskId, monitorId: 'm', ...unknown, ...times, ...outcome }]);
    assert.deepEqual(await server.ask('/store/problems'), { problems: [] });
  });

  for (const name of ['server.json', 'local-agent/agent.json']) {
    test(`holds a ${name} that is no such file: nothing is made up in its place`, async () => {
      await using server = await AttackedServer.open();
      await server.untilOthersGoOn();
      await server.program.stop();
      await writeFile(join(server.data, name), '{"half":');
      server.program.start();
      await eventually('it says so', () => /agent\.json is not what|server\.json is not what/.test(server.said));
      assert.doesNotMatch(server.said, /bug in Watchkeeper/);
    });
  }

  test('cannot be made: the server says so and ends', async () => {
    await using server = await AttackedServer.prepare();
    const words = [...server.program.words()].map((word) =>
      word === server.data ? join(server.configFile, 'x') : word,
    );
    const { code, stderr } = await runWatchkeeper(words);
    assert.notEqual(code, 0);
    assert.match(stderr, /server\.yaml\/x/);
    assert.doesNotMatch(stderr, /bug in Watchkeeper/);
  });
});

async function monitorsOf(server: AttackedServer): Promise<readonly string[]> {
  const { monitors } = await server.ask<{ readonly monitors: readonly { readonly name: string }[] }>('/monitors');
  return monitors.map(({ name }) => name);
}

/** As the first version wrote it: an agent, and one result of its task. */
function writeOldDatabase(file: string, taskId: string): void {
  using db = new DatabaseSync(file);
  db.exec(`PRAGMA page_size = 16384; PRAGMA journal_mode = WAL; ${migrations[0]}; PRAGMA user_version = 1`);
  const agentId = '0193a0de-0000-7000-8000-00000000000a';
  const at = Date.UTC(2026, 10, 2, 8);
  const finding = { status: 'up', message: 'Port 80 is open.', detail: {}, hasLatency: true, metrics: ['connectMs'] };
  const numbers = new Uint8Array(Float64Array.of(2, 14, 13, 12).buffer);
  db.prepare('INSERT INTO agents VALUES (?, ?, ?, ?, NULL)').run(agentId, 'lab', 'key', at);
  db.prepare('INSERT INTO tasks VALUES (?, ?, ?)').run(agentId, 'm', taskId);
  db.prepare('INSERT INTO series VALUES (1, ?, ?, ?)').run(taskId, agentId, 'm');
  db.prepare('INSERT INTO epochs VALUES (1, ?, ?, ?)').run(agentId, 'epoch', '[[1,1]]');
  db.prepare('INSERT INTO findings VALUES (1, ?)').run(JSON.stringify(finding));
  db.prepare('INSERT INTO unsealed VALUES (?, 1)').run(at / 3_600_000);
  db.prepare('INSERT INTO results VALUES (?, 1, ?, 1, 1, 1, ?)').run(at / 10_000, at, numbers);
}

async function fetchHealth(server: AttackedServer): Promise<readonly string[]> {
  const { problems } = JSON.parse(await (await fetch(`${server.url}/healthz`)).text()) as { problems?: string[] };
  return problems ?? [];
}
