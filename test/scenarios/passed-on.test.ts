import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { sensorRecord, type SensorRecord } from '../../src/core/record.ts';
import { eventually } from '../../src/testing/eventually.ts';
import { create, ip, type LabHost, labHost, labMissing, removeHosts } from '../../src/testing/netlab.ts';
import { Watchkeeper } from '../../src/testing/watchkeeper.ts';

/** A watched host between a host of the local network and a container (or a laptop) behind it, in three namespaces. */
class Lab implements AsyncDisposable {
  static #count = 0;
  readonly #prefix = `wk-passed-${process.pid}-${++Lab.#count}`;
  readonly watched = labHost(`${this.#prefix}-a`);
  readonly lan = labHost(`${this.#prefix}-b`);
  readonly behind = labHost(`${this.#prefix}-c`);

  static async open(): Promise<Lab> {
    const lab = new Lab();
    for (const host of [lab.watched, lab.lan, lab.behind]) await create(host);
    await ip(
      lab.watched,
      `link add eth0 type veth peer name eth0 netns ${lab.lan.namespace}`,
      `link add veth0 type veth peer name eth0 netns ${lab.behind.namespace}`,
    );
    return lab;
  }

  watch(...words: readonly string[]): Watchkeeper {
    using _there = this.watched.enter();
    return new Watchkeeper(['watch', 'traffic', '--json', ...words]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await removeHosts([this.watched, this.lan, this.behind]);
  }
}

async function route(lab: Lab): Promise<void> {
  await ip(
    lab.watched,
    'address add 10.88.0.1/24 dev eth0',
    'address add fd88::1/64 dev eth0 nodad',
    'address add 10.99.0.1/24 dev veth0',
    'address add fd99::1/64 dev veth0 nodad',
    'link set eth0 up',
    'link set veth0 up',
  );
  await addresses(lab.lan, 88, 2);
  await addresses(lab.behind, 99, 2);
}

async function addresses(host: LabHost, network: number, end: number): Promise<void> {
  await ip(
    host,
    `address add 10.${network}.0.${end}/24 dev eth0`,
    `address add fd${network}::${end}/64 dev eth0 nodad`,
    'link set eth0 up',
    `route add default via 10.${network}.0.1`,
    `route add ::/0 via fd${network}::1`,
  );
}

async function bridge({ watched, lan, behind }: Lab): Promise<void> {
  await ip(watched, 'link add br0 type bridge', 'link set eth0 master br0', 'link set veth0 master br0');
  for (const name of ['eth0', 'veth0', 'br0']) await ip(watched, `link set ${name} up`);
  await ip(watched, 'address add 10.88.0.1/24 dev br0', 'address add fd88::1/64 dev br0 nodad');
  await addresses(lan, 88, 2);
  await addresses(behind, 88, 3);
}

/** nft counts at the hook that every packet of the watched host passes. */
async function countWith(host: LabHost, rule: string): Promise<void> {
  await host.run(
    'nft',
    `table inet witness {\nchain c {\ntype filter hook forward priority 0;\n${rule} counter\n}\n}\n`,
  );
}

async function countedBytes(host: LabHost): Promise<number> {
  const [, bytes = 'none'] =
    /counter packets \d+ bytes (\d+)/.exec(await host.run('nft', 'list table inet witness')) ?? [];
  return Number(bytes);
}

async function untilReady(host: LabHost, ...targets: readonly string[]): Promise<void> {
  for (const target of targets) await host.run('ping', '-n', '-c', '1', '-i', '0.2', '-w', '15', target);
}

async function recordsOf(watch: Watchkeeper): Promise<readonly SensorRecord[]> {
  watch.signal('SIGINT');
  assert.equal(await watch.end(), 0);
  return watch.stdout
    .trimEnd()
    .split('\n')
    .map((line) => {
      const { at: _at, ...record } = JSON.parse(line) as { readonly at: string };
      return sensorRecord.parse(record);
    });
}

function eventsOf(records: readonly SensorRecord[], ...events: readonly string[]): readonly string[] {
  return records.flatMap((record) => {
    if (!events.includes(record.event)) return [];
    if (record.event === 'passed-on') return `passed-on ${record.source} ${record.destination} ${record.interface}`;
    return 'peer' in record ? `${record.event} ${record.peer}` : record.event;
  });
}

type Traffic = Extract<SensorRecord, { event: 'traffic' }>;

function trafficIn(records: readonly SensorRecord[]): Traffic {
  return records.findLast((record) => record.event === 'traffic') ?? assert.fail('there is no record of traffic');
}

describe('what a watched machine passes on', { skip: labMissing }, () => {
  for (const [family, prefix, target] of [
    ['IPv4', '10.', '10.88.0.2'],
    ['IPv6', 'fd', 'fd88::2'],
  ] as const)
    test(`SG1: a router: ${family} of a host behind it is apart, an event, and no contact; nft counts the same`, async () => {
      await using lab = await Lab.open();
      await route(lab);
      await untilReady(lab.behind, '10.88.0.2', 'fd88::2');
      await countWith(lab.watched, `oifname eth0 ${family === 'IPv4' ? 'ip' : 'ip6'} daddr ${target}`);
      await using watch = lab.watch();
      await watch.until(/"running"/);
      await lab.behind.run('ping', '-n', '-c', '5', '-i', '0.2', '-s', '1000', target);
      await watch.until(/"passed-on"/);
      const records = await recordsOf(watch);
      const [first] = eventsOf(records, 'passed-on');
      const source = family === 'IPv4' ? '10.99.0.2' : 'fd99::2';
      assert.equal(first, `passed-on ${source} ${target} eth0`);
      assert.deepEqual(
        eventsOf(records, 'lan-access', 'forbidden-peer').filter((event) => event.includes(` ${prefix}`)),
        [],
      );
      const { passedOn = [], peers } = trafficIn(records);
      const sent = passedOn.filter((pair) => pair.source === source && pair.destination === target);
      assert.deepEqual(
        sent.map(({ interface: name, wire }) => [name, wire]),
        [['eth0', await countedBytes(lab.watched)]],
      );
      assert.equal(
        peers.some(({ address }) => address === target || address === source),
        false,
        'one transfer, once',
      );
    });

  test('SG1: masqueraded traffic is the seat’s, and who it is passed on for is told', async () => {
    await using lab = await Lab.open();
    await route(lab);
    await lab.watched.run(
      'nft',
      'table ip nat {\nchain post {\ntype nat hook postrouting priority 100;\noifname eth0 masquerade\n}\n}\n',
    );
    await untilReady(lab.behind, '10.88.0.2');
    await using watch = lab.watch();
    await watch.until(/"running"/);
    await lab.behind.run('ping', '-n', '-c', '3', '-i', '0.2', '10.88.0.2');
    await watch.until(/"passed-on"/);
    const records = await recordsOf(watch);
    assert.deepEqual(eventsOf(records, 'passed-on'), ['passed-on 10.88.0.2 10.99.0.2 veth0']);
    assert.deepEqual(eventsOf(records, 'lan-access'), ['lan-access 10.88.0.2']);
    const peer = trafficIn(records).peers.find(({ address }) => address === '10.88.0.2');
    assert.deepEqual([peer?.interface, peer?.total], ['eth0', [252, 252]]);
  });

  test('SG1: a bridge: what crosses it is passed on, what is the machine’s own is counted once; ports are marked', async () => {
    await using lab = await Lab.open();
    await bridge(lab);
    await untilReady(lab.behind, '10.88.0.2', '10.88.0.1');
    await using watch = lab.watch();
    await watch.until(/"running"/);
    await lab.behind.run('ping', '-n', '-c', '3', '-i', '0.2', '10.88.0.2');
    await watch.until(/"passed-on"/);
    const before = watch.stdout;
    assert.doesNotMatch(before, /"lan-access".*"10\./);
    await lab.lan.run('ping', '-n', '-c', '4', '-i', '0.2', '10.88.0.1');
    await watch.until(/"lan-access"/);
    const records = await recordsOf(watch);
    assert.deepEqual(eventsOf(records, 'passed-on').toSorted().slice(0, 1), ['passed-on 10.88.0.3 10.88.0.2 eth0']);
    assert.deepEqual(eventsOf(records, 'lan-access'), ['lan-access 10.88.0.2']);
    const { peers, passedOn = [], interfaces } = trafficIn(records);
    const known = peers.filter(({ address }) => address.startsWith('10.'));
    assert.deepEqual(
      known.map(({ interface: name, address, total }) => [name, address, total]),
      [['br0', '10.88.0.2', [336, 336]]],
    );
    assert.deepEqual(
      passedOn
        .filter(({ destination }) => destination.startsWith('10.'))
        .map(({ interface: name, source, destination, wire }) => `${name} ${source} ${destination} ${wire}`)
        .toSorted(),
      ['eth0 10.88.0.3 10.88.0.2 252', 'veth0 10.88.0.2 10.88.0.3 252'],
    );
    const ports = interfaces.filter(({ portOf }) => portOf === 'br0').map(({ name }) => name);
    assert.deepEqual(ports.toSorted(), ['eth0', 'veth0']);
  });

  test('SG1: a macvlan on the same machine is counted once', async () => {
    await using lab = await Lab.open();
    // Else eth0 answers for the address of mv0 too, and what comes to its MAC never passes mv0.
    await lab.watched.run('sysctl', '-q', '-w', 'net.ipv4.conf.all.arp_ignore=1');
    await ip(
      lab.watched,
      'link set eth0 up',
      'link add link eth0 name mv0 type macvlan mode bridge',
      'address add 10.88.0.1/24 dev mv0',
      'link set mv0 up',
    );
    await addresses(lab.lan, 88, 2);
    await untilReady(lab.lan, '10.88.0.1');
    await using watch = lab.watch();
    await watch.until(/"running"/);
    await lab.lan.run('ping', '-n', '-c', '3', '-i', '0.2', '10.88.0.1');
    await watch.until(/"lan-access"/);
    const records = await recordsOf(watch);
    assert.deepEqual(eventsOf(records, 'passed-on'), []);
    assert.deepEqual(
      trafficIn(records)
        .peers.filter(({ address }) => address === '10.88.0.2')
        .map(({ interface: name, total }) => [name, total]),
      [['mv0', [252, 252]]],
    );
  });

  test('SG1: a frame with the tag of a VLAN that the machine does not have is no peer’s', async () => {
    await using lab = await Lab.open();
    await route(lab);
    await untilReady(lab.lan, '10.88.0.1');
    await using watch = lab.watch();
    await watch.until(/"running"/);
    const tagged = `
import socket
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); s.bind(('eth0', 0))
ip = bytes.fromhex('4500001c00010000401100000a5800090a580001') + bytes.fromhex('9c40000900080000')
s.send(bytes.fromhex('ffffffffffff020000000009') + bytes.fromhex('8100000a0800') + ip)
s.send(bytes.fromhex('ffffffffffff020000000009') + bytes.fromhex('0800') + ip.replace(bytes.fromhex('0a580009'), bytes.fromhex('0a58000a')))`;
    await lab.lan.run('python3', '-c', tagged);
    await watch.until(/10\.88\.0\.10"/);
    const { peers } = trafficIn(await recordsOf(watch));
    assert.equal(
      peers.some(({ address }) => address === '10.88.0.9'),
      false,
    );
  });

  test('SG4: a hotspot is told at once, and its gateway is no gateway of the start', async () => {
    await using lab = await Lab.open();
    await addresses(lab.lan, 88, 2);
    await ip(lab.watched, 'address add 10.88.0.1/24 dev eth0', 'link set eth0 up', 'route add default via 10.88.0.2');
    await untilReady(lab.watched, '10.88.0.2');
    await using watch = lab.watch();
    await watch.until(/"running"/);
    await addresses(lab.behind, 77, 9);
    await ip(
      lab.watched,
      'link set veth0 down',
      'link set veth0 name usb0',
      'address add 10.77.0.1/24 dev usb0',
      'link set usb0 up',
      'route replace default via 10.77.0.9',
    );
    await watch.until(/"default-route","value":"via 10\.77\.0\.9 on usb0","before":"via 10\.88\.0\.2 on eth0"/);
    await lab.watched.run('ping', '-n', '-c', '1', '-w', '9', '10.77.0.9');
    await watch.until(/"lan-access".*"10\.77\.0\.9"/);
    await lab.watched.run('ping', '-n', '-c', '1', '-w', '9', '10.88.0.2');
    const records = await recordsOf(watch);
    assert.deepEqual(eventsOf(records, 'lan-access', 'passed-on'), ['lan-access 10.77.0.9']);
    const changes = records.flatMap((record) =>
      record.event === 'surroundings' && record.change !== 'present'
        ? `${record.change} ${record.kind} ${record.value}`
        : [],
    );
    assert.ok(changes.includes('appeared address 10.77.0.1/24'), changes.join('\n'));
  });

  test('SG13: a peer that takes another MAC address is told', async () => {
    await using lab = await Lab.open();
    await route(lab);
    await ip(lab.lan, 'link set eth0 down', 'link set eth0 address 02:00:00:00:88:02', 'link set eth0 up');
    await untilReady(lab.watched, '10.88.0.2');
    await using watch = lab.watch();
    await watch.until(/"running"/);
    await lab.watched.run('ping', '-n', '-c', '1', '-w', '9', '10.88.0.2');
    await watch.until(/"lan-access"/);
    await ip(lab.lan, 'link set eth0 down', 'link set eth0 address 02:00:00:00:88:99', 'link set eth0 up');
    await lab.lan.run('ping', '-n', '-c', '3', '-i', '0.5', '-w', '9', '10.88.0.1').catch(() => {});
    await watch.until(/"peer-mac".*"before":"02:00:00:00:88:02","now":"02:00:00:00:88:99"/);
    await recordsOf(watch);
  });

  test('SG2: a process that stood still for three seconds makes no contact of others’ multicast', async () => {
    await using lab = await Lab.open();
    await route(lab);
    await untilReady(lab.lan, '10.88.0.1', 'fd88::1');
    await using watch = lab.watch();
    await watch.until(/"running"/);
    watch.signal('SIGSTOP');
    const talk = `
import socket
for n in range(100, 115):
  s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); s.bind(('eth0', 0))
  for to, mac in (('e00000fb', '01005e0000fb'), ('0a5800ff', 'ffffffffffff'), ('ffffffff', 'ffffffffffff')):
    head = bytes.fromhex('4500041c0001000040110000' + '0a5800%02x' % n + to)
    udp = bytes.fromhex('14e914e904080000') + bytes(1024)
    for _ in range(40): s.send(bytes.fromhex(mac + '0200000000%02x' % n + '0800') + head + udp)`;
    await lab.lan.run('python3', '-c', talk);
    // So long the process stands still: the time is what is tested.
    await new Promise((resolve) => setTimeout(resolve, 3000));
    watch.signal('SIGCONT');
    await lab.lan.run('ping', '-n', '-c', '1', '10.88.0.1');
    await watch.until(/"lan-access"/);
    const records = await recordsOf(watch);
    assert.deepEqual(eventsOf(records, 'lan-access'), ['lan-access 10.88.0.2']);
    const { peers } = trafficIn(records);
    await eventually(
      'all fifteen are in the record',
      () => peers.filter(({ isAnnouncer }) => isAnnouncer).length >= 15,
    );
  });
});
