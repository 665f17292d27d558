import { type BpfMap, createMap, loadSocketFilter, readMap, takeEntry } from '../../net/sys/bpf.ts';
import {
  decodeLinkAddress,
  hearAll,
  linkAddressBytes,
  openPacketSocket,
  receivePacket,
} from '../../net/sys/packet-socket.ts';
import { closeSocket, setOption, socketOptions } from '../../net/sys/socket.ts';
import { fdEvents, watchFd } from '../../net/sys/watch-fd.ts';
import { addressBytes, addressText } from './peer-address.ts';
import type { Counted, PeerCount, PeerCounter, PeerCounterOptions, RestCount } from './peer-counter.ts';
import { counts, handedUp, kinds, peerCapacity, peerFilter, peerKey, restKeyBytes } from './peer-filter.ts';

/** Three kinds for each interface. */
const restCapacity = 4096;
/** Packets handed up in one turn of the event loop. */
const packetsAtOnce = 256;

/** Lets the kernel count, by a filter on a packet socket. @throws {SystemError} EPERM, ENOSYS, … */
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
  return Array.from({ length: readMap(map) }, (_, entry) => {
    const key = map.keys.subarray(entry * peerKey.size, (entry + 1) * peerKey.size);
    return {
      interfaceIndex: key.readUInt32LE(peerKey.interfaceIndex),
      address: addressText(key.subarray(peerKey.address)),
      ...bothWays(map.values, entry * counts.size),
    };
  });
}

const nameOfKind = new Map<number, string>(Object.entries(kinds).map(([name, kind]) => [kind, name]));

function readRest(map: BpfMap): RestCount[] {
  return Array.from({ length: readMap(map) }, (_, entry) => ({
    interfaceIndex: map.keys.readUInt32LE(entry * restKeyBytes + peerKey.interfaceIndex),
    // The filter writes no other kinds into this map.
    kind: nameOfKind.get(map.keys.readUInt32LE(entry * restKeyBytes + peerKey.kind)) as RestCount['kind'],
    ...bothWays(map.values, entry * counts.size),
  }));
}

type PeerName = Pick<PeerCount, 'interfaceIndex' | 'address'>;

function takePeer(map: BpfMap, { interfaceIndex, address }: PeerName): PeerCount[] {
  const key = Buffer.alloc(peerKey.size);
  key.writeUInt32LE(interfaceIndex, peerKey.interfaceIndex);
  addressBytes(address).copy(key, peerKey.address);
  const value = takeEntry(map, key);
  return value ? [{ interfaceIndex, address, ...bothWays(value, 0) }] : [];
}

function bothWays(values: Buffer, start: number): Pick<PeerCount, 'received' | 'sent'> {
  return { received: counted(values, start), sent: counted(values, start + counts.sent) };
}

function counted(values: Buffer, start: number): Counted {
  const number = (offset: number): number =>
    values.readUInt32LE(start + offset) + values.readUInt32LE(start + offset + 4) * 2 ** 32;
  return {
    bytes: number(counts.bytes),
    wireBytes: number(counts.wireBytes),
    packets: number(counts.packets),
    wirePackets: number(counts.wirePackets),
  };
}
