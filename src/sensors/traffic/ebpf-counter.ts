import { type BpfMap, createMap, loadSocketFilter, readMap, setEntry, takeEntry } from '../../sys/bpf.ts';
import {
  decodeLinkAddress,
  hearAll,
  linkAddressBytes,
  openPacketSocket,
  receivePacket,
  takeDropped,
} from '../../sys/packet-socket.ts';
import { closeSocket, setOption, socketOptions } from '../../sys/socket.ts';
import { fdEvents, watchFd } from '../../sys/watch-fd.ts';
import { handedUp, ownCapacity, pairCapacity, peerCapacity, serviceCapacity } from './counting-rules.ts';
import { addressBytes, addressText } from './peer-address.ts';
import {
  counts,
  kinds,
  ownKey,
  ownKinds,
  pairKey,
  peerKey,
  portKey,
  restKeyBytes,
  serviceKey,
  serviceValueBytes,
} from './filter-layout.ts';
import type {
  Counted,
  FirstPacket,
  MachineEnds,
  PeerCount,
  PeerCounter,
  PeerCounterOptions,
  PeerId,
  RestCount,
} from './peer-counter.ts';
import { peerFilter } from './peer-filter.ts';

/** Entries for packets of no peer: four kinds an interface. */
const restCapacity = 4096;
/** The kernel gives as much as net.core.rmem_max allows. */
const queueBytes = 4 * 1024 * 1024;
/** Packets read in one turn of the event loop. */
const packetsAtOnce = 256;

/** Counts in the kernel, by a filter on a packet socket. @throws {SystemError} EPERM, ENOSYS, … */
export function openEbpfCounter({ own, onPacket }: PeerCounterOptions): PeerCounter {
  using opened = new DisposableStack();
  const keep = (fd: number): number => {
    opened.defer(() => closeSocket(fd));
    return fd;
  };
  const socket = keep(openPacketSocket());
  const map = (layout: Parameters<typeof createMap>[0]): BpfMap => {
    const created = createMap(layout);
    keep(created.fd);
    return created;
  };
  const peers = map({ keyBytes: peerKey.size, valueBytes: counts.size, capacity: peerCapacity });
  const pairs = map({ keyBytes: pairKey.size, valueBytes: counts.size, capacity: pairCapacity });
  const rest = map({ keyBytes: restKeyBytes, valueBytes: counts.size, capacity: restCapacity });
  const addresses = map({ keyBytes: ownKey.size, valueBytes: ownKey.valueBytes, capacity: 2 * ownCapacity.addresses });
  const ports = map({ keyBytes: portKey.size, valueBytes: portKey.valueBytes, capacity: 2 * ownCapacity.ports });
  const layout = { keyBytes: serviceKey.size, valueBytes: serviceValueBytes, capacity: serviceCapacity };
  const services = map({ ...layout, type: 'lru-hash' });
  const known = new KnownOwn(addresses, ports);
  known.update(own);
  const maps = { peers: peers.fd, pairs: pairs.fd, rest: rest.fd, own: addresses.fd, ports: ports.fd };
  const program = keep(loadSocketFilter(peerFilter({ ...maps, services: services.fd })));
  setOption(socket, socketOptions.attachEbpf, program);
  setOption(socket, socketOptions.receiveBuffer, queueBytes);
  hearAll(socket);
  opened.defer(watchFd(socket, fdEvents.readable, receiver(socket, onPacket)));
  const resources = opened.move();
  let unseen = 0;
  return {
    backend: 'ebpf',
    know: (own) => known.update(own),
    read: () => [...readPeers(peers), ...readPairs(pairs)],
    rest: () => readRest(rest),
    forget(wanted) {
      forgetServices(services, wanted);
      return wanted.flatMap((peer) => (peer.other === undefined ? takePeer(peers, peer) : takePair(pairs, peer)));
    },
    missedPackets: () => 0,
    unseenPackets: () => (unseen += takeDropped(socket)),
    [Symbol.dispose]: () => resources.dispose(),
  };
}

/** The filter's maps of own addresses and ports, of which only what changed is written. */
class KnownOwn {
  readonly #addresses: BpfMap;
  readonly #ports: BpfMap;
  #known = new Map<string, number>();
  #knownPorts = new Map<string, number>();

  constructor(addresses: BpfMap, ports: BpfMap) {
    this.#addresses = addresses;
    this.#ports = ports;
  }

