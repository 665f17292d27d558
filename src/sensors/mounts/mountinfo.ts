/** One line of /proc/self/mountinfo, proc_pid_mountinfo(5). One character is one byte, because names have no encoding. */
export interface MountLine {
  /** Unique among current mounts; reused later. */
  readonly id: string;
  /** Major and minor number of the block device (`8:17`), or an anonymous one for a file system without a device. */
  readonly deviceNumber: string;
  /** The folder of the file system that is mounted, `/` unless only a part is. */
  readonly root: string;
  readonly mountpoint: string;
  /** Options of the mount. */
  readonly options: readonly string[];
  readonly fstype: string;
  readonly source: string;
  /** Options of the file system, the same for all its mounts. */
  readonly superOptions: readonly string[];
}

// 36 35 98:0 /root /mnt rw,noatime master:1 shared:2 - ext3 /dev/root rw,errors=continue
// Only blanks separate fields; other white space belongs to names.
const format =
  /^(?<id>\d+) \d+ (?<deviceNumber>\d+:\d+) (?<root>[^ ]+) (?<mountpoint>[^ ]+) (?<options>[^ ]+)(?: [^ ]+)*? - (?<fstype>[^ ]+) (?<source>[^ ]*) (?<superOptions>.*)$/s;

/** Undefined if the line does not have this form. */
export function readMountLine(line: string): MountLine | undefined {
  // Every group takes part in a match.
  const fields = format.exec(line)?.groups as Readonly<Record<keyof MountLine, string>> | undefined;
  if (!fields) return undefined;
  const { id, deviceNumber, root, mountpoint, options, fstype, source, superOptions } = fields;
  return {
    id,
    deviceNumber,
    root: unescaped(root),
    mountpoint: unescaped(mountpoint),
    options: listed(options),
    fstype: unescaped(fstype),
    source: unescaped(source),
    superOptions: listed(superOptions),
  };
}

function listed(options: string): readonly string[] {
  return unescaped(options).split(',');
}

/** The kernel writes blanks, line ends and backslashes as three octal digits. */
function unescaped(text: string): string {
  return text.replaceAll(/\\([0-3][0-7]{2})/g, (_escape, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
