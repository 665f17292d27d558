import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { eventually } from '../../src/testing/eventually.ts';
import { missing, temporaryFolder } from '../peers/daemon.ts';
import { packInitrd } from './initrd.ts';
import { copyInstallation, nodePackage, warmEnvironment } from './installation.ts';
import type { Kernel } from './kernel.ts';
import { MachineProtocol } from './machine-protocol.ts';
import { run } from './run.ts';

const programs = ['qemu-system-x86_64', 'busybox', 'cpio', 'modprobe', 'mkfs.vfat', 'apt-get', 'systemd-analyze'];

/** Why there can be no seat here, or false: the value of `skip`. */
export const seatMissing =
  process.arch === 'x64' ? missing(...programs) : `the seat is an x86-64 machine, and this is ${process.arch}`;

/** How the guest names this machine's loopback. */
export const hostAddress = '10.0.2.2';
export const stickSerial = 'WK-0001';

/** Not needed to run an agent, and slow where every instruction is emulated. */
const leftOut = [
  'systemd-tmpfiles-setup',
  'systemd-tmpfiles-setup-dev',
  'systemd-update-utmp',
  'systemd-journal-flush',
];

const commandLine = [
  'console=ttyS0 quiet loglevel=4 panic=-1',
  'systemd.unit=seat.target systemd.show_status=0',
  'systemd.journald.forward_to_console=1 systemd.journald.max_level_console=info',
  ...leftOut.map((unit) => `systemd.mask=${unit}.service`),
].join(' ');

/**
 * A machine of a computer room: Debian's kernel and systemd in QEMU, with the agent as deploy/ installs it, and USB ports
 * into which things are plugged while it runs. The system's programs are those of this machine, read only.
 */
export class Seat implements AsyncDisposable {
  readonly #running: AsyncDisposableStack;
  readonly #machine: MachineProtocol;
  readonly #hand: NodeJS.WritableStream;
  readonly #screen: Screen;

  private constructor(parts: Parts) {
    this.#running = parts.running;
    this.#machine = parts.machine;
    this.#hand = parts.hand;
    this.#screen = parts.screen;
  }

  /** @param settings the environment of the agent's service */
  static async start(kernel: Kernel, settings: Readonly<Record<string, string>>): Promise<Seat> {
    await using building = new AsyncDisposableStack();
    const folder = building.use(await temporaryFolder('seat')).path;
    await makeInitrd(folder, kernel, settings);
    await run('mkfs.vfat', ['-C', '-n', 'EXAM', join(folder, 'stick'), '8192']);
    // Should this process be killed, the machine goes with it.
    const words = ['--pdeathsig', 'KILL', 'qemu-system-x86_64', ...qemuWords(kernel, folder)];
    const qemu = spawn('setpriv', words, { stdio: ['ignore', 'pipe', 'pipe'] });
    building.defer(() => end(qemu));
    const screen = new Screen(qemu);
    await eventually('QEMU', () => {
      screen.assertOn();
      return existsSync(join(folder, 'machine')) && existsSync(join(folder, 'hand'));
    });
    const machine = building.use(await MachineProtocol.open(join(folder, 'machine')));
    const hand = building.adopt(connect(join(folder, 'hand')), (socket) => void socket.destroy());
    await machine.command('blockdev-add', {
      'node-name': 'stick',
      driver: 'raw',
      'read-only': true,
      file: { driver: 'file', filename: join(folder, 'stick') },
    });
    await machine.command('netdev_add', { type: 'user', id: 'other-network', restrict: true });
    return new Seat({ running: building.move(), machine, hand, screen });
  }

  /** What the kernel and the journal wrote. */
  get screen(): string {
    return this.#screen.text;
  }

  async plugStick(): Promise<void> {
    await this.#plug({ driver: 'usb-storage', id: 'stick', drive: 'stick', serial: stickSerial, removable: true });
  }

  async plugKeyboard(): Promise<void> {
    await this.#plug({ driver: 'usb-kbd', id: 'keyboard' });
  }

