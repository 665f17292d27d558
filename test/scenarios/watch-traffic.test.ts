import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { sensorRecord, type Peer, type SensorRecord } from '../../src/core/record.ts';
import { encodeMessage } from '../../src/net/packets/dns/message.ts';
import { eventually } from '../../src/testing/eventually.ts';
import { ipv4Packet, udpDatagram } from '../../src/testing/ip-packet.ts';
import { labMissing } from '../../src/testing/netlab.ts';
import { crowdMac, labPeers, openPeerLab, type PeerLab } from '../../src/testing/peer-lab.ts';
import { Watchkeeper } from '../../src/testing/watchkeeper.ts';
import { executable, Terminal } from './terminal.ts';

const skip = labMissing;

/** The program on the watched host, which counts before there is a link. */
async function openWatched(...words: readonly string[]): Promise<{ lab: PeerLab; watch: Watchkeeper }> {
  const lab = await openPeerLab();
  const start = (): Watchkeeper => {
    using _there = lab.watched.enter();
    return new Watchkeeper(['watch', 'traffic', ...words]);
  };
  const watch = start();
  await watch.until(/running/);
  await lab.connect();
  return { lab, watch };
}

function datagram(source: string, bytes: number): Buffer {
  const payload = udpDatagram([40_000, 9], Buffer.alloc(bytes));
  return ipv4Packet({ source, destination: labPeers.watched, protocol: 17, payload });
}

/** What a DNS server says: the name is an alias, and its target has the address. */
function dnsAnswer(name: string, address: string): Buffer {
  const answers = [
    { name, type: 'CNAME', ttlSeconds: 60, data: 'edge.example.net' },
    { name: 'edge.example.net', type: 'A', ttlSeconds: 60, data: address },
  ];
  const rest = { id: 1, opcode: 0, rcode: 0, authorities: [], additionals: [] };
  const message = encodeMessage({ ...rest, flags: ['qr'], questions: [{ name, type: 'A' }], answers });
  const packet = { source: labPeers.crowd, destination: labPeers.watched, protocol: 17 };
  return ipv4Packet({ ...packet, payload: udpDatagram([53, 40_000], message) });
}

type KnownPeer = { readonly [Key in 'names' | 'class' | 'mac' | 'total']: Peer[Key] | undefined };

interface Shown {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly record: SensorRecord;
}

function shownBy({ stdout }: Watchkeeper): readonly Shown[] {
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => {
      const { at, ...record } = JSON.parse(line) as { readonly at: string };
      return { at: Date.parse(at), record: sensorRecord.parse(record) };
    });
}

test(
  'E3, SG3: each peer is shown by class and MAC with its bytes, and a name that nobody asked for with none; they sum up to the interface counters, 0 bytes apart',
  { skip },
  async () => {
    const { lab, watch } = await openWatched('--json');
    await using _lab = lab;
    await using _watch = watch;
    lab.say([dnsAnswer('www.example.org', '203.0.113.7'), datagram('203.0.113.7', 972), datagram('10.94.1.2', 72)]);
    await lab.crowd.run('ping', '-c', '3', '-i', '0.2', labPeers.watched6);
    watch.signal('SIGINT');
    assert.equal(await watch.end(), 0);
    const record = shownBy(watch).at(-1)?.record;
    assert.ok(record?.event === 'traffic');
    const [link] = record.interfaces;
    assert.equal(link?.name, 'wire');
    assert.ok(link.addresses.includes(labPeers.watched) && link.addresses.includes(labPeers.watched6));
    assert.match(link.mac ?? '', /^[\da-f]{2}(:[\da-f]{2}){5}$/);
    assert.ok(link.check);
    assert.deepEqual(link.check.counted, link.check.counter);
    const known = (address: string): KnownPeer => {
      const { names, class: peerClass, mac, total } = record.peers.find((peer) => peer.address === address) ?? {};
      return { names, class: peerClass, mac, total };
    };
    assert.deepEqual(known('203.0.113.7'), {
      // Nobody has asked.
      names: undefined,
      class: 'internet',
      mac: undefined,
      total: [0, 1000],
    });
    assert.deepEqual(known('10.94.1.2').total?.[1], 100);
    const { class: peerClass, mac, total = [0, 0] } = known(labPeers.crowd6);
    assert.deepEqual([peerClass, mac], ['intranet', crowdMac]);
    assert.ok(Math.min(...total) >= 3 * 104, 'three echoes of 104 bytes each way');
  },
);

test('E4: the first packet of a peer of the local network is told within 100 ms', { skip }, async (t) => {
  const { lab, watch } = await openWatched('--json');
  await using _lab = lab;
  await using _watch = watch;
  const sentAt = Date.now();
  lab.say([datagram('10.94.1.2', 72)]);
  await watch.until(/10\.94\.1\.2/);
  const { at = 0, record } = shownBy(watch).find(({ record }) => 'peer' in record && record.peer === '10.94.1.2') ?? {};
  t.diagnostic(`packet to line: ${at - sentAt} ms`);
  assert.ok(at - sentAt < 100);
  assert.deepEqual(record, {
    event: 'lan-access',
    interface: 'wire',
    peer: '10.94.1.2',
    class: 'intranet',
    direction: 'in',
    protocol: 'udp',
    port: 9,
  });
});

