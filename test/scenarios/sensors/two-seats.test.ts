import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Mount, Peer, SensorRecord } from '../../../src/core/record.ts';
import { eventually } from '../../../src/testing/eventually.ts';
import { Fleet, type FleetAgent } from '../../../src/testing/fleet.ts';
import { mountSmallDisk } from '../../../src/testing/small-disk.ts';
import { ip, labMissing } from '../../../src/testing/netlab.ts';
import { openStarLab, type Leaf, type StarLab } from '../../../src/testing/star-lab.ts';

type Traffic = Extract<SensorRecord, { readonly event: 'traffic' }>;

const internetAddress = '198.51.100.7';
const payloadBytes = 1000;
/** RFC 791 and RFC 768. */
const headerBytes = 20 + 8;

/** Each seat is watched; the server, the oracle, two seats, a neighbour and a host far away. */
const order = { agents: ['agent-*'], by: 'the test', usb: {}, mounts: {}, traffic: {} };

describe('a lab room', { skip: labMissing }, () => {
  test('E1, E3, E4, E5: two seats talk to each other, to a neighbour and to the Internet; the server’s folders show exactly what passed', async () => {
    await using lab = await openStarLab(6);
    const [server, , seat, other, neighbour, far] = lab.leaves as [Leaf, Leaf, Leaf, Leaf, Leaf, Leaf];
    await giveInternetAddress(lab, far);
    await using fleet = await Fleet.open({ agents: 2, monitorsPerAgent: 1, lab, sensors: [order] });
    const [first, second] = fleet.agents as [FleetAgent, FleetAgent];
    await eventually('both seats are watched', async () => {
      const started = [await recordsOf(fleet, first.name), await recordsOf(fleet, second.name)];
      return started.every((records) => records.some(({ event }) => event === 'sensor-started'));
    });

    await talk(seat, { to: other, address: other.address, datagrams: 30 });
    await talk(other, { to: seat, address: seat.address, datagrams: 7 });
    await talk(seat, { to: neighbour, address: neighbour.address, datagrams: 11 });
    await talk(other, { to: far, address: internetAddress, datagrams: 13 });

    const access = await eventually('the contact is told', async () =>
      (await recordsOf(fleet, first.name)).find(
        (record) => record.event === 'lan-access' && record.peer === neighbour.address,
      ),
    );
    assert.partialDeepStrictEqual(access, { direction: 'out', protocol: 'udp', port: 9999 });

    // The last record is written when the watching ends.
    fleet.watch([]);
    await eventually('the watching has ended', async () =>
      (await recordsOf(fleet, second.name)).some(({ event }) => event === 'sensor-stopped'),
    );
    await fleet.settle();

    const seatPeers = await totals(fleet, first.name);
    const otherPeers = await totals(fleet, second.name);
    assert.deepEqual(seatPeers.get(other.address), { class: 'intranet', total: [sizeOf(30), sizeOf(7)] });
    assert.deepEqual(otherPeers.get(seat.address), { class: 'intranet', total: [sizeOf(7), sizeOf(30)] });
    assert.deepEqual(seatPeers.get(neighbour.address), { class: 'intranet', total: [sizeOf(11), 0] });
    assert.deepEqual(otherPeers.get(internetAddress), { class: 'internet', total: [sizeOf(13), 0] });
    assert.equal(seatPeers.has(internetAddress), false);
    assert.equal(otherPeers.has(neighbour.address), false);
    assert.ok(seatPeers.has(server.address), 'the line to the server is traffic as well');
    const met = (await recordsOf(fleet, first.name)).flatMap((record) => ('peer' in record ? record.peer : []));
    assert.equal(met.includes(server.address), false, 'and no news');

    for (const [leaf, peer] of [
      [seat, neighbour.address],
      [other, internetAddress],
    ] as const) {
      const files = globSync(join(fleet.serverFolder, 'clients', leaf.address, '*.log'));
      const text = files.map((file) => readFileSync(file, 'utf8')).join('\n');
      assert.ok(text.includes(peer), `the folder of ${leaf.address} tells of ${peer}:\n${text}`);
      assert.match(text, /last 2 s +last 10 s +last 40 s +cumulative/);
    }
    assert.deepEqual((await fleet.ask<{ readonly alarms: readonly unknown[] }>('/alarms')).alarms, []);
  });
});

