import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeSysfs } from '../../testing/fake-sysfs.ts';
import { originOf, type MountOrigin } from './mount-kind.ts';
import type { MountLine } from './mountinfo.ts';

const usbDisk = '/devices/pci0000:00/0000:00:14.0/usb2/2-1/2-1.4/2-1.4:1.0/host6/target6:0:0/6:0:0:0/block/sdb';
const pci = '/devices/pci0000:00/0000:00:1d.0';
const card = '/devices/platform/sdhci/mmc_host';

using sysfs = new FakeSysfs();
sysfs.block('8:16', usbDisk, { removable: '0\n' });
sysfs.block('8:17', `${usbDisk}/sdb1`);
sysfs.block('179:1', `${card}/mmc0/mmc0:aaaa/block/mmcblk0/mmcblk0p1`);
sysfs.block('179:9', `${card}/mmc1/mmc1:0001/block/mmcblk1/mmcblk1p1`);
sysfs.block('253:3', `${card}/mmc0/mmc0:aaaa`, { type: 'SD\n' });
sysfs.block('253:4', `${card}/mmc1/mmc1:0001`, { type: 'MMC\n' });
sysfs.block('11:0', `${pci}/ata2/host1/target1:0:0/1:0:0:0/block/sr0`);
sysfs.block('7:0', '/devices/virtual/block/loop0');
sysfs.block('259:1', `${pci}/0000:03:00.0/nvme/nvme0/nvme0n1/nvme0n1p1`);
sysfs.block('259:9', '/devices/pci0000:00/0000:00:07.0/0000:05:00.0/nvme/nvme1/nvme1n1');
sysfs.block('253:5', '/devices/pci0000:00/0000:00:07.0/0000:05:00.0', { removable: 'removable\n' });
sysfs.block('43:0', '/devices/virtual/block/nbd0');
sysfs.block('43:1', '/devices/virtual/block/nbd0/nbd0p1');
sysfs.block('8:32', '/devices/platform/host3/session1/target3:0:0/3:0:0:1/block/sdc');
sysfs.block('259:7', '/devices/virtual/nvme-fabrics/ctl/nvme2/nvme2n1');
sysfs.block('252:3', '/devices/virtual/block/dm-3');
sysfs.stack('/devices/virtual/block/dm-3', '/devices/virtual/block/nbd0');
sysfs.block('252:0', '/devices/virtual/block/dm-0');
sysfs.stack('/devices/virtual/block/dm-0', `${usbDisk}/sdb1`);
sysfs.block('252:1', '/devices/virtual/block/dm-1');
sysfs.stack('/devices/virtual/block/dm-1', '/devices/virtual/block/dm-0');
// No kernel builds this; one that goes round must not hang.
sysfs.block('252:2', '/devices/virtual/block/dm-2');
sysfs.stack('/devices/virtual/block/dm-2', '/devices/virtual/block/dm-2');

const cases: readonly (readonly [what: string, line: Partial<MountLine>, origin: MountOrigin])[] = [
  ['a stick behind a hub', { deviceNumber: '8:17' }, { kind: 'usb', usbPort: '2-1.4' }],
  ['a USB disk as a whole', { deviceNumber: '8:16' }, { kind: 'usb', usbPort: '2-1.4' }],
  ['NTFS on a stick', { deviceNumber: '8:17', fstype: 'fuseblk' }, { kind: 'usb', usbPort: '2-1.4' }],
  ['an encrypted stick', { deviceNumber: '252:0' }, { kind: 'usb', usbPort: '2-1.4' }],
  ['a volume on an encrypted stick', { deviceNumber: '252:1' }, { kind: 'usb', usbPort: '2-1.4' }],
  ['a device that stands on itself', { deviceNumber: '252:2' }, { kind: 'disk' }],
  ['a memory card', { deviceNumber: '179:1' }, { kind: 'card' }],
  ['a memory chip', { deviceNumber: '179:9' }, { kind: 'disk' }],
  ['a DVD', { deviceNumber: '11:0' }, { kind: 'optical' }],
  ['a disk of another machine', { deviceNumber: '43:0' }, { kind: 'network' }],
  ['a part of one', { deviceNumber: '43:1' }, { kind: 'network' }],
  ['an encrypted one', { deviceNumber: '252:3' }, { kind: 'network' }],
  ['a disk by iSCSI', { deviceNumber: '8:32' }, { kind: 'network' }],
  ['a disk by NVMe over a network', { deviceNumber: '259:7' }, { kind: 'network' }],
  ['a file as a disk', { deviceNumber: '7:0' }, { kind: 'loop' }],
  ['the disk inside', { deviceNumber: '259:1' }, { kind: 'disk' }],
  ['a disk on a port that leads outside', { deviceNumber: '259:9' }, { kind: 'thunderbolt' }],
  ['a share', { deviceNumber: '0:50', fstype: 'nfs4', source: 'server:/export' }, { kind: 'network' }],
  ['a folder over SSH', { deviceNumber: '0:51', fstype: 'fuse.sshfs', source: 'host:' }, { kind: 'network' }],
  ['a program as a file system', { deviceNumber: '0:52', fstype: 'fuse.jmtpfs', source: 'jmtpfs' }, { kind: 'fuse' }],
  ['memory', { deviceNumber: '0:53', fstype: 'tmpfs', source: 'tmpfs' }, { kind: 'other' }],
  ['a device that has gone', { deviceNumber: '8:99' }, { kind: 'other' }],
  ['a path that is no device', { deviceNumber: '0:54', source: '/dev/../etc/passwd' }, { kind: 'other' }],
];

const line: MountLine = {
  id: '1',
  deviceNumber: '0:1',
  root: '/',
  mountpoint: '/mnt',
  options: [],
  fstype: 'vfat',
  source: '/dev/sdz1',
  superOptions: [],
};

for (const [what, fields, origin] of cases) {
  const found = originOf({ ...line, ...fields }, sysfs.root);
  test(`E2: what is behind a mount: ${what}`, () => assert.deepEqual(found, origin));
}
