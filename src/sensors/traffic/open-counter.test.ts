import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { eventually } from '../../testing/eventually.ts';
import { ipv4Packet, udpDatagram } from '../../testing/ip-packet.ts';
import { labMissing } from '../../testing/netlab.ts';
import { labOwn, labPeers, openPeerLab, type PeerLab } from '../../testing/peer-lab.ts';
import { openEbpfCounter } from './ebpf-counter.ts';
import type { PeerCount, SeenPacket } from './peer-counter.ts';
import { openRingCounter } from './ring-counter.ts';

const anyPacket = fc
  .record({
    source: fc.integer({ min: 1, max: 20 }),
    protocol: fc.constantFrom(1, 6, 17, 47, 253),
    ports: fc.tuple(fc.constantFrom(53, 5353, 443, 9), fc.constantFrom(443, 8443, 9)),
    data: fc.uint8Array({ maxLength: 400 }),
    cutTo: fc.constantFrom(0, 3, 12, 13, 14, 400),
    fragmentOffset: fc.constantFrom(0, 0, 100, 0x2000),
  })
  .map(({ source, protocol, ports, data, cutTo, fragmentOffset }) => {
    const payload = udpDatagram(ports, Buffer.from(data)).subarray(0, cutTo);
    return ipv4Packet({
      source: `10.94.0.${source}`,
      destination: labPeers.watched,
      protocol,
      payload,
      fragmentOffset,
    });
  });

test(
  'whatever packets come, both ways to count agree on bytes and on what is handed up',
  { skip: labMissing },
  async () => {
    await using lab = await openPeerLab();
    const seen: Record<string, string[]> = { ebpf: [], ring: [] };
    const opened = [openEbpfCounter, openRingCounter].map((open) => {
      using _there = lab.watched.enter();
      const counter = open({ own: labOwn, onPacket: (packet) => seen[counter.backend]?.push(textOf(packet)) });
      return counter;
    });
    await lab.connect();
    for (const packets of fc.sample(fc.array(anyPacket, { minLength: 100, maxLength: 100 }), 10)) {
      lab.say(packets);
      await eventually('both have counted the same', () => {
        const [ebpf, ring] = opened.map((counter) => counter.read().map(taps).toSorted());
        assert.deepEqual(ebpf, ring);
        assert.deepEqual(seen['ebpf']?.toSorted(), seen['ring']?.toSorted());
        return true;
      });
    }
    for (const counter of opened) counter[Symbol.dispose]();
  },
);

function textOf({ interfaceIndex, direction, mac, bytes }: SeenPacket): string {
  return `${interfaceIndex} ${direction} ${mac} ${bytes.toString('hex')}`;
}

function taps({ interfaceIndex, address, received, sent }: PeerCount): string {
  return JSON.stringify([interfaceIndex, address, received.bytes, received.packets, sent.bytes, sent.packets]);
}

const script = `
  import { openPeerCounter } from '${import.meta.dirname}/open-counter.ts';
  const { state, message, counter } = openPeerCounter({ own: { addresses: [], broadcasts: [], ports: [] }, onPacket() {} });
  console.log(JSON.stringify({ state, message, backend: counter?.backend }));
  counter?.[Symbol.dispose]();
`;

/** What a counter says of itself, opened on a machine as user 65534 with these capabilities and no others. */
async function openedWith(lab: PeerLab, capabilities: string): Promise<Record<string, string>> {
  const user = ['--reuid', '65534', '--regid', '65534', '--clear-groups'];
  const rights = ['--inh-caps', capabilities, '--ambient-caps', capabilities, '--bounding-set', capabilities];
  const node = [process.execPath, '--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script];
  return JSON.parse(await lab.watched.run('setpriv', ...user, ...rights, ...node)) as Record<string, string>;
}

test('the kernel counts for a user with CAP_NET_RAW and CAP_BPF and nothing else', { skip: labMissing }, async () => {
  await using lab = await openPeerLab();
  const { state, backend } = await openedWith(lab, '-all,+net_raw,+bpf');
  assert.deepEqual([state, backend], ['running', 'ebpf']);
});

test('without CAP_BPF a ring counts, and what is missing and what it costs is said', { skip: labMissing }, async () => {
  await using lab = await openPeerLab();
  const { state, backend, message = '' } = await openedWith(lab, '-all,+net_raw');
  assert.deepEqual([state, backend], ['limited', 'ring']);
  assert.match(message, /^ring: .* of a core .* too low .*bpf: EPERM.* CAP_BPF/);
  assert.ok(message.length <= 300, 'it fits a record');
});

test('without any capability nothing is counted, and what to do is said', { skip: labMissing }, async () => {
  await using lab = await openPeerLab();
  const { state, backend, message = '' } = await openedWith(lab, '-all');
  assert.deepEqual([state, backend], ['unavailable', undefined]);
  assert.match(message, /socket: EPERM.* Root may; another user needs CAP_NET_RAW/);
});