test('E2: a file system that is mounted on a seat is told with device, mount point, type and options; so is its end', async (t) => {
  await using fleet = await Fleet.open({ agents: 1, monitorsPerAgent: 1, sensors: [order] });
  /** What was said so far of this mount point. */
  const told = async (event: string, mountpoint: string): Promise<Mount | undefined> =>
    (await recordsOf(fleet, 'agent-1'))
      .flatMap((record) => ('mount' in record && record.event === event ? record.mount : []))
      .find((mount) => mount.mountpoint === mountpoint);
  await eventually('the seat is watched', async () =>
    (await recordsOf(fleet, 'agent-1')).some(({ event }) => event === 'mount-present'),
  );
  assert.match(fleet.agents[0]?.program.said ?? '', /Collected of this machine: usb, mounts, traffic; by the test\./);

  const mountedAt = performance.now();
  const disk = await mountSmallDisk();
  if (!disk) return t.skip('a file system of its own needs root and loop devices');
  await using _disk = disk;
  const mount = await eventually('the mount is told', () => told('mounted', disk.path));
  t.diagnostic(`told ${Math.round(performance.now() - mountedAt)} ms after mkfs and mount began`);
  assert.partialDeepStrictEqual(mount, { fstype: 'ext4', kind: 'loop' });
  assert.match(mount.device, /^\/dev\/loop\d+$/);
  assert.match(mount.options, /^rw,/);
  await disk[Symbol.asyncDispose]();
  await eventually('the end is told', () => told('unmounted', disk.path));

  const line = `device=${mount.device}, mountpoint=${disk.path}, fstype=ext4, opts=rw`;
  await eventually('the server’s folder has the line', () =>
    globSync(join(fleet.serverFolder, 'clients', '127.0.0.1', '*.log')).some((file) =>
      readFileSync(file, 'utf8').includes(line),
    ),
  );
});

function sizeOf(datagrams: number): number {
  return datagrams * (headerBytes + payloadBytes);
}

async function giveInternetAddress(lab: StarLab, far: Leaf): Promise<void> {
  await ip(far, `address add ${internetAddress}/32 dev lo`);
  await ip(lab.hub, `route add ${internetAddress}/32 via ${far.address}`);
}

interface Talk {
  readonly to: Leaf;
  readonly address: string;
  readonly datagrams: number;
}

/** Sends datagrams and waits until all of them have arrived. */
async function talk(from: Leaf, { to, address, datagrams }: Talk): Promise<void> {
  const take = `
    let left = ${datagrams};
    const socket = require('node:dgram').createSocket('udp4', () => --left || socket.close());
    socket.bind(9999, '${address}', () => console.log('ready'));
    setTimeout(() => process.exit(1), 20_000).unref();`;
  const give = `
    const socket = require('node:dgram').createSocket('udp4');
    let left = ${datagrams};
    const send = () => left-- ? socket.send(Buffer.alloc(${payloadBytes}), 9999, '${address}', send) : socket.close();
    setTimeout(send, 500);`;
  await Promise.all([to.run(process.execPath, '-e', take), from.run(process.execPath, '-e', give)]);
}

async function recordsOf(fleet: Fleet, agent: string): Promise<readonly SensorRecord[]> {
  const times = `from=${new Date(0).toISOString()}&to=${new Date(Date.now() + 60_000).toISOString()}`;
  const { records } = await fleet.ask<{ readonly records: readonly { readonly record: SensorRecord }[] }>(
    `/records?agent=${agent}&limit=1000&${times}`,
  );
  return records.map(({ record }) => record);
}

/** By the address of the peer: the last that was said of it. */
async function totals(fleet: Fleet, agent: string): Promise<Map<string, Pick<Peer, 'class' | 'total'>>> {
  const traffic = (await recordsOf(fleet, agent)).filter((record): record is Traffic => record.event === 'traffic');
  return new Map(
    traffic.flatMap(({ peers }) => peers.map((peer) => [peer.address, { class: peer.class, total: peer.total }])),
  );
}
