import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { systemClock } from '../../core/clock.ts';
import type { SensorRecord } from '../../core/record.ts';
import { recordText } from '../../records/record-text.ts';
import type { SensorState } from '../../core/sensor.ts';
import { eventually } from '../../testing/eventually.ts';
import { FakeClock } from '../../testing/fake-clock.ts';
import { timed } from '../../testing/lateness.ts';
import { mounts, mountsSensor } from './mounts.ts';

const execute = promisify(execFile);
const skip = process.getuid?.() === 0 ? false : 'mounting needs root';

/** The sensor on this machine, and what it says of a folder of its own. */
class Watched implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'watchkeeper-mounts-'));
  readonly records: SensorRecord[] = [];
  state: SensorState | undefined;
  readonly #running = mounts.start(
    { all: false },
    {
      clock: systemClock,
      record: (record) => this.#take(record),
      onState: (state) => (this.state = state),
    },
  );

  /** The next record of this event, which is no later than a second after what is done. */
  async after(event: SensorRecord['event'], program: string, ...words: readonly string[]): Promise<string> {
    await execute(program, words);
    const { value: record, lateMs } = await timed(() =>
      eventually(event, () => this.records.find((record) => record.event === event)),
    );
    assert.ok(lateMs < 1000, `${lateMs} ms`);
    this.records.length = 0;
    return recordText(record);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.#running).stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #take(record: SensorRecord): void {
    if ('mount' in record && record.mount.mountpoint.startsWith(this.folder)) this.records.push(record);
  }
}

test(
  'E2: mount, remount and unmount of a disk are seen within a second, with device, mount point, type and options',
  { skip },
  async () => {
    await using watched = new Watched();
    const mountpoint = join(watched.folder, 'a stick');
    const image = join(watched.folder, 'image');
    mkdirSync(mountpoint);
    writeFileSync(image, Buffer.alloc(1024 * 1024));
    await execute('mkfs.ext2', ['-q', image]);
    const { stdout } = await execute('losetup', ['--find', '--show', image]);
    const device = stdout.trim();
    try {
      const line = `device=${device}, mountpoint="${mountpoint}", fstype=ext2, opts=`;
      const mounted = await watched.after('mounted', 'mount', '-o', 'nosuid', device, mountpoint);
      assert.equal(mounted, `mounted: ${line}rw,nosuid,relatime, kind=loop`);
      const remounted = await watched.after('remounted', 'mount', '-o', 'remount,ro', mountpoint);
      assert.equal(remounted, `remounted: ${line}ro,nosuid,relatime, kind=loop`);
      const unmounted = await watched.after('unmounted', 'umount', mountpoint);
      assert.equal(unmounted, `unmounted: ${line}ro,nosuid,relatime, kind=loop`);
    } finally {
      await execute('umount', ['--lazy', mountpoint]).catch(() => {});
      await execute('losetup', ['--detach', device]);
    }
    assert.equal(watched.state?.state, 'running');
  },
);

test('of a storm of mounts none is missed that stays', { skip }, async () => {
  await using watched = new Watched();
  const names = Array.from({ length: 100 }, (_, index) => join(watched.folder, `m${index}`));
  for (const name of names) mkdirSync(name);
  await execute('sh', ['-c', 'for name do mount --bind "$name" "$name"; done', 'sh', ...names]);
  try {
    const points = (event: SensorRecord['event']) =>
      new Set(
        watched.records.flatMap((record) =>
          record.event === event && 'mount' in record ? [record.mount.mountpoint] : [],
        ),
      );
    await eventually('all mounts', () => points('mounted').size === names.length);
    await execute('umount', names);
    await eventually('their end', () => points('unmounted').size === names.length);
  } finally {
    await execute('umount', ['--lazy', '--quiet', ...names]).catch(() => {});
  }
});

test('where the kernel does not tell of changes, mounts are read every 2 s, and the sensor says what that costs', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'watchkeeper-mounts-'));
  const mountinfo = join(folder, 'mountinfo');
  writeFileSync(mountinfo, '97 27 8:17 / /media/x rw - vfat /dev/sdb1 rw\n');
  const clock = new FakeClock();
  const said: string[] = [];
  const sensor = await mountsSensor({ mountinfo, sysfs: '/nonexistent' }).start(
    { all: false },
    {
      clock,
      record: ({ event }) => said.push(event),
      onState: ({ state, message }) => said.push(`${state} ${message}`),
    },
  );
  assert.match(said.join('\n'), /^limited .*every 2 s.*\nmount-present$/);
  writeFileSync(mountinfo, '');
  await clock.advance(2000);
  assert.equal(said.at(-1), 'unmounted');
  await sensor.stop();
  assert.equal(clock.pending, 0);
  rmSync(folder, { recursive: true });
});

test('a mount that comes when the sensor has said how it is, is a change and not one that was there', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'watchkeeper-mounts-'));
  const mountinfo = join(folder, 'mountinfo');
  writeFileSync(mountinfo, '');
  const clock = new FakeClock();
  const said: string[] = [];
  const sensor = await mountsSensor({ mountinfo, sysfs: '/nonexistent' }).start(
    { all: false },
    {
      clock,
      record: ({ event }) => said.push(event),
      onState: () => writeFileSync(mountinfo, '97 27 8:17 / /media/x rw - vfat /dev/sdb1 rw\n'),
    },
  );
  await clock.advance(2000);
  assert.deepEqual(said, ['mounted']);
  await sensor.stop();
  rmSync(folder, { recursive: true });
});

test('a mount is told that comes before the event loop has asked the kernel for changes', { skip }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'watchkeeper-mounts-'));
  const said: string[] = [];
  const sensor = await mounts.start(
    { all: false },
    {
      clock: systemClock,
      record: (record) => 'mount' in record && record.mount.mountpoint === folder && said.push(record.event),
      onState: () => execFileSync('mount', ['--bind', folder, folder]),
    },
  );
  try {
    await eventually('the mount', () => said.length > 0, 5000);
    assert.deepEqual(said, ['mounted']);
  } finally {
    await execute('umount', [folder]);
    await sensor.stop();
    rmSync(folder, { recursive: true });
  }
});

test('without /proc the sensor is unavailable and says what to do', async () => {
  const states: SensorState[] = [];
  const sensor = await mountsSensor({ mountinfo: '/nonexistent/mountinfo', sysfs: '/sys' }).start(
    { all: false },
    { clock: systemClock, record: () => assert.fail(), onState: (state) => states.push(state) },
  );
  await sensor.stop();
  assert.deepEqual(
    states.map(({ state }) => state),
    ['unavailable'],
  );
  assert.match(states[0]?.message ?? '', /mount \/proc/);
});

test('while mounts cannot be read the sensor says so, once, and tries again', async () => {
  const clock = new FakeClock();
  const states: string[] = [];
  // A folder can be opened, and not read.
  const sensor = await mountsSensor({ mountinfo: tmpdir(), sysfs: '/sys' }).start(
    { all: false },
    { clock, record: () => assert.fail(), onState: ({ state }) => states.push(state) },
  );
  await clock.advance(10_000);
  assert.deepEqual([states, clock.pending], [['limited', 'unavailable'], 1]);
  await sensor.stop();
  assert.equal(clock.pending, 0);
});
