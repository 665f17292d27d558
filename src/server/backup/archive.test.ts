import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { readArchive, textPart, writeArchive, type BackupPart } from './archive.ts';
import { ByteSource } from './byte-source.ts';
import { decrypt, encrypt, encryptionOf } from './encryption.ts';
import { readTarHeader, tarHeader } from './tar.ts';

const about = {
  version: '0.1.0',
  serverId: '01998a00-0000-7000-8000-00000000000a',
  madeAt: '2026-11-28T08:00:00.000Z',
};
const parts: readonly BackupPart[] = [
  textPart('server.json', '{"key":1}\n'),
  textPart('empty', ''),
  { name: 'watchkeeper.db', size: 512, content: [Buffer.alloc(512, 7)] },
  textPart('local-agent/agent.json', 'x'.repeat(513)),
];

async function bytesOf(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
}

/** In pieces of this many bytes. */
async function* cut(bytes: Uint8Array, size = 1000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function filesIn(bytes: Uint8Array, pieceSize?: number): Promise<readonly (readonly [string, string])[]> {
  const found: (readonly [string, string])[] = [];
  const said = await readArchive(new ByteSource(cut(bytes, pieceSize)), async (name, content) => {
    found.push([name, (await bytesOf(content)).toString('latin1')]);
  });
  assert.partialDeepStrictEqual(said, about);
  return found;
}

const archive = await bytesOf(writeArchive(about, parts));

describe('an archive', () => {
  test('gives back what was put in, however its bytes arrive', async () => {
    const expected = [
      ['server.json', '{"key":1}\n'],
      ['empty', ''],
      ['watchkeeper.db', '\x07'.repeat(512)],
      ['local-agent/agent.json', 'x'.repeat(513)],
    ];
    for (const size of [1, 3, 511, 512, 513, archive.length]) assert.deepEqual(await filesIn(archive, size), expected);
  });

  test('is one for tar and sha256sum too', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'watchkeeper-archive-'));
    await writeFile(join(folder, 'b.tar'), archive);
    const listed = execFileSync('tar', ['xvf', 'b.tar'], { cwd: folder, encoding: 'utf8' });
    assert.deepEqual(listed.trim().split('\n'), [
      'watchkeeper-backup.json',
      ...parts.map(({ name }) => name),
      'SHA256SUMS',
    ]);
    const checked = execFileSync('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: folder, encoding: 'utf8' });
    assert.equal(checked.match(/: OK$/gm)?.length, parts.length + 1);
    assert.equal((await readFile(join(folder, 'watchkeeper.db'))).length, 512);
    assert.deepEqual((await readdir(folder)).toSorted().slice(-1), ['watchkeeper.db']);
    await rm(folder, { recursive: true });
  });

  test('a file of 8 GiB and more has its size in binary, as GNU tar reads it', async () => {
    for (const size of [8 * 2 ** 30 - 1, 8 * 2 ** 30, 2 ** 45]) {
      const header = tarHeader({ name: 'watchkeeper.db', size }, 0);
      assert.deepEqual(await readTarHeader(new ByteSource(cut(header))), { name: 'watchkeeper.db', size });
      // It lists the file, and then misses its bytes.
      const { stdout } = spawnSync('tar', ['tvf', '-'], { input: header, encoding: 'utf8' });
      assert.match(stdout, new RegExp(` ${size} `));
    }
  });

  test('cut short anywhere it is refused', async () => {
    for (let length = 0; length < archive.length; length += length % 512 === 511 || length % 512 === 0 ? 1 : 127) {
      await assert.rejects(filesIn(archive.subarray(0, length)), { code: 'usage' }, `${length} bytes`);
    }
  });

  test('with any bit changed, or anything behind it, it is refused', async () => {
    // Every third byte: in the headers, which are alike, all places come up.
    for (let at = 0; at < archive.length; at += 3) {
      const changed = Buffer.from(archive);
      changed.writeUInt8(changed.readUInt8(at) ^ (1 << (at % 8)), at);
      await assert.rejects(filesIn(changed), { code: 'usage' }, `byte ${at}`);
    }
    await assert.rejects(filesIn(Buffer.concat([archive, Buffer.alloc(1)])), { code: 'usage', message: /follows/ });
    await assert.rejects(filesIn(Buffer.concat([archive, archive])), { code: 'usage' });
  });

  test('of a newer format it is refused with a sentence', async () => {
    const newer = { ...about, format: 2, more: 'things' };
    const bytes = await bytesOf(writeArchive(newer, parts));
    await assert.rejects(filesIn(bytes), {
      code: 'usage',
      message:
        'it was made by a newer Watchkeeper (it has format 2, and this one knows up to 1): restore it with that version',
    });
  });

  test('that holds one name twice it is refused', async () => {
    const bytes = await bytesOf(writeArchive(about, [...parts, ...parts.slice(0, 1)]));
    await assert.rejects(filesIn(bytes), { code: 'usage', message: 'it holds server.json twice' });
  });

  for (const [what, bytes, message] of [
    ['nothing at all', '', /^it is no backup of Watchkeeper$/],
    ['some text', 'root:x:0:0:root\n'.repeat(100), /^it is no backup of Watchkeeper$/],
    ['zeros', '\0'.repeat(10_240), /^it is no backup of Watchkeeper$/],
    ['a database', `SQLite format 3\0${'\0'.repeat(2000)}`, /^it is a copy of the store alone, as version 0\.1\.0/],
  ] as const)
    test(`${what} is refused`, async () => {
      await assert.rejects(filesIn(Buffer.from(bytes)), { code: 'usage', message });
    });
});

