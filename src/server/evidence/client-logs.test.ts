import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock, type Clock } from '../../core/clock.ts';
import { lineText } from '../../records/record-line.ts';
import { eventually } from '../../testing/eventually.ts';
import { ChainWriter } from '../../testing/chain-writer.ts';
import type { KeptRecord } from '../store/evidence.ts';
import { ClientLogs } from './client-logs.ts';
import { safeName } from './safe-name.ts';
import { removeFolder } from '../../testing/remove-folder.ts';

/** Waits are a hundredth of what they are. */
const clock: Clock = { ...systemClock, after: (delayMs, callback) => systemClock.after(delayMs / 100, callback) };
const noon = Date.UTC(2026, 11, 2, 12);
const dayMs = 86_400_000;

/** A folder of logs over records in memory. */
const agent = '01998a00-0000-7000-8000-00000000000a';

class Stand implements AsyncDisposable {
  readonly folder: string;
  readonly said: string[] = [];
  readonly records: KeptRecord[] = [];
  readonly writer = new ChainWriter();
  logs: ClientLogs;

  private constructor(folder: string) {
    this.folder = folder;
    this.logs = this.#newLogs();
  }

  static async make(): Promise<Stand> {
    return new Stand(await mkdtemp(join(tmpdir(), 'watchkeeper-logs-')));
  }

  get clients(): string {
    return join(this.folder, 'clients');
  }

  /** The next record: some text, so long. */
  add({ agentId = agent, address = '192.168.0.133', receivedAt = noon, length = 20 } = {}): void {
    const message = 'x'.repeat(length);
    const line = this.writer.write({ event: 'sensor-started', message }, { at: receivedAt - 5 });
    const n = this.writer.lines.length;
    const { chain } = this.writer.first;
    const where = { agentId, chain, sensor: 'usb', event: 'sensor-started', address } as const;
    this.records.push({ ...where, position: n, n, at: receivedAt - 5, receivedAt, line });
  }

  /** Everything that came is written; another process goes on. */
  async settle(): Promise<void> {
    await this.logs.stop();
    this.logs = this.#newLogs();
  }

  /** The process is gone in the middle of a round, with these bytes written of it. */
  async crash(position: number, files: Readonly<Record<string, number>>): Promise<void> {
    await writeFile(join(this.clients, 'round.json'), JSON.stringify({ position, files }));
    this.logs = this.#newLogs();
  }

  /** The files of all clients, with what they hold. */
  async files(): Promise<Readonly<Record<string, string>>> {
    const found = await readdir(this.clients, { recursive: true, withFileTypes: true });
    const logs = found.filter((entry) => entry.isFile() && entry.name.endsWith('.log'));
    const paths = logs.map(({ parentPath, name }) => join(parentPath, name)).toSorted();
    const texts = await Promise.all(paths.map((path) => readFile(path, 'utf8')));
    return Object.fromEntries(paths.map((path, index) => [path.slice(this.clients.length + 1), texts[index] ?? '']));
  }

  textOf(from = 0, to = this.records.length): string {
    return this.writer.lines
      .slice(from, to)
      .map((line) => `${lineText(line)}\n`)
      .join('');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.logs.stop();
    await removeFolder(this.folder);
  }

  #newLogs(): ClientLogs {
    return new ClientLogs({
      clock,
      folder: this.clients,
      store: {
        recordsAfter: async (position, limit) =>
          this.records.filter((record) => record.position > position).slice(0, limit),
      },
      say: (text) => this.said.push(text),
    });
  }
}

const file = '192.168.0.133/2026-12-02T12-00-00Z-usb-0000000a.log';

test('E5: records are in a folder for each address, in a file named by its time, as text', async () => {
  await using stand = await Stand.make();
  for (let made = 0; made < 250; made++) stand.add();
  stand.add({ address: '2001:db8::7' });
  await stand.settle();
  assert.deepEqual(await stand.files(), {
    [file]: stand.textOf(0, 250),
    '2001:db8::7/2026-12-02T12-00-00Z-usb-0000000a.log': stand.textOf(250),
  });
});

test('AT12: two agents at one address have a file each, also where their ids begin alike', async () => {
  await using stand = await Stand.make();
  stand.add();
  stand.add({ agentId: '01998a00-0000-7000-8000-00000000000b' });
  stand.add();
  await stand.settle();
  assert.deepEqual(await stand.files(), {
    [file]: stand.textOf(0, 1) + stand.textOf(2),
    [file.replace('000a', '000b')]: stand.textOf(1, 2),
  });
});

test('a new file begins with each day, and when the last has 4 MiB', async () => {
  await using stand = await Stand.make();
  const full = Math.ceil(
    (4 * 1024 * 1024) / `${new Date(noon).toISOString()} sensor started: ${'x'.repeat(300)}\n`.length,
  );
  for (let made = 0; made < full; made++) stand.add({ length: 300 });
  stand.add({ receivedAt: noon + 1000 });
  stand.add({ receivedAt: noon + dayMs });
  await stand.settle();
  assert.deepEqual(await stand.files(), {
    [file]: stand.textOf(0, full),
    '192.168.0.133/2026-12-02T12-00-01Z-usb-0000000a.log': stand.textOf(full, full + 1),
    '192.168.0.133/2026-12-03T12-00-00Z-usb-0000000a.log': stand.textOf(full + 1),
  });
});

