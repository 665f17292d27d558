import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { realtimeNs } from '../src/sys/clock.ts';
import { openEbpfCounter } from '../src/sensors/traffic/ebpf-counter.ts';
import type { Counted, PeerCount, PeerCounter, SeenPacket } from '../src/sensors/traffic/peer-counter.ts';
import { ipv4Packet, udpDatagram } from '../src/testing/ip-packet.ts';
import type { LabHost } from '../src/testing/netlab.ts';
import { type InterfaceCounters, labOwn, labPeers, openPeerLab, type PeerLab } from '../src/testing/peer-lab.ts';

/** What counting per peer costs beside iftop and tcpdump under the same load, how exact it is, and how soon it tells. */

const seconds = 6;
const settleMs = 1000;
const loads = {
  'UDP 100,000 packets/s': ['-u', '-l', '64', '-b', '51.2M'],
  'TCP 1 Gbit/s': ['-b', '1G'],
} as const;
type Load = keyof typeof loads;

const firstContacts = 500;
const floodSources = 20_000;
const linkHeaderBytes = 14;

/** Reads every two seconds, as the sensor does, and prints what it counted whenever it is asked. */
const collector = (backend: 'ebpf' | 'ring'): readonly string[] => {
  const file = `${import.meta.dirname}/../src/sensors/traffic/${backend}-counter.ts`;
  const script = `
    import * as counters from '${file}';
    const open = counters.openEbpfCounter ?? counters.openRingCounter;
    const own = ${JSON.stringify(labOwn)};
    const counter = open({ own, onPacket() {} });
    setInterval(() => counter.read(), 2000);
    process.stdin.on('data', () => console.log(JSON.stringify([...counter.read(), ...counter.rest()])));
    console.log('ready');`;
  return [process.execPath, '--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script];
};

const observers = {
  'ours (ebpf)': collector('ebpf'),
  'ours (ring)': collector('ring'),
  'iftop -t': ['iftop', '-t', '-n', '-N', '-i', 'wire'],
  'tcpdump -w /dev/null': ['tcpdump', '-q', '-i', 'wire', '-w', '/dev/null'],
} as const;
type Observer = keyof typeof observers;

interface Watched {
  /** Of one core, while the load ran. */
  readonly cpuPercent: number;
  readonly packetsPerSecond: number;
  /** Between what was counted and what the interface counted; undefined where the observer does not say. */
  readonly differenceBytes: number | undefined;
}

/** One observer under one load, on hosts of its own. */
async function watch(observer: Observer, load: Load): Promise<Watched> {
  await using lab = await openPeerLab();
  const isOurs = observer.startsWith('ours');
  // Ours is there before the link, so that it and the interface count the same packets; the others need an interface.
  if (!isOurs) await lab.connect();
  using observing = start(lab.watched, observers[observer]);
  if (isOurs) {
    await observing.line();
    await lab.connect();
  }
  const server = lab.watched.run('iperf3', '-s', '-1');
  await wait(settleMs);
  const before = cpuSeconds(observing.pid);
  await lab.crowd.run('iperf3', '-c', labPeers.watched, '-t', String(seconds), ...loads[load]);
  const cpuPercent = (100 * (cpuSeconds(observing.pid) - before)) / seconds;
  await server;
  // A ring hands its last packets over a little later.
  await wait(settleMs);
  const counters = await lab.counters();
  return {
    cpuPercent,
    packetsPerSecond: (counters.receivedPackets + counters.sentPackets) / seconds,
    differenceBytes: isOurs ? difference(await observing.counts(), counters) : undefined,
  };
}

type BothWays = Pick<PeerCount, 'received' | 'sent'>;

function difference(counts: readonly BothWays[], counters: InterfaceCounters): number {
  const sum = (way: keyof BothWays, what: keyof Counted): number =>
    counts.reduce((sum, count) => sum + count[way][what], 0);
  const withHeaders = (way: keyof BothWays): number => sum(way, 'bytes') + linkHeaderBytes * sum(way, 'packets');
  const received = withHeaders('received') - counters.receivedBytes;
  const sent = withHeaders('sent') - counters.sentBytes;
  return Math.abs(received) + Math.abs(sent);
}

interface Started extends Disposable {
  readonly pid: number;
  /** The next line that it prints. */
  line(): Promise<string>;
  /** What our collector counted. */
  counts(): Promise<readonly BothWays[]>;
}

function start(host: LabHost, [program = '', ...args]: readonly string[]): Started {
  // `ip netns exec` becomes the program: the process is the same.
  const command = ['netns', 'exec', host.namespace, program, ...args];
  const child = spawn('ip', command, { stdio: ['pipe', 'pipe', 'ignore'] });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  if (child.pid === undefined) throw new Error(`${program} did not start`);
  const line = async (): Promise<string> => String((await lines.next()).value);
  return {
    pid: child.pid,
    line,
    async counts() {
      child.stdin.write('?');
      // It prints what it read.
      return JSON.parse(await line()) as readonly BothWays[];
    },
    [Symbol.dispose]: () => void child.kill(),
  };
}

/** Of all threads; schedstat counts nanoseconds, where stat counts hundredths of a second. */
function cpuSeconds(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  const nanoseconds = threads.map((thread) =>
    Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]),
  );
  return nanoseconds.reduce((sum, value) => sum + value, 0) / 1e9;
}