const passphrase = 'correct horse battery staple';

async function decrypted(bytes: Uint8Array, words = passphrase): Promise<Buffer> {
  return await bytesOf(decrypt(new ByteSource(cut(bytes, 70_001)), words));
}

describe('encryption', () => {
  for (const size of [0, 1, 65_535, 65_536, 65_537])
    test(`${size} bytes come back`, async () => {
      const plain = randomBytes(size);
      const sealed = await bytesOf(encrypt(cut(plain), passphrase));
      assert.equal(await encryptionOf(new ByteSource(cut(sealed))), 1);
      assert.ok((await decrypted(sealed)).equals(plain));
    });

  const plain = randomBytes(150_000);
  const header = 41 + 16;
  const chunk = 65_536 + 16;
  const changes: Readonly<Record<string, (sealed: Buffer) => Buffer>> = {
    'the last byte missing': (sealed) => sealed.subarray(0, -1),
    'the last chunk missing': (sealed) => sealed.subarray(0, header + 2 * chunk),
    'only the first chunk left': (sealed) => sealed.subarray(0, header + chunk),
    'no chunk left': (sealed) => sealed.subarray(0, header),
    'half of its salt missing': (sealed) => sealed.subarray(0, header - 8),
    'two chunks in each other’s place': (sealed) =>
      Buffer.concat([
        sealed.subarray(0, header),
        sealed.subarray(header + chunk, header + 2 * chunk),
        sealed.subarray(header, header + chunk),
        sealed.subarray(header + 2 * chunk),
      ]),
    'a chunk left out': (sealed) => Buffer.concat([sealed.subarray(0, header), sealed.subarray(header + chunk)]),
    'a byte more': (sealed) => Buffer.concat([sealed, Buffer.alloc(1)]),
    'another salt': (sealed) => flipped(sealed, header - 1),
    'a bit of the first chunk changed': (sealed) => flipped(sealed, header + 100),
    'a bit of the last tag changed': (sealed) => flipped(sealed, sealed.length - 1),
  };
  const sealing = bytesOf(encrypt(cut(plain), passphrase));
  for (const [what, change] of Object.entries(changes))
    test(`with ${what} nothing whole comes back`, async () => {
      const sealed = await sealing;
      assert.equal(sealed.length, header + plain.length + 3 * 16, 'the places of this test are right');
      await assert.rejects(decrypted(change(sealed)), { code: 'usage', message: /changed or cut short$/ });
    });

  test('the passphrase is the same in both forms of Unicode, and no other one opens it', async () => {
    const sealed = await bytesOf(encrypt(cut(plain), 'Schlüssel ist schön'));
    assert.ok((await decrypted(sealed, 'Schlüssel ist schön'.normalize('NFD'))).equals(plain));
    await assert.rejects(decrypted(sealed, 'Schlussel ist schon'), {
      code: 'usage',
      message: /^the passphrase is wrong/,
    });
  });

  test('two backups of one content have nothing in common behind their first line', async () => {
    const [one, two] = [await bytesOf(encrypt(cut(plain), passphrase)), await bytesOf(encrypt(cut(plain), passphrase))];
    for (let at = 41; at + 16 <= one.length; at += 16)
      assert.notDeepEqual(one.subarray(at, at + 16), two.subarray(at, at + 16));
  });

  test('a newer version is refused with a sentence', async () => {
    const newer = Buffer.from('watchkeeper backup, encrypted, version 12\nwhatever');
    assert.equal(await encryptionOf(new ByteSource(cut(newer))), 12);
    await assert.rejects(decrypted(newer), { code: 'usage', message: /newer Watchkeeper/ });
  });
});

function flipped(bytes: Buffer, at: number): Buffer {
  const changed = Buffer.from(bytes);
  changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
  return changed;
}
