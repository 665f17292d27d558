import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test, type TestContext } from 'node:test';
import { readEvents } from '../../src/commands/operate/event-stream.ts';
import type { ServerEvent } from '../../src/core/event.ts';
import type { SensorEvent, SensorRecord } from '../../src/core/record.ts';
import { sensorNames, type SensorName } from '../../src/core/sensor.ts';
import { eventually } from '../../src/testing/eventually.ts';
import { runWatchkeeper } from '../../src/testing/watchkeeper.ts';
import { debianKernel } from '../qemu/kernel.ts';
import { hostAddress, Seat, seatMissing, stickSerial } from '../qemu/seat.ts';
import { Served } from './served.ts';

/** A machine with real USB ports, a real kernel, and the agent as deploy/ installs it, from the plug to the server's event stream. */

/** Every instruction of the guest is emulated, on a machine that other tests share. */
const bootLimitMs = 150_000;
const programLimitMs = 90_000;
const plugLimitMs = 30_000;

const configuration = `
sensors:
  - by: Physics department, room 101
    purpose: Exam of 2 December
    usb: {}
    mounts: {}
    traffic: {}
`;

type RecordOf<Event extends SensorEvent> = SensorRecord & { readonly event: Event };
type Match<Event extends SensorEvent> = (record: RecordOf<Event>) => boolean;

type Arrived<Event extends SensorEvent> = RecordOf<Event> & {
  /** By this process's own clock. */
  readonly arrivedAt: number;
  /** From the sensor's clock to this one's; the two differ by what the server says of the agent. */
  readonly underWayMs: number;
};

/** The records on a server's event stream, and when each came. */
class RecordFeed implements Disposable {
  readonly events: {
    readonly event: Extract<ServerEvent, { type: 'record' }>;
    readonly arrivedAt: number;
    readonly underWayMs: number;
  }[] = [];
  readonly alarms: ServerEvent[] = [];
  readonly #ending = new AbortController();

  async open(server: Served): Promise<void> {
    const headers = { Authorization: `Bearer ${await server.token()}` };
    const { body } = await fetch(`${server.url}/api/v1/events`, { headers, signal: this.#ending.signal });
    assert.ok(body);
    void this.#follow(body).catch(() => {});
  }

  /** The first record of this kind that fits, come or to come, with when it came. */
  async first<Event extends SensorEvent>(
    kind: Event,
    fits: Match<Event> = () => true,
    limitMs = plugLimitMs,
  ): Promise<Arrived<Event>> {
    return await eventually(
      `a record ${kind}`,
      () => {
        for (const { event, ...times } of this.events) {
          // What the comparison then shows.
          const record = event.record as RecordOf<Event>;
          if (record.event === kind && fits(record)) return { ...record, ...times };
        }
        return undefined;
      },
      limitMs,
    );
  }

  /** How each sensor said that it is, the last time. */
  states(): ReadonlyMap<SensorName, string> {
    return new Map(
      this.events.flatMap(({ event: { sensor, record } }) =>
        record.event === 'sensor-state' ? [[sensor, `${record.state}, ${record.message}`] as const] : [],
      ),
    );
  }

  [Symbol.dispose](): void {
    this.#ending.abort();
  }

  async #follow(body: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const { data } of readEvents(body)) {
      // The server of this checkout says these.
      const event = JSON.parse(data) as ServerEvent;
      if (event.type === 'record') {
        // Written as ISO 8601 on the way.
        const underWayMs = Date.now() - new Date(event.at).getTime();
        this.events.push({ event, arrivedAt: performance.now(), underWayMs });
      }
      if (event.type === 'alarm') this.alarms.push(event);
    }
  }
}

const kernel = seatMissing === false ? await debianKernel().catch((error: Error) => error) : undefined;
const skip =
  seatMissing ||
  (kernel instanceof Error && `Debian's kernel cannot be had; apt-get update may help: ${kernel.message}`);

