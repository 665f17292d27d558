import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { SensorRecord } from '../../src/core/record.ts';
import { lineText } from '../../src/records/record-line.ts';
import type { ServerMessage } from '../../src/protocol/messages.ts';
import { eventually } from '../../src/testing/eventually.ts';
import { ChainWriter } from '../../src/testing/chain-writer.ts';
import { timed } from '../../src/testing/lateness.ts';
import { runWatchkeeper, Watchkeeper } from '../../src/testing/watchkeeper.ts';
import { AttackedServer } from '../hostile/attacked-server.ts';
import { heartbeat, newIdentity, WrongAgent } from '../hostile/wrong-agent.ts';
import { removeFolder } from '../../src/testing/remove-folder.ts';

const identity = newIdentity('seat-17');
const stick: SensorRecord = {
  event: 'usb-connected',
  device: {
    port: '2-1',
    vendorId: '0781',
    productId: '5567',
    product: 'Cruzer Blade',
    interfaces: ['080650'],
    risks: ['storage'],
  },
};
const mounted: SensorRecord = {
  event: 'mounted',
  mount: {
    device: '/dev/sdb1',
    mountpoint: '/media/stick',
    fstype: 'fuseblk',
    options: 'rw,nosuid',
    kind: 'usb',
    usbPort: '2-1',
  },
};
const lan: SensorRecord = {
  event: 'lan-access',
  interface: 'eth0',
  peer: '192.168.0.134',
  class: 'intranet',
  direction: 'out',
  protocol: 'tcp',
  port: 22,
};

interface RecordAnswer {
  readonly agent: string;
  readonly n: number;
  readonly event: string;
  readonly address: string;
}

interface AlarmAnswer {
  readonly cause: string;
  readonly n: number;
  readonly sensor: string;
}

/** An agent that says of its sensors what a test wants. */
class Seat implements Disposable {
  readonly line: WrongAgent;
  #seq: number;
  /** The server ends a connection that is silent, also during a test that takes long. */
  readonly #beat: NodeJS.Timeout;

  private constructor(line: WrongAgent, seq: number) {
    this.line = line;
    this.#seq = seq;
    this.#beat = setInterval(() => line.say(heartbeat()), 1000);
  }

  static async join(server: AttackedServer, { token, seq = 0 }: { token?: string; seq?: number } = {}): Promise<Seat> {
    return new Seat(await WrongAgent.welcomed(server.url, { identity, token }), seq);
  }

  get seq(): number {
    return this.#seq;
  }

  async begin({ sensor, first: { chain, key } }: ChainWriter): Promise<void> {
    this.line.say({ type: 'chain-begin', sensor, chain, key });
    await this.line.until('chain-begun');
  }

