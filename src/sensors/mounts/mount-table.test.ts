import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sensorRecord, type SensorRecord } from '../../core/record.ts';
import { MountTable } from './mount-table.ts';

const root = '27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw';
const stick = '97 27 8:17 / /media/x rw,nosuid shared:2 - vfat /dev/sdb1 rw,uid=1000';

class Looks {
  readonly records: SensorRecord[] = [];
  readonly #table: MountTable;

  constructor(all = false) {
    this.#table = new MountTable({ sysfs: '/nonexistent', all, record: (record) => this.records.push(record) });
  }

  /** What a look at these lines adds, as `event mountpoint options`. */
  at(...lines: readonly string[]): string[] {
    this.records.length = 0;
    this.#table.update(lines.map((line) => `${line}\n`).join(''));
    return this.records.map((record) =>
      'mount' in record ? `${record.event} ${record.mount.mountpoint} ${record.mount.options}` : record.event,
    );
  }
}

test('what is there at the start is present, what comes then is mounted, what goes is unmounted', () => {
  const looks = new Looks();
  assert.deepEqual(looks.at(root), ['mount-present / rw,relatime']);
  assert.deepEqual(looks.at(root, stick), ['mounted /media/x rw,nosuid,uid=1000']);
  assert.deepEqual(looks.at(root, stick), []);
  assert.deepEqual(looks.at(root), ['unmounted /media/x rw,nosuid,uid=1000']);
});

test('other options are a remount, of the mount or of its file system; read-only wins', () => {
  const looks = new Looks();
  looks.at(stick);
  assert.deepEqual(looks.at(stick.replace('rw,nosuid', 'ro,nosuid')), ['remounted /media/x ro,nosuid,uid=1000']);
  assert.deepEqual(looks.at(stick.replace('rw,uid', 'ro,uid')), []);
  assert.deepEqual(looks.at(stick.replace('uid=1000', 'uid=1001')), ['remounted /media/x rw,nosuid,uid=1001']);
  assert.deepEqual(looks.at(stick.replace('uid=1000', 'uid=1001').replace('shared:2', 'shared:3')), []);
});

test('a number that was given to another mount is not a remount', () => {
  const looks = new Looks();
  looks.at(stick);
  assert.deepEqual(looks.at(stick.replace('/dev/sdb1', '/dev/sdc1').replace('8:17', '8:33')), [
    'unmounted /media/x rw,nosuid,uid=1000',
    'mounted /media/x rw,nosuid,uid=1000',
  ]);
});

test('MU38: another source at the same place, of the same number, is a new mount', () => {
  const looks = new Looks();
  const share = '97 27 0:50 / /mnt rw - nfs4 server:/exam rw';
  looks.at(share);
  assert.deepEqual(looks.at(share.replace('server:/exam', 'server:/notes')), ['unmounted /mnt rw', 'mounted /mnt rw']);
  const [before, now] = looks.records;
  assert.ok(before && 'mount' in before && now && 'mount' in now);
  assert.deepEqual([before.mount.device, now.mount.device], ['server:/exam', 'server:/notes']);
});

test('mounts on one another are each a mount, and a part of a file system says so', () => {
  const looks = new Looks();
  looks.at(root);
  const bound = '98 27 254:0 /home/a\\040b /mnt rw - ext4 /dev/vda rw';
  assert.deepEqual(looks.at(root, bound, bound.replace('98', '99')), ['mounted /mnt rw', 'mounted /mnt rw']);
  const [record] = looks.records;
  assert.ok(record && 'mount' in record);
  assert.equal(record.mount.device, '/dev/vda[/home/a b]');
  assert.deepEqual(looks.at(root, bound), ['unmounted /mnt rw']);
});

test('what the kernel and desktops mount for themselves is left out, unless all is asked for', () => {
  const own = [
    '22 27 0:21 / /proc rw - proc proc rw',
    '23 27 0:22 / /snap/core/1 ro - squashfs /dev/loop3 ro',
    '24 27 0:23 / /run/user/1000/doc rw - fuse.portal portal rw',
  ];
  assert.deepEqual(new Looks().at(...own), []);
  assert.equal(new Looks(true).at(...own).length, 3);
});

test('whatever bytes names have, the record is printable and of limited length', () => {
  const looks = new Looks();
  const hostile = String.raw`97 27 8:17 / /media/\033[2J\012` + `\xff${'y'.repeat(9000)} rw - vfat /dev/\x1b rw`;
  looks.at(hostile);
  const [record] = looks.records;
  assert.ok(record && 'mount' in record && sensorRecord.safeParse(record).success);
  assert.ok(record.mount.mountpoint.startsWith(String.raw`/media/\x1b[2J\n\xffyyy`));
});

test('100,000 mounts are watched, and more are said to be too many, once', () => {
  const looks = new Looks();
  const many = Array.from({ length: 100_000 }, (_, id) => `${id} 27 8:17 / /media/${id} rw - vfat /dev/sdb1 rw`);
  looks.at(...many);
  assert.equal(looks.records.length, 100_000);
  assert.deepEqual(looks.at(...many, '100001 27 8:17 / /media/z rw - vfat /dev/sdb1 rw'), ['lost']);
  assert.deepEqual(looks.at(...many.slice(1), '100001 27 8:17 / /media/z rw - vfat /dev/sdb1 rw'), [
    'unmounted /media/0 rw',
    'mounted /media/z rw',
  ]);
});
