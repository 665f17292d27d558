import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { AppError } from '../../core/errors.ts';
import { textPart, writeArchive, type BackupPart } from './archive.ts';
import { BackupMaker } from './make-backup.ts';
import { assertRestoreEnded, finishRestore, restoreBackup } from './restore-backup.ts';

const about = {
  version: '0.1.0',
  serverId: '01998a00-0000-7000-8000-00000000000a',
  madeAt: '2026-11-28T08:00:00.000Z',
};
const parts = [
  textPart('server.json', 'identity'),
  textPart('api-token', 'token'),
  textPart('local-agent/agent.json', 'agent'),
  textPart('configuration/office.yaml', 'monitors: []'),
  textPart('watchkeeper.db', 'database'),
];

interface Place extends AsyncDisposable {
  readonly folder: string;
  /** Files and their content, at every depth. */
  content(): Readonly<Record<string, string>>;
}

async function makePlace(): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), 'watchkeeper-restore-'));
  const content = (): Record<string, string> =>
    Object.fromEntries(
      readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map(({ parentPath, name }) => join(parentPath, name))
        .map((path) => [path.slice(folder.length + 1), readFileSync(path, 'utf8')]),
    );
  return { folder, content, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}

const restored = Object.fromEntries(parts.map(({ name, content }) => [name, String([...(content as Buffer[])][0])]));

interface Choices {
  readonly passphrase?: string;
  readonly check?: (folder: string) => Promise<void>;
}

function restore(folder: string, list: readonly BackupPart[], choices: Choices = {}): Promise<unknown> {
  const { passphrase, check = async () => {} } = choices;
  return restoreBackup(writeArchive(about, list), { folder, passphrase, check });
}

// oxlint-disable-next-line require-yield -- it must not be asked
async function* unread(): AsyncGenerator<Uint8Array> {
  assert.fail('the backup was read');
}

describe('SF2: a restore', () => {
  test('puts every file in its place, readable by its user only', async () => {
    await using place = await makePlace();
    process.umask(0o022);
    await restore(place.folder, parts);
    assert.deepEqual(place.content(), restored);
    for (const name of Object.keys(restored))
      assert.equal(statSync(join(place.folder, name)).mode & 0o777, 0o600, name);
    for (const name of ['local-agent', 'configuration'])
      assert.equal(statSync(join(place.folder, name)).mode & 0o777, 0o700, name);
    assert.deepEqual(readdirSync(place.folder).toSorted(), [
      'api-token',
      'configuration',
      'local-agent',
      'server.json',
      'watchkeeper.db',
    ]);
  });

  for (const there of ['watchkeeper.db', 'server.json', 'clients', 'notes.txt'])
    test(`into a folder that holds ${there} is refused before anything is read`, async () => {
      await using place = await makePlace();
      writeFileSync(join(place.folder, there), 'mine');
      await assert.rejects(
        restoreBackup(unread(), { folder: place.folder, passphrase: undefined, check: async () => {} }),
        { code: 'unavailable', message: new RegExp(`is in use: it holds ${there};`) },
      );
      assert.deepEqual(place.content(), { [there]: 'mine' });
    });

  test('takes a folder that a restore before it left unfinished', async () => {
    await using place = await makePlace();
    mkdirSync(join(place.folder, 'restore.unfinished', 'old'), { recursive: true });
    writeFileSync(join(place.folder, 'restore.unfinished', 'server.json'), 'half');
    writeFileSync(join(place.folder, 'lock'), '');
    await restore(place.folder, parts);
    assert.deepEqual(place.content(), { ...restored, lock: '' });
  });

  test('that was cut off leaves a folder in which no other server begins', async () => {
    await using place = await makePlace();
    assertRestoreEnded(place.folder);
    mkdirSync(join(place.folder, 'restore.unfinished'));
    assert.throws(() => assertRestoreEnded(place.folder), {
      code: 'unavailable',
      message: /was cut off: run 'watchkeeper restore' again, or remove .*restore\.unfinished to begin a new server/,
    });
    await restore(place.folder, parts);
    assertRestoreEnded(place.folder);
  });

  const refusals: Readonly<Record<string, readonly [readonly BackupPart[], RegExp, Choices?]>> = {
    'without a store': [parts.slice(0, 4), /^its watchkeeper\.db is missing$/],
    'without an identity': [parts.slice(1), /^its server\.json is missing$/],
    'with a file outside the folder': [[...parts, textPart('../evil', 'x')], /no backup has: \.\.\/evil$/],
    'with an absolute file': [[...parts, textPart('/etc/cron.d/evil', 'x')], /no backup has/],
    'with a file in the configuration that leads out': [
      [...parts, textPart('configuration/../server.json', 'x')],
      /no backup has/,
    ],
    'with a hidden file in the configuration': [[...parts, textPart('configuration/.bashrc', 'x')], /no backup has/],
    'with a file of another program': [[...parts, textPart('spool/1.log', 'x')], /no backup has/],
    'with an identity of 17 MiB': [
      [textPart('server.json', 'x'.repeat(17 * 2 ** 20)), ...parts.slice(1)],
      /server\.json is larger/,
    ],
    'that no server could use': [
      parts,
      /^no server could use it$/,
      {
        check: async (folder) => {
          assert.equal(readFileSync(join(folder, 'server.json'), 'utf8'), 'identity');
          throw new AppError('usage', 'no server could use it');
        },
      },
    ],
    'that is not encrypted, where a passphrase was given': [
      parts,
      /^it is not encrypted/,
      { passphrase: 'passphrase' },
    ],
  };
  for (const [what, [list, message, choices]] of Object.entries(refusals))
    test(`of a backup ${what} is refused, and the folder stays empty`, async () => {
      await using place = await makePlace();
      await assert.rejects(restore(place.folder, list, choices), { code: 'usage', message });
      assert.deepEqual(readdirSync(place.folder), []);
    });

  test('that ended after its decision is finished, wherever it was', async () => {
    const names = Object.keys(restored);
    for (let moved = 0; moved <= names.length; moved++) {
      await using place = await makePlace();
      const complete = join(place.folder, 'restore.complete');
      await using source = await makePlace();
      await restore(source.folder, parts);
      for (const [index, name] of names.entries()) {
        const to = join(index < moved ? place.folder : complete, name);
        cpSync(join(source.folder, name), to);
      }
      mkdirSync(complete, { recursive: true });
      finishRestore(place.folder);
      finishRestore(place.folder);
      assert.deepEqual(place.content(), restored);
      assert.equal(existsSync(complete), false);
    }
  });
});

