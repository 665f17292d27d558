import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { runWatchkeeper, Watchkeeper } from '../../testing/watchkeeper.ts';
import { removeFolder } from '../../testing/remove-folder.ts';

const execute = promisify(execFile);
const skip = process.getuid?.() === 0 ? false : 'mounting needs root';

test('watch usb says how each sensor is and what is there, and ends after its time', async () => {
  const { code, stdout, stderr } = await runWatchkeeper(['watch', 'usb', '--json', '--for', '100ms']);
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
  const states = lines.filter(({ event }) => event === 'sensor-state').map(({ sensor }) => sensor);
  assert.deepEqual(states, ['usb', 'mounts']);
  assert.deepEqual([code, stderr], [0, '']);
});

test('E2: watch usb shows a mount and its end, one line each', { skip }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'watchkeeper-watch-'));
  await using watching = new Watchkeeper(['watch', 'usb']);
  await watching.until(/\d - sensor \(mounts\): running: mountinfo: /);
  await execute('mount', ['--bind', folder, folder]);
  try {
    await watching.until(new RegExp(`\\d - mounted: device=\\S+, mountpoint=${folder}, fstype=\\w+, opts=rw`));
  } finally {
    await execute('umount', [folder]);
  }
  await watching.until(new RegExp(`\\d - unmounted: .* mountpoint=${folder},`));
  watching.signal('SIGINT');
  assert.equal(await watching.end(), 0);
  await removeFolder(folder);
});
