import { printableBytes } from '../../core/printable.ts';
import type { Mount, SensorRecord } from '../../core/record.ts';
import { originOf } from './mount-kind.ts';
import { readMountLine, type MountLine } from './mountinfo.ts';

interface KnownMount {
  readonly text: string;
  readonly line: MountLine;
  /** Undefined for a mount that is not reported. */
  readonly mount: Mount | undefined;
}

/** The kernel's own limit for a mount namespace. */
const maxMounts = 100_000;

/** File systems without stored files of their own: they show what the kernel or a program knows. */
const pseudoTypes = new Set(
  [
    'autofs binfmt_misc bpf cgroup cgroup2 configfs debugfs devpts devtmpfs efivarfs fusectl hugetlbfs mqueue nsfs overlay',
    'proc pstore ramfs rpc_pipefs securityfs selinuxfs sysfs tmpfs tracefs',
    // Used by desktops and containers in each session.
    'fuse.gvfsd-fuse fuse.lxcfs fuse.portal fuse.snapfuse',
  ].flatMap((types) => types.split(' ')),
);

interface TableParts {
  readonly sysfs: string;
  /** Includes pseudo file systems. */
  readonly all: boolean;
  readonly record: (record: SensorRecord) => void;
}

/** The current mounts, and the records of what changed since the last update. */
export class MountTable {
  readonly #parts: TableParts;
  #known = new Map<string, KnownMount>();
  #isFirst = true;
  #isCut = false;

  constructor(parts: TableParts) {
    this.#parts = parts;
  }

  /** Takes the text of /proc/self/mountinfo, decoded as Latin-1 (one character a byte). */
  update(text: string): void {
    const previous = this.#known;
    const current = this.#read(text);
    this.#known = current;
    // Removals first, because an id may have been reused by another mount.
    for (const [id, known] of previous) {
      const now = current.get(id);
      if (!now || !isSameMount(known.line, now.line)) this.#record('unmounted', known.mount);
    }
    for (const [id, now] of current) {
      const known = previous.get(id);
      if (known === now) continue;
      if (known && isSameMount(known.line, now.line)) this.#compare(known.mount, now.mount);
      else if (!this.#isFirst) this.#record('mounted', now.mount);
      else if (isWorthMentioning(now)) this.#record('mount-present', now.mount);
    }
    this.#isFirst = false;
  }

  #compare(before: Mount | undefined, now: Mount | undefined): void {
    if (now && before?.options !== now.options) this.#record('remounted', now);
  }

  #record(event: 'mount-present' | 'mounted' | 'remounted' | 'unmounted', mount: Mount | undefined): void {
    if (mount) this.#parts.record({ event, mount });
  }

  #read(text: string): Map<string, KnownMount> {
    const found = new Map<string, KnownMount>();
    const lines = text.split('\n');
    // Text after the last line feed is a line that was cut off.
    this.#tellCut(lines.pop() !== '' || lines.length > maxMounts);
    for (const lineText of lines.slice(0, maxMounts)) {
      const id = lineText.slice(0, lineText.indexOf(' '));
      const known = this.#known.get(id);
      // Most lines have not changed, so a storm of mounts costs little.
      const mount = known?.text === lineText ? known : this.#readOne(lineText);
      if (mount) found.set(id, mount);
    }
    return found;
  }

  /** Reports a cut table once, until it is complete again. */
  #tellCut(isCut: boolean): void {
    const message = `there are more than ${maxMounts} mounts: those that came last are not watched`;
    if (isCut && !this.#isCut) this.#parts.record({ event: 'lost', message });
    this.#isCut = isCut;
  }

  #readOne(text: string): KnownMount | undefined {
    const line = readMountLine(text);
    return line && { text, line, mount: this.#isLeftOut(line) ? undefined : mountOf(line, this.#parts.sysfs) };
  }

  #isLeftOut({ fstype, mountpoint }: MountLine): boolean {
    if (this.#parts.all) return false;
    return pseudoTypes.has(fstype) || (fstype === 'squashfs' && mountpoint.startsWith('/snap/'));
  }
}

function mountOf(line: MountLine, sysfs: string): Mount {
  const { source, root, mountpoint, fstype } = line;
  return {
    // As findmnt(8) writes a mount of a part.
    device: shown(root === '/' ? source : `${source}[${root}]`, 300),
    mountpoint: shown(mountpoint, 4096),
    fstype: shown(fstype, 300),
    options: shown(optionsOf(line).join(','), 4096),
    ...originOf(line, sysfs),
  };
}

/** `rw` or `ro` first: writable only if both the mount and its file system are. */
function optionsOf({ options, superOptions }: MountLine): string[] {
  const all = new Set([...options, ...superOptions]);
  const access = all.has('ro') ? 'ro' : 'rw';
  all.delete('ro');
  all.delete('rw');
  return [access, ...all];
}

function shown(text: string, limit: number): string {
  return printableBytes(Buffer.from(text, 'latin1'), limit);
}

/** Bind mounts of parts of a disk are ignored: systems and sandboxes are built of them. */
function isWorthMentioning({ line, mount }: KnownMount): boolean {
  return mount?.kind !== 'disk' || line.root === '/';
}

function isSameMount(one: MountLine, other: MountLine): boolean {
  return (['deviceNumber', 'root', 'mountpoint', 'fstype', 'source'] as const).every((key) => one[key] === other[key]);
}
