import { readdirSync, readlinkSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Mount } from '../../core/record.ts';
import { readSmallFile } from '../../sys/small-file.ts';
import type { MountLine } from './mountinfo.ts';

/** What is behind a mount. */
export type MountOrigin = Pick<Mount, 'kind' | 'usbPort'>;

const networkTypes = new Set(
  'nfs nfs4 cifs smb3 smbfs 9p afs ceph coda davfs gfs2 glusterfs lustre ncpfs ocfs2 fuse.ceph fuse.davfs fuse.glusterfs fuse.rclone fuse.s3fs fuse.sshfs'.split(
    ' ',
  ),
);

/** Finds in sysfs what is behind a mount. */
export function originOf({ fstype, deviceNumber, source }: MountLine, sysfs: string): MountOrigin {
  if (networkTypes.has(fstype)) return { kind: 'network' };
  // Some file systems (btrfs) use anonymous device numbers although a device is behind them.
  const number = deviceNumber.startsWith('0:') ? numberOf(source) : deviceNumber;
  const path = number === undefined ? undefined : linkTarget(sysfs, `dev/block/${number}`);
  if (path !== undefined) return originOfBlockDevice(path, sysfs);
  return { kind: fstype.startsWith('fuse') ? 'fuse' : 'other' };
}

const kindsByPath: readonly (readonly [Mount['kind'], RegExp])[] = [
  ['loop', /\/block\/loop/],
  ['optical', /\/block\/sr\d+$/],
  // Disks of another machine: nbd, Ceph, DRBD, AoE; iSCSI; NVMe over a network.
  ['network', /\/block\/(?:nbd|rbd|drbd|etherd)|\/session\d+\/target|\/nvme-fabrics\//],
];

/** Encrypted disks, volumes and arrays are stacked on other devices; nobody stacks deeper than this. */
const maxDepth = 5;

/** Origin of a block device below /sys. The attribute `removable` does not help: large USB disks say 0. */
function originOfBlockDevice(path: string, sysfs: string, depth = 0): MountOrigin {
  if (/\/usb\d+\//.test(path)) return { kind: 'usb', usbPort: path.match(/(?<=\/)\d+-[\d.]+(?=\/)/g)?.at(-1) };
  const kind = kindsByPath.find(([, pattern]) => pattern.test(path))?.[0];
  if (kind) return { kind };
  const card = /^.*\/mmc\d+:[\da-f]+(?=\/)/.exec(path)?.[0];
  // A soldered chip reports the type MMC.
  if (card !== undefined) return { kind: attribute(join(sysfs, card, 'type')) === 'SD' ? 'card' : 'disk' };
  if (isBehindRemovableBus(path, sysfs)) return { kind: 'thunderbolt' };
  const below = depth < maxDepth ? slavesOf(path, sysfs) : [];
  const origins = below.map((slave) => originOfBlockDevice(slave, sysfs, depth + 1));
  return origins.find(({ kind }) => kind !== 'disk') ?? { kind: 'disk' };
}

/** The kernel says `removable` of PCI devices behind a port that leads outside (Documentation/ABI/testing/sysfs-devices-removable). */
function isBehindRemovableBus(path: string, sysfs: string): boolean {
  for (let folder = dirname(path); folder.length > '/devices'.length; folder = dirname(folder))
    if (attribute(join(sysfs, folder, 'removable')) === 'removable') return true;
  return false;
}

function slavesOf(path: string, sysfs: string): string[] {
  const folder = join(path, 'slaves');
  return namesIn(join(sysfs, folder))
    .map((name) => linkTarget(sysfs, join(folder, name)))
    .filter((slave) => slave !== undefined);
}

const maxSlaves = 64;

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).slice(0, maxSlaves);
  } catch {
    // A partition has no `slaves` folder.
    return [];
  }
}

/** Target of a sysfs link, relative to /sys; undefined if there is no such link. */
function linkTarget(sysfs: string, link: string): string | undefined {
  try {
    return join('/', dirname(link), readlinkSync(join(sysfs, link)));
  } catch {
    return undefined;
  }
}

function attribute(path: string): string | undefined {
  return readSmallFile(path, 64)?.toString('latin1').trim();
}

/** The device number of a name in /dev. */
function numberOf(source: string): string | undefined {
  if (!source.startsWith('/dev/')) return undefined;
  const stats = statSync(source, { throwIfNoEntry: false });
  if (!stats?.isBlockDevice()) return undefined;
  // makedev(3): twelve bits of the major number, twenty of the minor.
  const { rdev } = stats;
  return `${(rdev >> 8) & 0xfff}:${(rdev & 0xff) | ((rdev >> 12) & 0xf_ff00)}`;
}
