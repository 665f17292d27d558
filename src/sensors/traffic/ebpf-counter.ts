import { type BpfMap, createMap, loadSocketFilter, readMap, takeEntry } from '../../sys/bpf.ts';
import {
  decodeLinkAddress,
  hearAll,
  linkAddressBytes,
  openPacketSocket,
  receivePacket,
} from '../../sys/packet-socket.ts';
import { closeSocket, setOption, socketOptions } from '../../sys/socket.ts';
import { fdEvents, watchFd } from '../../sys/watch-fd.ts';
import { handedUp, peerCapacity } from './counting-rules.ts';
import { addressBytes, addressText } from './peer-address.ts';
import type { Counted, PeerCount, PeerCounter, PeerCounterOptions, RestCount } from './peer-counter.ts';
import { counts, kinds, peerFilter, peerKey, restKeyBytes } from './peer-filter.ts';

/** Entries for packets of no peer: three kinds an interface. */
const restCapacity = 4096;
/** Packets read in one turn of the event loop. */
const packetsAtOnce = 256;

/** Counts in the kernel, by a filter on a packet socket. @throws {SystemError} EPERM, ENOSYS, … */
export function openEbpfCounter({ onPacket }: PeerCounterOptions): PeerCounter {
  using opened = new DisposableStack();
  const keep = (fd: number): number => {
    opened.defer(() => closeSocket(fd));
    return fd;
  };
  const socket = keep(openPacketSocket());
  const peers = createMap({ keyBytes: peerKey.size, valueBytes: counts.size, capacity: peerCapacity });
  keep(peers.fd);
  const rest = createMap({ keyBytes: restKeyBytes, valueBytes: counts.size, capacity: restCapacity });
  keep(rest.fd);
  const program = keep(loadSocketFilter(peerFilter({ peers: peers.fd, rest: rest.fd })));
  setOption(socket, socketOptions.attachEbpf, program);
  hearAll(socket);
  opened.defer(watchFd(socket, fdEvents.readable, receiver(socket, onPacket)));
  const resources = opened.move();
  return {
    backend: 'ebpf',
    read: () => readPeers(peers),
    rest: () => readRest(rest),
    forget: (wanted) => wanted.flatMap((peer) => takePeer(peers, peer)),
    missedPackets: () => 0,
    [Symbol.dispose]: () => resources.dispose(),
  };
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
  const peers: PeerCount[] = [];
  for (let entry = 0; entry < entries; entry++) {
    const key = entry * peerKey.size;
    peers.push({
      interfaceIndex: map.keys.readUInt32LE(key + peerKey.interfaceIndex),
      address: addressText(map.keys, key + peerKey.address),
      ...bothWays(values, entry * counts.size),
    });
  }
  return peers;
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

type PeerName = Pick<PeerCount, 'interfaceIndex' | 'address'>;

function takePeer(map: BpfMap, { interfaceIndex, address }: PeerName): PeerCount[] {
  const key = Buffer.alloc(peerKey.size);
  key.writeUInt32LE(interfaceIndex, peerKey.interfaceIndex);
  addressBytes(address).copy(key, peerKey.address);
  const value = takeEntry(map, key);
  return value ? [{ interfaceIndex, address, ...bothWays(viewOf(value), 0) }] : [];
}

// A full map has 131,072 numbers; a DataView reads them several times faster than a Buffer.
function viewOf({ buffer, byteOffset, byteLength }: Buffer): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

function bothWays(values: DataView, start: number): Pick<PeerCount, 'received' | 'sent'> {
  return { received: counted(values, start), sent: counted(values, start + counts.sent) };
}

function counted(values: DataView, start: number): Counted {
  return {
    bytes: number(values, start + counts.bytes),
    wireBytes: number(values, start + counts.wireBytes),
    packets: number(values, start + counts.packets),
    wirePackets: number(values, start + counts.wirePackets),
  };
}

function number(values: DataView, offset: number): number {
  return values.getUint32(offset, true) + values.getUint32(offset + 4, true) * 2 ** 32;
}