  update({ addresses, broadcasts, ports }: MachineEnds): void {
    const wanted = new Map<string, number>(broadcasts.map((address) => [address, ownKinds.broadcast]));
    for (const { address, below = 0 } of addresses) wanted.set(address, (below << ownKey.belowAt) | ownKinds.own);
    this.#known = replaceEntries(this.#addresses, { known: this.#known, wanted, keyOf: addressBytes });
    const wantedPorts = new Map(ports.map((port) => [String(port), 1]));
    const entries = { known: this.#knownPorts, wanted: wantedPorts, keyOf: portBytes };
    this.#knownPorts = replaceEntries(this.#ports, entries);
  }
}

interface Entries {
  readonly known: ReadonlyMap<string, number>;
  readonly wanted: ReadonlyMap<string, number>;
  readonly keyOf: (name: string) => Buffer;
}

/** Adds before it removes, so that what stays is always there; hence the map has room for twice as many. */
function replaceEntries(map: BpfMap, { known, wanted, keyOf }: Entries): Map<string, number> {
  const held = new Map([...wanted].slice(0, map.capacity / 2));
  for (const [name, value] of held) if (known.get(name) !== value) setEntry(map, keyOf(name), number32(value));
  for (const name of known.keys()) if (!held.has(name)) takeEntry(map, keyOf(name));
  return held;
}

function portBytes(port: string): Buffer {
  return number32(Number(port));
}

function number32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function receiver(socket: number, onPacket: PeerCounterOptions['onPacket']): () => void {
  const bytes = Buffer.alloc(handedUp.whole);
  const linkAddress = Buffer.alloc(linkAddressBytes);
  return () => {
    for (let packets = 0; packets < packetsAtOnce; packets++) {
      const length = receivePacket(socket, bytes, linkAddress);
      if (length === undefined) return;
      const { interfaceIndex, isOutgoing, mac } = decodeLinkAddress(linkAddress);
      onPacket({ interfaceIndex, direction: isOutgoing ? 'out' : 'in', bytes: bytes.subarray(0, length), mac });
    }
  };
}

function readPeers(map: BpfMap): PeerCount[] {
  const entries = readMap(map);
  const values = viewOf(map.values);
  return Array.from({ length: entries }, (_, entry) => ({
    interfaceIndex: map.keys.readUInt32LE(entry * peerKey.size + peerKey.interfaceIndex),
    address: addressText(map.keys, entry * peerKey.size + peerKey.address),
    ...bothWays(values, entry * counts.size),
  }));
}

function readPairs(map: BpfMap): PeerCount[] {
  const entries = readMap(map);
  const values = viewOf(map.values);
  return Array.from({ length: entries }, (_, entry) => ({
    interfaceIndex: map.keys.readUInt32LE(entry * pairKey.size + pairKey.interfaceIndex),
    address: addressText(map.keys, entry * pairKey.size + pairKey.address),
    other: addressText(map.keys, entry * pairKey.size + pairKey.other),
    ...bothWays(values, entry * counts.size),
  }));
}

const nameOfKind = new Map<number, string>(Object.entries(kinds).map(([name, kind]) => [kind, name]));

function readRest(map: BpfMap): RestCount[] {
  return Array.from({ length: readMap(map) }, (_, entry) => ({
    interfaceIndex: map.keys.readUInt32LE(entry * restKeyBytes + peerKey.interfaceIndex),
    // The filter writes only these kinds into this map.
    kind: nameOfKind.get(map.keys.readUInt32LE(entry * restKeyBytes + peerKey.kind)) as RestCount['kind'],
    ...bothWays(viewOf(map.values), entry * counts.size),
  }));
}

function takePeer(map: BpfMap, { interfaceIndex, address }: PeerId): PeerCount[] {
  const key = Buffer.alloc(peerKey.size);
  key.writeUInt32LE(interfaceIndex, peerKey.interfaceIndex);
  addressBytes(address).copy(key, peerKey.address);
  const value = takeEntry(map, key);
  return value ? [{ interfaceIndex, address, ...bothWays(viewOf(value), 0) }] : [];
}

function takePair(map: BpfMap, { interfaceIndex, address, other = '' }: PeerId): PeerCount[] {
  const key = Buffer.alloc(pairKey.size);
  key.writeUInt32LE(interfaceIndex, pairKey.interfaceIndex);
  addressBytes(address).copy(key, pairKey.address);
  addressBytes(other).copy(key, pairKey.other);
  const value = takeEntry(map, key);
  return value ? [{ interfaceIndex, address, other, ...bothWays(viewOf(value), 0) }] : [];
}

/** The first packet to each service of these peers is to be handed up again. */
function forgetServices(map: BpfMap, peers: readonly PeerId[]): void {
  const forgotten = new Set(peers.map(({ interfaceIndex, address }) => `${interfaceIndex} ${address}`));
  const entries = readMap(map);
  for (let entry = 0; entry < entries; entry++) {
    const key = map.keys.subarray(entry * serviceKey.size, (entry + 1) * serviceKey.size);
    const peer = `${key.readUInt32LE(serviceKey.interfaceIndex)} ${addressText(key, serviceKey.address)}`;
    if (forgotten.has(peer)) takeEntry(map, key);
  }
}

// A full map has 229,376 numbers; a DataView reads them several times faster than a Buffer.
function viewOf({ buffer, byteOffset, byteLength }: Buffer): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

type BothCounts = Pick<PeerCount, 'received' | 'sent' | 'firstReceived' | 'firstSent'>;

function bothWays(values: DataView, start: number): BothCounts {
  const firstReceived = firstPacket(values, start);
  const firstSent = firstPacket(values, start + counts.sent);
  return {
    received: counted(values, start),
    sent: counted(values, start + counts.sent),
    ...(firstReceived && { firstReceived }),
    ...(firstSent && { firstSent }),
  };
}

function counted(values: DataView, start: number): Counted {
  return {
    bytes: number(values, start + counts.bytes),
    wireBytes: number(values, start + counts.wireBytes),
    packets: number(values, start + counts.packets),
    wirePackets: number(values, start + counts.wirePackets),
    directed: number(values, start + counts.directed),
  };
}

function firstPacket(values: DataView, start: number): FirstPacket | undefined {
  if (number(values, start + counts.directed) === 0) return undefined;
  const at = start + counts.first;
  return {
    protocol: values.getUint8(at),
    flags: values.getUint8(at + 1),
    sourcePort: values.getUint16(at + 2, true),
    destinationPort: values.getUint16(at + 4, true),
    atNs: number(values, start + counts.firstAtNs),
  };
}

function number(values: DataView, offset: number): number {
  return values.getUint32(offset, true) + values.getUint32(offset + 4, true) * 2 ** 32;
}