describe('what is plugged into a machine shows on the server', { skip }, () => {
  const running = new AsyncDisposableStack();
  const feed = running.use(new RecordFeed());
  let seat: Seat;
  let server: Served;

  before(async () => {
    server = running.use(await Served.start(configuration, { localAgent: false }));
    await feed.open(server);
    const { stdout } = await runWatchkeeper(server.words('invite'));
    const [, token = ''] = /WATCHKEEPER_TOKEN=(\S+)/.exec(stdout) ?? [];
    assert.ok(kernel && !(kernel instanceof Error));
    seat = running.use(
      await Seat.start(kernel, {
        OPTIONS: `--join http://${hostAddress}:${server.port} --insecure`,
        WATCHKEEPER_TOKEN: token,
      }),
    );
    await eventually('the sensors', () => feed.states().size === sensorNames.length, bootLimitMs).catch(
      (cause: unknown) => {
        throw new Error(`the seat did not report:\n${seat.screen}\nThe server said:\n${server.said}`, { cause });
      },
    );
  });
  after(() => running.disposeAsync());

  test('the unit of deploy/ gives every sensor what it needs, and nothing makes it do with less', () => {
    for (const [sensor, state] of feed.states()) assert.match(state, /^running, /, sensor);
    assert.match(feed.states().get('traffic') ?? '', /ebpf/);
  });

  test('E2: a stick, where it is mounted, and that it is gone', async (t) => {
    const pluggedAt = performance.now();
    await seat.plugStick();
    const { device, ...connected } = await feed.first('usb-connected', ({ device }) => device.serial === stickSerial);
    assert.deepEqual(device.risks, ['storage']);
    assert.ok(device.interfaces.includes('080650'), 'mass storage, SCSI, bulk only');
    const disk = await feed.first('usb-function', ({ subsystem }) => subsystem === 'block');
    assert.equal(disk.port, device.port);
    const { mount, ...mounted } = await feed.first('mounted', ({ mount }) => mount.device === `/dev/${disk.name}`);
    assert.equal(mount.mountpoint, `/media/EXAM ${disk.name}`);
    assert.equal(mount.fstype, 'vfat');
    assert.equal(mount.kind, 'usb');
    assert.equal(mount.usbPort, device.port);
    for (const option of ['nosuid', 'nodev', 'noexec']) assert.ok(mount.options.split(',').includes(option), option);
    const unpluggedAt = performance.now();
    await seat.unplug('stick');
    const removed = await feed.first('usb-removed', ({ device }) => device.serial === stickSerial);
    await feed.first('unmounted', ({ mount }) => mount.device === `/dev/${disk.name}`);
    const { body } = await server.ask('GET', '/agents');
    tell(t, 'plug to its event', connected.arrivedAt - pluggedAt);
    tell(t, '  of this, from the sensor to the event', connected.underWayMs + Number(body.agents[0].clockOffsetMs));
    tell(t, 'plug to the event of its mount', mounted.arrivedAt - pluggedAt);
    tell(t, 'unplug to its event', removed.arrivedAt - unpluggedAt);
  });

  test('E2: a keyboard', async (t) => {
    const pluggedAt = performance.now();
    await seat.plugKeyboard();
    const { device, arrivedAt } = await feed.first('usb-connected', ({ device }) => device.risks.includes('keyboard'));
    assert.deepEqual(device.risks, ['keyboard']);
    await feed.first('usb-function', ({ subsystem, port }) => subsystem === 'input' && port === device.port);
    await seat.unplug('keyboard');
    await feed.first('usb-removed', (removed) => removed.device.risks.includes('keyboard'));
    tell(t, 'plug to its event', arrivedAt - pluggedAt);
  });

  test('E2: a network adaptor', async (t) => {
    const pluggedAt = performance.now();
    await seat.plugNetworkAdaptor();
    const { device, arrivedAt } = await feed.first('usb-connected', ({ device }) => device.risks.includes('network'));
    const card = await feed.first('usb-function', ({ subsystem }) => subsystem === 'net');
    assert.equal(card.port, device.port);
    assert.match(card.mac ?? '', /^(?:[0-9a-f]{2}:){5}[0-9a-f]{2}$/);
    await seat.unplug('adaptor');
    await feed.first('usb-removed', (removed) => removed.device.risks.includes('network'));
    tell(t, 'plug to its event', arrivedAt - pluggedAt);
  });

  test('E2: a stick that is a keyboard too raises an alarm', async (t) => {
    const pluggedAt = performance.now();
    seat.plugTwoFaced();
    const { device, arrivedAt } = await feed.first('usb-alarm');
    assert.equal(device.serial, 'TWO-FACED-1');
    assert.equal(`${device.manufacturer} ${device.product}`, 'SanDisk Cruzer Blade');
    assert.deepEqual(new Set(device.risks), new Set(['storage', 'keyboard']));
    seat.unplugTwoFaced();
    await feed.first('usb-removed', (removed) => removed.device.serial === 'TWO-FACED-1');
    tell(t, 'plug to the alarm', arrivedAt - pluggedAt);
  });

  test('E5: all of it is text on the server, in the folder of the machine', async () => {
    const folder = join(server.data, 'clients', '127.0.0.1');
    const wanted = ['usb device connected: QEMU QEMU USB HARDDRIVE', 'mounted: device=/dev/sda', 'ALARM usb device'];
    await eventually('the lines', async () => {
      const files = globSync('*Z-*.log', { cwd: folder });
      const text = (await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')))).join('');
      return wanted.every((line) => text.includes(line));
    });
  });

  test('whoever sits there reads what is collected, by whom and what for', async () => {
    seat.askWhatIsCollected();
    const answer =
      /Collected +by Physics department, room 101, for: Exam of 2 December[^]*USB devices: [^]*CAP_BPF is held/;
    await eventually('the answer', () => answer.test(seat.screen), programLimitMs).catch((cause: unknown) => {
      throw new Error(seat.screen, { cause });
    });
  });

  test('the machine says nothing that it would have to take back', () => {
    assert.deepEqual(feed.alarms, []);
  });
});

/** A figure for whoever reads the run: emulation is too slow to assert it. */
function tell(t: TestContext, what: string, ms: number): void {
  t.diagnostic(`${what}: ${Math.round(ms)} ms`);
}