describe('making a backup', () => {
  test('is refused while another is made, and possible again once that was read or given up', async () => {
    await using place = await makePlace();
    writeFileSync(join(place.folder, 'server.json'), 'identity');
    const maker = new BackupMaker({
      folder: place.folder,
      copyStore: async (file) => writeFileSync(file, 'x'.repeat(200_000)),
      configuration: ['/nowhere/office.yaml'],
      about: () => about,
    });
    const first = await maker.make();
    await assert.rejects(maker.make(), { code: 'unavailable', message: /another backup is being made/ });
    await first.cancel();
    const second = await maker.make();
    assert.equal((await new Response(second).bytes()).length % 512, 0);
    await (await maker.make()).cancel();
    assert.deepEqual(readdirSync(place.folder), ['server.json'], 'no copy of the store stays');
  });

  test('holds each file of the configuration once, whatever their folders and names', async () => {
    await using place = await makePlace();
    writeFileSync(join(place.folder, 'server.json'), 'identity');
    const files = ['a/main.yaml', 'b/main.yaml', 'c/.main.yaml', `ü${'ö'.repeat(120)}.yaml`];
    for (const file of files) {
      mkdirSync(join(place.folder, 'etc', dirname(file)), { recursive: true });
      writeFileSync(join(place.folder, 'etc', file), `of ${file}`);
    }
    const maker = new BackupMaker({
      folder: place.folder,
      copyStore: async (file) => writeFileSync(file, 'x'),
      configuration: files.map((file) => join(place.folder, 'etc', file)),
      about: () => about,
    });
    await using target = await makePlace();
    const bytes = await maker.make();
    await restoreBackup(bytes, { folder: target.folder, passphrase: undefined, check: async () => {} });
    const kept = new Map(Object.entries(target.content()).filter(([name]) => name.startsWith('configuration/')));
    assert.equal(kept.size, files.length);
    assert.deepEqual(
      ['main', '2-main', '3-main'].map((name) => kept.get(`configuration/${name}.yaml`)),
      files.slice(0, 3).map((file) => `of ${file}`),
    );
  });

  test('that cannot copy the store says why, and the next one may', async () => {
    await using place = await makePlace();
    let isFull = true;
    const maker = new BackupMaker({
      folder: place.folder,
      async copyStore(file) {
        if (isFull) throw new AppError('unavailable', 'the disk is full');
        writeFileSync(file, 'x');
      },
      configuration: [],
      about: () => about,
    });
    await assert.rejects(maker.make(), { code: 'unavailable', message: 'the disk is full' });
    isFull = false;
    await (await maker.make()).cancel();
  });
});
