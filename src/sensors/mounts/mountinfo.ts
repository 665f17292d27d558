/** One line of /proc/self/mountinfo, proc_pid_mountinfo(5). A character is a byte: names have no encoding. */
export interface MountLine {
  /** Unique among the mounts that are there; used again afterwards. */
  readonly id: string;
  /** Major and minor number of the block device, or one made up for a file system without: `8:17`. */
  readonly deviceNumber: string;
  /** The folder of the file system that is mounted, `/` unless only a part is. */
  readonly root: string;
  readonly mountpoint: string;
  /** Of the mount. */
  readonly options: readonly string[];
  readonly fstype: string;
  readonly source: string;
  /** Of the file system, wherever it is mounted. */
  readonly superOptions: readonly string[];
}

// 36 35 98:0 /root /mnt rw,noatime master:1 shared:2 - ext3 /dev/root rw,errors=continue
// Only blanks part fields: other white space, as regular expressions see it, are bytes of names.
const format =
  /^(?<id>\d+) \d+ (?<deviceNumber>\d+:\d+) (?<root>[^ ]+) (?<mountpoint>[^ ]+) (?<options>[^ ]+)(?: [^ ]+)*? - (?<fstype>[^ ]+) (?<source>[^ ]*) (?<superOptions>.*)$/s;

/** Undefined for what is no such line. */
export function readMountLine(line: string): MountLine | undefined {
  // Each group takes part in every match.
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
