import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readMountLine } from './mountinfo.ts';

const stick = '97 27 8:17 / /media/a\\040b\\134c rw,nosuid,nodev shared:12 master:3 - vfat /dev/sdb1 rw,uid=1000';

test('E2: a line of mountinfo is read, blanks and backslashes in names too', () => {
  assert.deepEqual(readMountLine(stick), {
    id: '97',
    deviceNumber: '8:17',
    root: '/',
    mountpoint: String.raw`/media/a b\c`,
    options: ['rw', 'nosuid', 'nodev'],
    fstype: 'vfat',
    source: '/dev/sdb1',
    superOptions: ['rw', 'uid=1000'],
  });
});

const lines: readonly (readonly [line: string, mountpoint: string | undefined])[] = [
  ['22 27 0:21 / /proc rw - proc proc rw', '/proc'],
  // A file system may be mounted without a source.
  ['22 27 0:21 / /mnt rw -  tmpfs rw', undefined],
  ['22 27 0:21 / /mnt rw - tmpfs  rw', '/mnt'],
  ['22 27 0:21 / /mnt rw - tmpfs none ', '/mnt'],
  [String.raw`22 27 0:21 / /a\011b\012c rw - tmpfs none rw`, '/a\tb\nc'],
  [String.raw`22 27 0:21 / /a\777 rw - tmpfs none rw`, String.raw`/a\777`],
  // The bytes of `/à`, the second of which is a blank in Latin-1, and a carriage return.
  ['22 27 0:21 / /\xc3\xa0\r rw - tmpfs none rw\r', '/\xc3\xa0\r'],
  ['', undefined],
  ['22 27 0:21 / /mnt rw', undefined],
  ['a 27 0:21 / /mnt rw - tmpfs none rw', undefined],
];

for (const [line, mountpoint] of lines)
  test(`${JSON.stringify(line)} is ${mountpoint === undefined ? 'no line of mountinfo' : 'a mount'}`, () => {
    assert.equal(readMountLine(line)?.mountpoint, mountpoint);
  });

test('any line, and any change of a good one, is read or refused', () => {
  const changed = fc
    .tuple(fc.nat(stick.length), fc.nat(20), fc.string({ maxLength: 20 }))
    .map(([at, length, text]) => stick.slice(0, at) + text + stick.slice(at + length));
  fc.assert(
    fc.property(fc.oneof(fc.string({ maxLength: 200 }), changed), (line) => {
      const read = readMountLine(line);
      assert.ok(read === undefined || /^\d+:\d+$/.test(read.deviceNumber));
    }),
    { numRuns: 10_000 },
  );
});

test('a long line that is none is refused at once', () => {
  const before = process.threadCpuUsage();
  assert.equal(readMountLine(`1 2 3:4 / / rw${' a'.repeat(50_000)}`), undefined);
  assert.equal(readMountLine(`1 2 3:4 / / rw${' -'.repeat(50_000)}\n`)?.fstype, '-');
  assert.ok(process.threadCpuUsage(before).user < 1_000_000);
});