interface ContactFigures {
  readonly medianMs: number;
  readonly p99Ms: number;
}

/** From the moment a new peer's first packet leaves to the call that tells of it, in an otherwise idle process. */
async function firstContact(): Promise<ContactFigures> {
  await using lab = await openPeerLab();
  let contact = Promise.withResolvers<number>();
  const onPacket = ({ direction }: SeenPacket): void => {
    if (direction === 'in') contact.resolve(realtimeNs());
  };
  using _counter = openThere(lab, onPacket);
  await lab.connect();
  const timesMs: number[] = [];
  for (let peer = 0; peer < firstContacts; peer++) {
    contact = Promise.withResolvers();
    const sentNs = lab.say([datagramFrom(peer)]);
    timesMs.push(((await contact.promise) - sentNs) / 1e6);
  }
  const sorted = timesMs.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? NaN;
  return { medianMs: at(0.5), p99Ms: at(0.99) };
}

interface FloodFigures {
  readonly peers: number;
  readonly differenceBytes: number;
  /** To read all peers that there are. */
  readonly readMs: number;
}

async function flood(): Promise<FloodFigures> {
  await using lab = await openPeerLab();
  using counter = openThere(lab, () => {});
  await lab.connect();
  lab.say(Array.from({ length: floodSources }, (_, peer) => datagramFrom(peer)));
  for (;;) {
    const counters = await lab.counters();
    const startedMs = performance.now();
    const peers = counter.read();
    const readMs = performance.now() - startedMs;
    const differenceBytes = difference([...peers, ...counter.rest()], counters);
    const { receivedPackets, sentPackets } = await lab.counters();
    // What comes between the two looks, a router solicitation say, would be a difference of the bench's making.
    const wasQuiet = receivedPackets === counters.receivedPackets && sentPackets === counters.sentPackets;
    if (wasQuiet) return { peers: peers.length, differenceBytes, readMs };
  }
}

function openThere(lab: PeerLab, onPacket: (packet: SeenPacket) => void): PeerCounter {
  using _there = lab.watched.enter();
  return openEbpfCounter({ own: labOwn, onPacket });
}

function datagramFrom(peer: number): Buffer {
  const source = `10.94.${peer >> 8}.${peer & 255}`;
  const payload = udpDatagram([40_000, 9], Buffer.alloc(100));
  return ipv4Packet({ source, destination: labPeers.watched, protocol: 17, payload });
}

// The keys of a record of these names are these names.
const names = <Name extends string>(record: Readonly<Record<Name, unknown>>): Name[] => Object.keys(record) as Name[];

if (import.meta.main) {
  for (const load of names(loads))
    for (const observer of names(observers)) {
      const { cpuPercent, packetsPerSecond, differenceBytes } = await watch(observer, load);
      const exactness = differenceBytes === undefined ? '' : `, ${differenceBytes} bytes beside the interface counters`;
      const rate = `${packetsPerSecond.toFixed(0)} packets/s`;
      console.log(`${load}: ${observer} ${cpuPercent.toFixed(2)} % of a core, ${rate}${exactness}`);
    }
  const { medianMs, p99Ms } = await firstContact();
  console.log(
    `First contact to call: median ${medianMs.toFixed(2)} ms, p99 ${p99Ms.toFixed(2)} ms, of ${firstContacts}`,
  );
  const { peers, differenceBytes, readMs } = await flood();
  console.log(
    `A flood of ${floodSources} sources: ${peers} counted one by one, ${differenceBytes} bytes beside the interface ` +
      `counters, read in ${readMs.toFixed(1)} ms`,
  );
}