test('after a crash each line is there once, whatever was written of the last round', async () => {
  await using stand = await Stand.make();
  for (let made = 0; made < 5; made++) stand.add();
  await stand.settle();
  const whole = stand.textOf();
  for (const written of [0, 1, stand.textOf(0, 3).length, stand.textOf(0, 3).length + 9, whole.length]) {
    await writeFile(join(stand.clients, file), whole.slice(0, Math.max(written, stand.textOf(0, 3).length)));
    await stand.crash(3, { [file]: stand.textOf(0, 3).length });
    await stand.settle();
    assert.deepEqual(Object.values(await stand.files()).join(''), whole, `${written} bytes`);
  }
  await stand.crash(0, { [file]: 0 });
  await stand.settle();
  assert.deepEqual(await stand.files(), { [file]: whole });
});

test('a disk that refuses is told once, and what it refused is written when it takes it again', async () => {
  await using stand = await Stand.make();
  await writeFile(stand.clients, 'in the way');
  stand.add();
  stand.logs.wake();
  await eventually('the fault', () => stand.said.length === 1);
  stand.add();
  stand.logs.wake();
  await rm(stand.clients);
  await eventually('that it works again', () => stand.said.length === 2);
  assert.match(stand.said[0] ?? '', /cannot be written: .*written later/);
  assert.deepEqual(await stand.files(), { [file]: stand.textOf() });
});

test('what somebody wrote into its books leads nowhere, and is said', async () => {
  for (const books of ['nonsense', '{"position":0,"files":{"../elsewhere.log":0}}', '{"position":-1,"files":{}}']) {
    await using stand = await Stand.make();
    await writeFile(join(stand.folder, 'elsewhere.log'), 'of somebody');
    await mkdir(stand.clients);
    await writeFile(join(stand.clients, 'round.json'), books);
    stand.add();
    stand.logs.wake();
    await eventually('the fault', () => stand.said.length === 1);
    assert.match(stand.said[0] ?? '', /expected .*round\.json as it was written.*Move the folder away/);
    assert.equal(await readFile(join(stand.folder, 'elsewhere.log'), 'utf8'), 'of somebody');
  }
});

test('files are deleted when all they can hold is older than is kept of that sensor', async () => {
  await using stand = await Stand.make();
  stand.add();
  stand.add({ receivedAt: noon + 2 * dayMs, address: '192.168.0.134' });
  await stand.settle();
  await mkdir(join(stand.clients, 'notes'));
  await writeFile(join(stand.clients, 'notes', 'of-a-person.txt'), '');
  await stand.logs.drop({ traffic: noon + 99 * dayMs });
  await stand.logs.drop({ usb: noon + dayMs });
  assert.equal(Object.keys(await stand.files()).length, 2);
  await stand.logs.drop({ usb: noon + dayMs + 1 });
  assert.deepEqual((await readdir(stand.clients)).toSorted(), ['192.168.0.134', 'notes', 'round.json']);
});

test('files are deleted whatever letters the id has, and those of earlier versions too', async () => {
  await using stand = await Stand.make();
  const folder = join(stand.clients, '192.168.0.133');
  await mkdir(folder, { recursive: true });
  const names = ['usb-abcdefab', 'usb-12345678', 'seat-17-usb', 'usb-seat-usb', 'seat-usb-traffic-usb'];
  for (const name of [...names, 'traffic-abcdefab', 'usb-traffic'])
    await writeFile(join(folder, `2026-12-02T12-00-00Z-${name}.log`), '');
  await stand.logs.drop({ usb: noon + dayMs + 1, traffic: noon });
  assert.deepEqual((await readdir(folder)).toSorted(), [
    '2026-12-02T12-00-00Z-traffic-abcdefab.log',
    '2026-12-02T12-00-00Z-usb-traffic.log',
  ]);
});

test('AT14: a name from outside leads nowhere else, and two have two names, whatever their case and letters', () => {
  for (const [text, name] of [
    // Hashes by sha256sum.
    ['seat-17', 'seat-17'],
    ['10.0.0.7:7412', '10.0.0.7:7412'],
    ['fe80::1%eth0', 'fe80::1%eth0'],
    ['fe80::1%ETH0', 'fe80::1%eth0-bf158531'],
    ['Seat-17', 'seat-17-7d7a05e0'],
    ['SEAT-17', 'seat-17-dee5cc85'],
    ['\u0455eat-17', 'eat-17-7ecdbe58'],
    ['Platz 17 (hinten)', 'platz-17-hinten--f51d1db9'],
    ['../../etc/passwd', 'etc-passwd-3754d6cb'],
    ['..', 'unnamed-5ec1f7e7'],
    ['', 'unnamed-e3b0c442'],
    ['.hidden', 'hidden-16924190'],
    ['a'.repeat(51), `${'a'.repeat(50)}-bfc5fe0e`],
    ['a\u0000b\u001b[31m\nc', 'a-b-31m-c-c3293a08'],
  ] as const)
    assert.equal(safeName(text), name, JSON.stringify(text));
});