  /** Resolves when they are acknowledged. */
  async send({ first: { chain } }: ChainWriter, lines: readonly string[]): Promise<void> {
    const entries = lines.map((line) => ({ seq: ++this.#seq, item: { kind: 'record', chain, line } }));
    this.line.say({ type: 'entries', lane: 'live', epoch: '1', entries });
    await eventually('an acknowledgement', () =>
      this.line.words.some((word) => word.type === 'ack' && word.ranges.some(([, to]) => to === this.#seq)),
    );
  }

  announce(...writers: readonly ChainWriter[]): void {
    this.line.say({ ...heartbeat(), chains: writers.map((writer) => writer.head()) });
  }

  /** The orders it was given so far. */
  orders(): readonly Extract<ServerMessage, { type: 'sensors' }>['order'][] {
    return this.line.words.flatMap((word) => (word.type === 'sensors' ? [word.order] : []));
  }

  [Symbol.dispose](): void {
    clearInterval(this.#beat);
    this.line[Symbol.dispose]();
  }
}

const always = 'from=2020-01-01T00:00:00Z&to=2100-01-01T00:00:00Z';

async function recordsOf(server: AttackedServer): Promise<readonly string[]> {
  const { records } = await server.ask<{ records: readonly RecordAnswer[] }>(`/records?${always}`);
  return records.map(({ agent, n, event, address }) => `${agent} ${address} ${n} ${event}`);
}

async function alarmsOf(server: AttackedServer): Promise<readonly string[]> {
  const { alarms } = await server.ask<{ alarms: readonly AlarmAnswer[] }>('/alarms?agent=seat-17');
  return alarms.map(({ sensor, cause, n }) => `${sensor} ${cause} ${n}`);
}

async function clientLogs(server: AttackedServer): Promise<string> {
  const folder = join(server.data, 'clients', '127.0.0.1');
  const names = (await readdir(folder)).toSorted();
  for (const name of names)
    assert.match(name, /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ-(usb|mounts|traffic)-[\da-f]{8}\.log$/);
  return (await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')))).join('');
}

/** What docs/evidence.md tells somebody to run who does not trust our program. */
function verifyByHand(folder: string): string {
  const page = readFileSync(new URL('../../docs/evidence.md', import.meta.url), 'utf8');
  const blocks = [...page.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block]) => block);
  assert.equal(blocks.length, 2);
  return execFileSync('bash', ['-e', '-c', blocks.join('\n')], { cwd: folder, encoding: 'utf8' });
}

describe('records of sensors', () => {
  let server: AttackedServer;
  let seat: Seat;
  const [usb, mounts, traffic] = [new ChainWriter(), new ChainWriter('mounts'), new ChainWriter('traffic')];

  before(async () => {
    server = await AttackedServer.open({ configuration: 'retention: {}', flags: ['--no-local-agent'] });
    seat = await Seat.join(server, { token: await server.invite() });
    for (const writer of [usb, mounts, traffic]) await seat.begin(writer);
  });
  after(async () => {
    seat[Symbol.dispose]();
    await server[Symbol.asyncDispose]();
  });

  test('E2, E4: are shown to whoever watches the server, at once', async () => {
    await using console = new Watchkeeper(['console', '--data', server.data]);
    await console.until(/No task has been handed out yet/);
    const { lateMs } = await timed(async () => {
      await seat.send(usb, [usb.write(stick)]);
      await console.until(/seat-17: usb device connected by 127\.0\.0\.1: .*Cruzer Blade/);
    });
    assert.ok(lateMs < 1000, `within a second, not ${lateMs} ms`);
    await seat.send(mounts, [mounts.write(mounted)]);
    await console.until(
      /mounted by 127\.0\.0\.1: device=\/dev\/sdb1, mountpoint=\/media\/stick, fstype=fuseblk, opts=rw,nosuid/,
    );
    await seat.send(traffic, [traffic.write(lan)]);
    await console.until(/seat-17 contacted 192\.168\.0\.134 on TCP port 22 \(SSH\)/);
  });

  test('are kept once, however often they come', async () => {
    await seat.send(usb, usb.lines);
    assert.deepEqual(await recordsOf(server), [
      'seat-17 127.0.0.1 1 usb-connected',
      'seat-17 127.0.0.1 1 mounted',
      'seat-17 127.0.0.1 1 lan-access',
    ]);
  });

  test('are closed with a gap if they are none, or of no chain that the agent may write; what is behind them goes on', async () => {
    const next = usb.write({ event: 'usb-removed', device: stick.device });
    await seat.send(usb, ['no line at all', next, '{"n":1}']);
    assert.equal((await recordsOf(server)).length, 4);
    await eventually('an alarm', async () => (await alarmsOf(server)).length === 1);
    assert.deepEqual(await alarmsOf(server), ['usb malformed 0']);
    assert.match(server.said, /Agent seat-17 sent 2 entries that were not kept: they are no lines of their chain/);
  });

  test('E5: are in the folder of the client, whole, after the server was killed while they came', async () => {
    const lines = Array.from({ length: 200 }, (_, index) => usb.write({ event: 'lost', message: `event ${index}` }));
    for (let from = 0; from < 150; from += 10) await seat.send(usb, lines.slice(from, from + 10));
    await eventually('the first are written', async () => (await clientLogs(server)).includes('event 0'));
    await seat.send(usb, lines.slice(150));
    await server.program.kill();
    server.program.start();
    await server.untilAnswering();
    const { seq } = seat;
    seat[Symbol.dispose]();
    seat = await Seat.join(server, { seq });
    const written = [usb, mounts, traffic].flatMap((writer) => writer.lines.map(lineText)).toSorted();
    await eventually('all are written', async () => {
      assert.deepEqual((await clientLogs(server)).trimEnd().split('\n').toSorted(), written);
      return true;
    });
  });

  test('that the agent has written and that never come, or that come otherwise, are alarms; the console shows them', async () => {
    await using console = new Watchkeeper(['console', '--data', server.data]);
    await console.until(/help lists/);
    const edited = usb.write({ event: 'lost', message: 'nothing at all' }).replace('nothing', 'something');
    await seat.send(usb, [edited]);
    await console.until(/ALARM edited: records of seat-17 \(usb\): expected line 203 as the agent's chain sealed it/);
    traffic.write(lan);
    for (let beat = 0; beat < 3; beat++) seat.announce(mounts, traffic);
    await console.until(/ALARM missing: records of seat-17 \(traffic\): expected line 2/);
    assert.deepEqual((await alarmsOf(server)).toSorted(), ['traffic missing 2', 'usb edited 203', 'usb malformed 0']);
    console.type('alarms');
    // A list has the zone, lines that scroll by have none.
    await console.until(/\dZ - ALARM malformed.*\n.*\dZ - ALARM edited.*\n.*\dZ - ALARM missing/);
    const listed = await runWatchkeeper(['alarms', '--json', '--data', server.data]);
    assert.match(listed.stdout, /^\{.*"cause":"missing".*\n\{.*"cause":"edited".*\n\{.*"cause":"malformed"/);
  });

  test('SG11: what people were told is one list, which says who has looked, also after the server was killed', async () => {
    type Listed = { readonly id: number; readonly kind: string; readonly severity: string; readonly count: number };
    const listed = async (...flags: readonly string[]): Promise<readonly Listed[]> => {
      const { stdout } = await runWatchkeeper(['notices', '--json', '--data', server.data, ...flags]);
      return stdout
        .trimEnd()
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line));
    };
    const [stickIn] = await listed('--kind', 'usb-connected');
    assert.equal(stickIn?.count, 1, 'however often it came');
    const kinds = (await listed('--severity', 'alarm')).map(({ kind }) => kind);
    assert.deepEqual(kinds, ['missing', 'edited', 'malformed']);
    const words = ['acknowledge', String(stickIn.id), '--by', 'Ada', '--note', 'her own', '--data', server.data];
    assert.match((await runWatchkeeper(words)).stdout, /^Notice \d+ was seen by Ada at 20/);
    await server.program.kill();
    server.program.start();
    await server.untilAnswering();
    assert.deepEqual(await listed('--kind', 'usb-connected', '--open'), []);
    const { stdout } = await runWatchkeeper(['notices', '--kind', 'usb-connected', '--data', server.data]);
    assert.match(
      stdout,
      /seat-17 \(usb\), usb-connected: usb device connected by 127\.0\.0\.1: .*; seen by Ada: her own\n$/,
    );
    const none = await runWatchkeeper(['acknowledge', '9999', '--by', 'Ada', '--data', server.data]);
    assert.deepEqual([none.code, none.stderr.includes('no notice 9999')], [3, true]);
    const { seq } = seat;
    seat[Symbol.dispose]();
    seat = await Seat.join(server, { seq });
  });

  test('are taken away signed, and verified without the server; a byte that is changed is found', async () => {
    const folder = join(server.folder, 'evidence');
    const exported = await runWatchkeeper(['evidence', 'seat-17', folder, '--data', server.data]);
    assert.equal(exported.code, 1, exported.stdout + exported.stderr);
    assert.match(exported.stdout, /^GENUINE, with 3 alarms, /m);
    assert.deepEqual((await readdir(folder)).toSorted(), [
      'manifest.json',
      'manifest.sig',
      ...['mounts', 'traffic', 'usb'].flatMap((name) => [`${name}.jsonl`, `${name}.log`]),
    ]);
    const unknown = await runWatchkeeper(['verify', folder]);
    assert.equal(unknown.code, 3);
    assert.match(unknown.stdout, /^SIGNER UNKNOWN\n/);
    const [pin = ''] = /wk1\.[\w-]{43}/.exec(await server.invite()) ?? [];
    const verified = await runWatchkeeper(['verify', folder, '--pin', pin]);
    assert.equal(verified.code, 1);
    assert.match(verified.stdout, /^GENUINE, with 3 alarms, /);
    assert.match(verified.stdout, /^ALARM, .*usb,\s+edited/m);
    const told = await runWatchkeeper(['verify', folder, '--pin', pin, '--json']);
    assert.equal(JSON.parse(told.stdout).judgement, 'genuine');
    const file = join(folder, 'usb.jsonl');
    await writeFile(file, (await readFile(file, 'utf8')).replace('event 7"', 'event 8"'));
    const found = await runWatchkeeper(['verify', folder, '--pin', pin]);
    assert.equal(found.code, 2);
    assert.match(found.stdout, /^ALTERED: \d+ faults\n/);
    assert.match(found.stdout.replaceAll(/\s+/g, ' '), /usb\.jsonl:11: expected record 11 to name/);
    assert.match(found.stdout.replaceAll(/\s+/g, ' '), /usb\.log:10: expected the text of its records/);
    await removeFolder(folder);
    const ofOne = ['evidence', 'seat-17', folder, '--sensor', 'mounts', '--data', server.data];
    assert.match((await runWatchkeeper(ofOne)).stdout, /^GENUINE AND COMPLETE for /m);
    assert.deepEqual((await readdir(folder)).toSorted(), [
      'manifest.json',
      'manifest.sig',
      'mounts.jsonl',
      'mounts.log',
    ]);
    const byHand = verifyByHand(folder);
    assert.match(byHand, new RegExp(`^${pin.slice('wk1.'.length)}$`, 'm'));
    assert.match(byHand, /^Signature Verified Successfully$/m);
    const { chains } = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8'));
    assert.equal(byHand.trim().split('\n').at(-1), chains[0].runs[0].head);
    const again = await runWatchkeeper(ofOne);
    assert.equal(again.code, 3);
    assert.match(again.stderr, /expected a new or empty folder/);
    assert.equal((await runWatchkeeper(['verify', server.folder])).code, 3);
  });

  test('are not taken away of a time without its zone', async () => {
    const words = ['evidence', 'seat-17', join(server.folder, 'none'), '--from', '2026-12-02T08:00:00'];
    const { code, stderr } = await runWatchkeeper([...words, '--data', server.data]);
    assert.equal(code, 3);
    assert.match(stderr, /Expected a time with its zone, like 2026/);
  });

  test('begin as the configuration says, within a second of its change, and end with it', async () => {
    assert.deepEqual(seat.orders(), [{ sensors: [], by: '' }]);
    await server.configure('sensors: [{ agents: [seat-*], by: Physics department, purpose: Exam, usb: {} }]');
    const { lateMs } = await timed(() => {
      server.program.signal('SIGHUP');
      return eventually('an order', () => seat.orders().length === 2);
    });
    assert.ok(lateMs < 1000, `within a second, not ${lateMs} ms`);
    assert.deepEqual(seat.orders()[1], {
      sensors: [{ sensor: 'usb', options: {} }],
      by: 'Physics department',
      purpose: 'Exam',
    });
    await server.configure('sensors: [{ agents: [office], by: Physics department, usb: {} }]');
    server.program.signal('SIGHUP');
    await eventually('another', () => seat.orders().length === 3);
    assert.deepEqual(seat.orders()[2], { sensors: [], by: '' });
  });

  test('of a chain that was begun with another key are refused', async () => {
    const { chain } = usb.first;
    seat.line.say({ type: 'chain-begin', sensor: 'usb', chain, key: new ChainWriter().first.key });
    assert.equal(await seat.line.refusal(), 'not-your-entries');
    await eventually('an alarm', async () => (await alarmsOf(server)).includes('usb forked 0'));
  });
});