  async plugNetworkAdaptor(): Promise<void> {
    await this.#plug({ driver: 'usb-net', id: 'adaptor', netdev: 'other-network' });
  }

  async unplug(id: 'stick' | 'keyboard' | 'adaptor'): Promise<void> {
    await this.#machine.command('device_del', { id });
  }

  /** A stick that is a keyboard too. */
  plugTwoFaced(): void {
    this.#hand.write('plug\n');
  }

  unplugTwoFaced(): void {
    this.#hand.write('unplug\n');
  }

  /** Asks as another user of the machine what is collected there; the answer is on the screen. */
  askWhatIsCollected(): void {
    this.#hand.write('ask\n');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running.disposeAsync();
  }

  async #plug(device: Readonly<Record<string, string | boolean>>): Promise<void> {
    await this.#machine.command('device_add', { ...device, bus: 'usb.0' });
  }
}

interface Parts {
  readonly running: AsyncDisposableStack;
  readonly machine: MachineProtocol;
  readonly hand: NodeJS.WritableStream;
  readonly screen: Screen;
}

/** What a machine says, from its first second on. */
class Screen {
  text = '';
  readonly #qemu: ChildProcess;

  constructor(qemu: ChildProcess) {
    this.#qemu = qemu;
    const keep = (chunk: Buffer): void => void (this.text = (this.text + chunk.toString()).slice(-256_000));
    qemu.stdout?.on('data', keep);
    qemu.stderr?.on('data', keep);
    qemu.once('error', (error) => (this.text += error.message));
  }

  assertOn(): void {
    if (this.#qemu.exitCode !== null) throw new Error(`QEMU ended with ${this.#qemu.exitCode}:\n${this.text}`);
  }
}

function qemuWords({ image }: Kernel, folder: string): string[] {
  const options = {
    machine: 'q35',
    // Emulated: KVM is not to be had in the virtual machines that tests run in.
    accel: 'tcg,thread=multi',
    cpu: 'max',
    smp: '2',
    m: '1024',
    display: 'none',
    kernel: image,
    initrd: join(folder, 'initrd'),
    append: commandLine,
    nic: 'user,model=virtio-net-pci',
    device: 'qemu-xhci,id=usb',
    qmp: `unix:${join(folder, 'machine')},server=on,wait=off`,
  };
  return [
    '-nodefaults',
    '-no-user-config',
    '-no-reboot',
    ...Object.entries(options).flatMap(([name, value]) => [`-${name}`, value]),
    '-serial',
    'stdio',
    '-serial',
    `unix:${join(folder, 'hand')},server=on,wait=off`,
    ...share('/usr', 'usr'),
    ...share(nodePackage, 'node'),
  ];
}

/** A folder of this machine, read only, as a disk of the guest. */
function share(folder: string, tag: string): string[] {
  return ['-virtfs', `local,path=${folder},mount_tag=${tag},security_model=none,readonly=on,multidevs=remap`];
}

/** The kernel's memory disk, and behind it what this seat is to run. */
async function makeInitrd(folder: string, kernel: Kernel, settings: Readonly<Record<string, string>>): Promise<void> {
  const root = join(folder, 'root');
  await mkdir(join(root, 'settings'), { recursive: true });
  const environment = { ...warmEnvironment('/opt/watchkeeper'), ...settings };
  const lines = Object.entries(environment).map(([name, value]) => `${name}=${value}\n`);
  await writeFile(join(root, 'settings', 'agent.env'), lines);
  await cp(join(import.meta.dirname, 'guest', 'init'), join(root, 'init'));
  await chmod(join(root, 'init'), 0o755);
  copyInstallation(join(root, 'watchkeeper'));
  await packInitrd(root, join(folder, 'own'));
  await writeFile(join(folder, 'initrd'), [await readFile(kernel.initrd), await readFile(join(folder, 'own'))]);
}

async function end(qemu: ChildProcess): Promise<void> {
  if (qemu.pid === undefined || qemu.exitCode !== null) return;
  const ended = once(qemu, 'exit');
  qemu.kill('SIGKILL');
  await ended;
}
