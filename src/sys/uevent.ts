/** What the kernel says of a device: it came (`add`), went (`remove`), got a driver (`bind`), … */
export interface Uevent {
  readonly action: string;
  /** Below /sys: `/devices/pci0000:00/…/usb1/1-2`. */
  readonly path: string;
  /** `usb`, `block`, `net`, … */
  readonly subsystem: string;
  readonly variables: ReadonlyMap<string, string>;
}

const maxVariables = 100;

/** Reads `add@/devices/…`, NUL, `ACTION=add`, NUL, … Undefined for anything else. */
export function readUevent(message: Buffer): Uevent | undefined {
  const [header = '', ...lines] = message.toString('utf8').split('\0', maxVariables);
  const variables = new Map<string, string>();
  for (const line of lines) {
    const equals = line.indexOf('=');
    if (equals > 0) variables.set(line.slice(0, equals), line.slice(equals + 1));
  }
  const [action, path] = [variables.get('ACTION'), variables.get('DEVPATH')];
  if (action === undefined || path === undefined || header !== `${action}@${path}`) return undefined;
  // Facts of the device are read below this path, so it must not lead elsewhere.
  if (!path.startsWith('/devices/') || path.split('/').includes('..')) return undefined;
  return { action, path, subsystem: variables.get('SUBSYSTEM') ?? '', variables };
}
