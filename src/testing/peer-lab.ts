import { encodeAddress } from '../sys/address.ts';
import { closeSocket, openSocket, sendTo, SOCK_RAW } from '../sys/socket.ts';
import type { MachineEnds } from '../sensors/traffic/peer-counter.ts';
import { create, ip, labHost, removeHosts, type LabHost } from './netlab.ts';

/** What an interface itself counted since it is there. */
export interface InterfaceCounters {
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly receivedPackets: number;
  readonly sentPackets: number;
}

/**
 * Two hosts and a link between them: one that is watched (10.93.0.1, fd93::1), and one that can be a crowd (10.93.0.2,
 * fd93::2): all addresses of 10.94.0.0/16 are its own as well.
 */
export interface PeerLab extends AsyncDisposable {
  readonly watched: LabHost;
  readonly crowd: LabHost;
  /** Lays the link. What watches from before sees each packet that the interface counts. */
  connect(): Promise<void>;
  /** Of the watched host's end, which is its interface 2. */
  counters(): Promise<InterfaceCounters>;
  /** Sends what the crowd says: whole IPv4 packets, whatever their source. Returns when the last one left: `realtimeNs`. */
  say(packets: readonly Buffer[]): number;
}

export const labPeers = { watched: '10.93.0.1', crowd: '10.93.0.2', watched6: 'fd93::1', crowd6: 'fd93::2' } as const;
/** By which the watched host's packets are known as its own. */
export const labOwn: MachineEnds = {
  addresses: [{ address: labPeers.watched }, { address: labPeers.watched6 }],
  broadcasts: ['10.93.0.255', '0.0.0.0', '::'],
  ports: [],
};
export const watchedInterface = 2;
/** The crowd's address on the link. */
export const crowdMac = '02:00:00:00:93:02';

let labs = 0;

export async function openPeerLab(): Promise<PeerLab> {
  const prefix = `watchkeeper-peers-${process.pid}-${++labs}`;
  const [watched, crowd] = [labHost(`${prefix}-watched`), labHost(`${prefix}-crowd`)];
  const dispose = (): Promise<void> => removeHosts([watched, crowd]);
  try {
    await create(watched);
    await create(crowd);
  } catch (error) {
    await dispose();
    throw error;
  }
  return {
    watched,
    crowd,
    connect: () => connect(watched, crowd),
    counters: () => readCounters(watched),
    say: (packets) => say(crowd, packets),
    [Symbol.asyncDispose]: dispose,
  };
}

async function connect(watched: LabHost, crowd: LabHost): Promise<void> {
  await ip(
    watched,
    `link add wire index ${watchedInterface} type veth peer name wire netns ${crowd.namespace} address ${crowdMac}`,
    `address add ${labPeers.watched}/24 dev wire`,
    `address add ${labPeers.watched6}/64 dev wire nodad`,
  );
  await ip(
    crowd,
    `address add ${labPeers.crowd}/24 dev wire`,
    `address add ${labPeers.crowd6}/64 dev wire nodad`,
    'route replace local 10.94.0.0/16 dev lo',
    'link set wire up',
  );
  await ip(watched, 'link set wire up', `route add 10.94.0.0/16 via ${labPeers.crowd}`);
  // A link drops what is sent before it is ready, and says nothing.
  await crowd.run('ping', '-n', '-c', '1', '-i', '0.2', '-w', '15', labPeers.watched);
}

async function readCounters(host: LabHost): Promise<InterfaceCounters> {
  const names = ['rx_bytes', 'tx_bytes', 'rx_packets', 'tx_packets'];
  // One program reads them all, so that they are of one moment, nearly.
  const text = await host.run('cat', ...names.map((name) => `/sys/class/net/wire/statistics/${name}`));
  const [receivedBytes = NaN, sentBytes = NaN, receivedPackets = NaN, sentPackets = NaN] = text.split('\n').map(Number);
  return { receivedBytes, sentBytes, receivedPackets, sentPackets };
}

const IPPROTO_RAW = 255;

function say(crowd: LabHost, packets: readonly Buffer[]): number {
  using _there = crowd.enter();
  const socket = openSocket({ family: 4, kind: SOCK_RAW, protocol: IPPROTO_RAW });
  const watched = encodeAddress({ ip: labPeers.watched, family: 4 });
  let sentNs = 0;
  try {
    for (const packet of packets) sentNs = sendTo(socket, packet, watched);
    return sentNs;
  } finally {
    closeSocket(socket);
  }
}
