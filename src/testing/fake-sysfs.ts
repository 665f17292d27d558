import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';

type Attributes = Readonly<Record<string, string | Buffer>>;

/** A folder like sysfs: USB devices on one bus, what belongs to them, and block devices by number. */
export class FakeSysfs implements Disposable {
  readonly root = mkdtempSync(join(tmpdir(), 'watchkeeper-sysfs-'));
  #number = 1;

  constructor() {
    for (const folder of ['bus/usb/devices', 'dev/block', 'class'])
      mkdirSync(join(this.root, folder), { recursive: true });
    // A root hub, as every machine with USB has.
    this.#add('/devices/pci0000:00/0000:00:14.0/usb2', { idVendor: '1d6b\n', idProduct: '0003\n', devnum: '1\n' });
    this.#link('bus/usb/devices/usb2', '/devices/pci0000:00/0000:00:14.0/usb2');
  }

  /** The path below /sys of a USB port: `2-1.4` is the fourth of the hub at `2-1`. */
  pathOf(port: string): string {
    const hub = port.includes('.') ? this.pathOf(port.slice(0, port.lastIndexOf('.'))) : undefined;
    return `${hub ?? '/devices/pci0000:00/0000:00:14.0/usb2'}/${port}`;
  }

  /** Plugs a device in, and returns the number that it got. */
  plug(port: string, attributes: Attributes): number {
    const number = ++this.#number;
    const path = this.pathOf(port);
    this.#add(path, { devnum: `${number}\n`, ...attributes });
    this.#link(`bus/usb/devices/${port}`, path);
    return number;
  }

  unplug(port: string): void {
    rmSync(join(this.root, 'bus/usb/devices', port));
    rmSync(join(this.root, this.pathOf(port)), { recursive: true });
  }

  /** Adds something to a device, below its first interface: `['block', 'host0/block/sda']`. Returns its path. */
  provide(port: string, [subsystem, name]: readonly [string, string], attributes: Attributes = {}): string {
    const path = `${this.pathOf(port)}/${port}:1.0/${name}`;
    this.#add(path, attributes);
    mkdirSync(join(this.root, 'class', subsystem), { recursive: true });
    this.#link(`class/${subsystem}/${basename(name)}`, path);
    return path;
  }

  /** A block device of a number, at a path. */
  block(number: string, path: string, attributes: Attributes = {}): void {
    this.#add(path, attributes);
    this.#link(`dev/block/${number}`, path);
  }

  /** Puts one block device on another. */
  stack(upper: string, lower: string): void {
    mkdirSync(join(this.root, upper, 'slaves'), { recursive: true });
    this.#link(join(upper, 'slaves', basename(lower)), lower);
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  #add(path: string, attributes: Attributes): void {
    for (const [name, value] of Object.entries(attributes)) {
      mkdirSync(dirname(join(this.root, path, name)), { recursive: true });
      writeFileSync(join(this.root, path, name), value);
    }
    mkdirSync(join(this.root, path), { recursive: true });
  }

  #link(link: string, path: string): void {
    const at = join(this.root, link);
    symlinkSync(relative(dirname(at), join(this.root, path)), at);
  }
}
