import { createHash } from 'node:crypto';
import { cpSync, existsSync, globSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { packInitrd } from './initrd.ts';
import { run } from './run.ts';

export interface Kernel {
  /** The path of what QEMU starts. */
  readonly image: string;
  /** The path of a memory disk with busybox and the modules below. */
  readonly initrd: string;
}

const cache = resolve(import.meta.dirname, '../../.cache/kernel');

/** What a seat needs and Debian's kernel does not have built in; each brings what it depends on. */
const modules = [
  // Folders of this machine as disks of the guest; its network card.
  'virtio_pci 9pnet_virtio 9p virtio_net',
  // What may be plugged in, and the file system of sticks.
  'xhci_pci usb_storage sd_mod vfat nls_cp437 nls_ascii usbhid hid_generic evdev cdc_ether rndis_host',
  // A USB port within the guest, and the two functions of the device that is plugged in there.
  'dummy_hcd libcomposite usb_f_mass_storage usb_f_hid',
].flatMap((line) => line.split(' '));

/** Debian's own kernel, fetched and never installed; kept from run to run. Rejects where the package cannot be had. */
export async function debianKernel(): Promise<Kernel> {
  const { name, version } = await newestKernel();
  const recipe = createHash('sha256').update(modules.join()).digest('hex').slice(0, 8);
  const folder = join(cache, `${name}_${version}_${recipe}`);
  if (!existsSync(folder)) await build(`${name}=${version}`, folder);
  return { image: join(folder, 'image'), initrd: join(folder, 'initrd') };
}

async function newestKernel(): Promise<{ readonly name: string; readonly version: string }> {
  const shown = await run('apt-cache', ['show', '--no-all-versions', 'linux-image-amd64']);
  const [, name, version] = /^Depends: (linux-image-\S+) \(= (\S+)\)/m.exec(shown) ?? [];
  if (name && version) return { name, version };
  throw new Error(`expected linux-image-amd64 to depend on one kernel, got:\n${shown}`);
}

async function build(packageName: string, target: string): Promise<void> {
  mkdirSync(cache, { recursive: true });
  // Whoever runs beside this builds one of its own; the last to finish gives way.
  const folder = mkdtempSync(join(cache, 'building-'));
  try {
    await run('apt-get', ['download', packageName], folder);
    const [archive = ''] = globSync('*.deb', { cwd: folder });
    await run('dpkg-deb', ['-x', archive, 'package'], folder);
    const done = join(folder, 'done');
    mkdirSync(done);
    await packModules(join(folder, 'package'), join(done, 'initrd'));
    const [image = ''] = globSync('package/boot/vmlinuz-*', { cwd: folder });
    renameSync(join(folder, image), join(done, 'image'));
    if (!existsSync(target)) renameSync(done, target);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function packModules(packageRoot: string, initrd: string): Promise<void> {
  const root = join(packageRoot, 'initrd');
  for (const name of ['bin', 'dev', 'modules', 'proc', 'root', 'sys']) mkdirSync(join(root, name), { recursive: true });
  cpSync('/bin/busybox', join(root, 'bin', 'busybox'));
  for (const [index, file] of (await modulesInOrder(packageRoot)).entries()) {
    // The guest loads them by name, in this order.
    cpSync(file, join(root, 'modules', `${String(index).padStart(2, '0')}.ko`));
  }
  await packInitrd(root, initrd);
}

async function modulesInOrder(packageRoot: string): Promise<string[]> {
  const [version = ''] = globSync('*', { cwd: join(packageRoot, 'lib/modules') });
  await run('depmod', ['-b', packageRoot, version]);
  const files = new Set<string>();
  for (const module of modules) {
    const loading = await run('modprobe', ['-d', packageRoot, '-S', version, '--show-depends', module]);
    for (const [, file = ''] of loading.matchAll(/^insmod (\S+)/gm)) files.add(file);
  }
  return [...files];
}
