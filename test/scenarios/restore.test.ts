import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { globSync, mkdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import type { MissingAnswer } from '../../src/server/routes/missing.ts';
import { eventually } from '../../src/testing/eventually.ts';
import { Fleet } from '../../src/testing/fleet.ts';
import { fillDisk, mountSmallDisk } from '../../src/testing/small-disk.ts';
import { runWatchkeeper, Watchkeeper } from '../../src/testing/watchkeeper.ts';
import { Served } from './served.ts';
import { removeFolder } from '../../src/testing/remove-folder.ts';

const root = join(import.meta.dirname, '..', '..');

test('SF2: a server that is restored to an empty folder takes its agents back without a word to them', async () => {
  await using fleet = await Fleet.open({ agents: 2, monitorsPerAgent: 3, hasLocalAgent: true });
  const file = `${fleet.serverFolder}.backup`;
  const passphraseFile = `${fleet.serverFolder}.passphrase`;
  writeFileSync(passphraseFile, 'correct horse battery staple\n');
  await fleet.ask('/monitors', {
    name: 'made by hand',
    type: 'http',
    target: `${fleet.oracle.url}/made`,
    paused: true,
  });
  const { token } = await fleet.ask<{ readonly token: string }>('/invites', {});
  const keep = ['--data', fleet.serverFolder, '--passphrase-file', passphraseFile];
  const backedUp = await resultCounts(fleet);
  const made = await runWatchkeeper(['backup', file, ...keep]);
  const afterwards = await resultCounts(fleet);
  assert.deepEqual([made.code, made.stderr], [0, '']);

  await eventually('the server has more than the backup', async () =>
    Object.entries(await resultCounts(fleet)).every(([task, count]) => count > (afterwards[task] ?? 0)),
  );
  await fleet.server.kill();
  await removeFolder(fleet.serverFolder);
  const restored = await runWatchkeeper(['restore', file, ...keep]);
  assert.deepEqual([restored.code, restored.stderr], [0, '']);
  assert.match(restored.stdout, /is the server as it was on \d{4}-.*Z \(version /);
  assert.equal(
    readFileSync(join(fleet.serverFolder, 'configuration', 'server.yaml'), 'utf8').includes('monitors'),
    true,
  );

  const restartedAt = Date.now();
  fleet.server.start();
  await fleet.untilAnswering();
  await fleet.untilConnected();
  await eventually('every monitor has a new result', async () => {
    const latest = await fleet.latest();
    return latest.length === 9 && latest.every(({ startedAt }) => Date.parse(startedAt) > restartedAt);
  });
  for (const { program } of fleet.agents) assert.doesNotMatch(program.said, /another server|not the one/);
  const kept = await resultCounts(fleet);
  for (const [task, count] of Object.entries(backedUp)) assert.ok((kept[task] ?? 0) > count, `${task}: ${kept[task]}`);
  const { monitors } = await fleet.ask<{ readonly monitors: readonly { readonly name: string }[] }>('/monitors');
  assert.ok(monitors.some(({ name }) => name === 'made by hand'));
  // What the agents had delivered since is a declared gap, and nothing stays open.
  const missing = await eventually('what is missing is declared', async () => {
    const rows = (await fleet.ask<{ readonly missing: readonly MissingAnswer[] }>('/missing')).missing;
    return rows.every(({ cause }) => cause !== 'not-received') && rows;
  });
  const restoredGaps = missing.filter(({ cause, count }) => cause === 'restored' && count > 0);
  assert.deepEqual(restoredGaps.map(({ agent }) => agent).toSorted(), ['agent-1', 'agent-2']);
  // An invitation that was open is open.
  const url = `http://127.0.0.1:${fleet.port}`;
  const lateFolder = `${fleet.serverFolder}-late-agent`;
  await using _late = new Watchkeeper([
    'agent',
    '--join',
    url,
    '--token',
    token,
    '--name',
    'late',
    '--data',
    lateFolder,
  ]);
  await fleet.untilConnected(['late']);
  assert.deepEqual(
    globSync('*', { cwd: fleet.serverFolder, withFileTypes: true })
      .filter((entry) => entry.isFile() && (statSync(join(entry.parentPath, entry.name)).mode & 0o077) !== 0)
      .map(({ name }) => name),
    [],
  );
});

/** How many results of each task the store has. */
async function resultCounts(fleet: Fleet): Promise<Readonly<Record<string, number>>> {
  using database = new DatabaseSync(fleet.database, { readOnly: true });
  const rows = database
    .prepare('SELECT taskId, count(*) AS count FROM results JOIN series ON series.id = series GROUP BY taskId')
    .all();
  return Object.fromEntries(rows.map((row) => [String(row['taskId']), Number(row['count'])]));
}

test('SF2: a backup that was altered, cut or opened with the wrong passphrase restores nothing', async () => {
  await using server = await Served.start(undefined, { localAgent: false });
  const file = join(server.folder, 'backup');
  const passphrase = { WATCHKEEPER_PASSPHRASE: 'correct horse battery staple' };
  assert.equal((await runWatchkeeper(server.words('backup', file), passphrase)).code, 0);
  const target = join(server.folder, 'elsewhere');
  const attempt = async (expected: RegExp, env = passphrase): Promise<void> => {
    const { code, stdout, stderr } = await runWatchkeeper(['restore', file, '--data', target], env);
    assert.deepEqual([code, stdout], [3, '']);
    assert.match(stderr, expected);
    assert.doesNotMatch(stderr, /bug in Watchkeeper|\n {4}at /);
    assert.deepEqual(globSync('*', { cwd: target }), ['lock']);
  };
  await attempt(/backup: it is encrypted: give its passphrase with --passphrase-file/, {
    WATCHKEEPER_PASSPHRASE: undefined,
  } as never);
  await attempt(/backup: the passphrase is wrong/, { WATCHKEEPER_PASSPHRASE: 'guessed passphrase' });
  await attempt(/WATCHKEEPER_PASSPHRASE: expected a passphrase of 8 to 1024 characters, got 3/, {
    WATCHKEEPER_PASSPHRASE: 'abc',
  });
  const { size } = await stat(file);
  truncateSync(file, size - 1);
  await attempt(/backup: it was changed or cut short/);
  rmSync(file);
  await attempt(/backup: it cannot be read: ENOENT/);
});

test('SF2: a backup of a newer store, or of a store alone, is refused with a sentence', async () => {
  await using server = await Served.start(undefined, { localAgent: false });
  await server.stop();
  const database = join(server.data, 'watchkeeper.db');
  const target = join(server.folder, 'elsewhere');
  const alone = await runWatchkeeper(['restore', database, '--data', target]);
  assert.equal(alone.code, 3);
  assert.match(alone.stderr, /it is a copy of the store alone, as version 0\.1\.0 made them/);
});

test('backup writes to a pipe and restore reads from one; a folder that holds a server is refused', async () => {
  await using server = await Served.start(undefined, { localAgent: false });
  const file = join(server.folder, 'backup');
  const target = join(server.folder, 'elsewhere');
  const [from, to] = [['--data', server.data].join(' '), ['--data', target].join(' ')];
  execFileSync('sh', ['-c', `bin/watchkeeper backup - ${from} | tee ${file} | bin/watchkeeper restore - ${to}`], {
    cwd: root,
  });
  assert.equal(
    readFileSync(join(target, 'server.json'), 'utf8'),
    readFileSync(join(server.data, 'server.json'), 'utf8'),
  );
  const running = await runWatchkeeper(['restore', file, '--data', server.data]);
  assert.deepEqual([running.code, /another server uses the data folder/.test(running.stderr)], [3, true]);
  await server.stop();
  const stopped = await runWatchkeeper(['restore', file, '--data', server.data]);
  assert.deepEqual([stopped.code, /is in use: it holds/.test(stopped.stderr)], [3, true]);
});

test('on a full disk there is no backup, and no restore, and both say why', async (t) => {
  await using disk = await mountSmallDisk();
  if (!disk) return t.skip('a file system of its own needs root and loop devices');
  await using server = await Served.start(undefined, { localAgent: false });
  const file = join(server.folder, 'backup');
  assert.equal((await runWatchkeeper(server.words('backup', file))).code, 0);
  fillDisk(join(disk.path, 'full'));
  truncateSync(join(disk.path, 'full'), statSync(join(disk.path, 'full')).size - 200_000);
  const backup = await runWatchkeeper(server.words('backup', join(disk.path, 'backup')));
  assert.equal(backup.code, 3);
  assert.match(backup.stderr, /there is no backup: .*ENOSPC/);
  const restore = await runWatchkeeper(['restore', file, '--data', join(disk.path, 'data')]);
  assert.equal(restore.code, 3);
  assert.match(restore.stderr, /nothing was restored: .*ENOSPC/);
  assert.deepEqual(globSync('{backup*,data/*}', { cwd: disk.path }), ['data/lock']);
});

test('a data folder that was copied in part is said to be, before its agents say that it is another server', async () => {
  await using server = await Served.start(undefined, { localAgent: true });
  await server.stop();
  rmSync(join(server.data, 'server.json'));
  await using again = new Watchkeeper(
    server.words('serve', '--listen', `127.0.0.1:${server.port}`, '--no-local-agent'),
  );
  await eventually('it is said', () =>
    /had no server\.json, by which agents know their server.* none of the 1 agents in the store will come back/.test(
      again.stderr,
    ),
  );
  again.signal('SIGTERM');
  assert.equal(await again.end(), 0, again.stderr);
  assert.ok(statSync(join(server.data, 'server.json')).size > 0);
});

test('a server does not begin in a folder into which a restore was cut off', async () => {
  await using server = await Served.start(undefined, { localAgent: false });
  const target = join(server.folder, 'half');
  mkdirSync(join(target, 'restore.unfinished'), { recursive: true, mode: 0o700 });
  const { code, stderr } = await runWatchkeeper(['serve', '--data', target, '--listen', '127.0.0.1:0']);
  assert.deepEqual([code, /a restore into .* was cut off/.test(stderr)], [3, true], stderr);
  assert.deepEqual(globSync('*', { cwd: target }).toSorted(), ['lock', 'restore.unfinished']);
});