test('E3: the cumulative bytes of a peer are those that iftop shows, to the digits that it has', { skip }, async () => {
  const { lab, watch } = await openWatched('--json');
  await using _lab = lab;
  await using _watch = watch;
  const iftop = iftopOn(lab);
  await eventually('iftop listens', () => iftop.text.includes('Listening on'));
  lab.say(Array.from({ length: 200 }, () => datagram('203.0.113.7', 972)));
  // Its clock stands still while no packet comes.
  while (iftop.isRunning) {
    lab.say([datagram('203.0.113.8', 10)]);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  watch.signal('SIGINT');
  await watch.end();
  const record = shownBy(watch).at(-1)?.record;
  assert.ok(record?.event === 'traffic');
  const total = record.peers.find(({ address }) => address === '203.0.113.7')?.total;
  assert.deepEqual(total, [0, 200_000]);
  const [, kilobytes] = /203\.0\.113\.7 .* (\d+)KB\n/.exec(iftop.text) ?? [];
  assert.equal(Math.round(200_000 / 1024), Number(kilobytes), iftop.text);
});

/** iftop as it prints once, after four seconds. */
function iftopOn({ watched }: PeerLab): { readonly text: string; readonly isRunning: boolean } {
  const words = ['stdbuf', '-oL', 'iftop', '-t', '-s', '4', '-n', '-N', '-B', '-i', 'wire'];
  const program = spawn('ip', ['netns', 'exec', watched.namespace, ...words], { timeout: 20_000 });
  const state = { text: '', isRunning: true };
  program.stdout.setEncoding('utf8').on('data', (text: string) => (state.text += text));
  program.on('close', () => (state.isRunning = false));
  return state;
}

test(
  'E3: on a terminal the peers are a table in place, sorted by what passes now; Ctrl-C leaves it and prints what there was',
  { skip },
  async () => {
    await using lab = await openPeerLab();
    await lab.connect();
    using terminal = new Terminal(`ip netns exec ${lab.watched.namespace} ${executable} watch traffic --sort total`);
    await terminal.until(/q ends, \? keys/);
    lab.say([datagram('203.0.113.7', 1372), datagram('10.94.1.2', 272)]);
    const screen = await terminal.until(
      / 1 203\.0\.113\.7 [^]*\n +internet +<= .* 1\.40 kB\n +2 10\.94\.1\.2 [^]* peers/,
    );
    assert.match(screen, /^Interface: wire +IP address is: 10\.93\.0\.1 +MAC address is: /);
    assert.match(screen, /10\.94\.1\.2 contacted this machine on UDP port 9; wire/);
    terminal.press('C-c');
    const after = await terminal.until(/exit=0/);
    assert.match(after, /traffic of \d+\.\d s\nInterface: wire/);
  },
);

for (const [columns, rows] of [
  [60, 20],
  [100, 40],
] as const)
  test(
    `SG14: on a terminal of ${columns} x ${rows} keys sort, filter, freeze, scroll and end it`,
    { skip },
    async () => {
      await using lab = await openPeerLab();
      await lab.connect();
      const command = `ip netns exec ${lab.watched.namespace} ${executable} watch traffic --sort total`;
      using terminal = new Terminal(command, { columns, rows });
      await terminal.until(/q ends, \? keys/);
      lab.say([datagram('203.0.113.7', 1372), datagram('203.0.113.8', 1272), datagram('10.94.1.2', 272)]);
      await terminal.until(/ 1 203\.0\.113\.7 [^]* 2 203\.0\.113\.8 /);
      terminal.press('Down');
      await terminal.until(/cumulative\n +2 203\.0\.113\.8 /);
      terminal.press('Up', '/', '1', '0', '.', '9', '4', 'Enter');
      const filtered = await terminal.until(/only "10\.94"[^]* 1 peer/);
      assert.doesNotMatch(filtered, /^ +\d+ 203\./m);
      assert.match(filtered, / 1 10\.94\.1\.2 /);
      terminal.press('p');
      await terminal.until(/< udp 9 +<=/);
      terminal.press('p', 'Escape', 'b');
      await terminal.until(/ B\/s/);
      terminal.press('Space');
      await terminal.until(/q ends, \? keys; frozen/);
      lab.say([datagram('203.0.113.9', 1400), datagram('203.0.113.9', 1400)]);
      terminal.press('?');
      await terminal.until(/space +freezes the table/);
      terminal.press('?');
      assert.doesNotMatch(await terminal.until(/ 1 203\.0\.113\.7 /), /203\.0\.113\.9 +=>/);
      terminal.press('Space');
      await terminal.until(/ 1 203\.0\.113\.9 /);
      terminal.press('q');
      await terminal.until(/exit=0/);
    },
  );

test('where this process may not see packets, it says what is missing and exits with 3', { skip }, async () => {
  await using lab = await openPeerLab();
  const said = await lab.watched
    .run('setpriv', '--bounding-set=-net_raw', executable, 'watch', 'traffic')
    .catch((error: { readonly code: number; readonly stderr: string }) => error);
  assert.ok(typeof said === 'object', 'it must not run');
  assert.equal(said.code, 3);
  assert.match(said.stderr, /^watchkeeper: Traffic is not counted: .*CAP_NET_RAW/);
});
