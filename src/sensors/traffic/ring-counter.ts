import { PacketRing, type RingPacket } from '../../sys/packet-ring.ts';
import {
  attachClassicFilter,
  type ClassicInstruction,
  decodeLinkAddress,
  hearAll,
  linkAddressBytes,
  openPacketSocket,
} from '../../sys/packet-socket.ts';
import { closeSocket } from '../../sys/socket.ts';
import { fdEvents, watchFd } from '../../sys/watch-fd.ts';
import type { PeerCounter, PeerCounterOptions } from './peer-counter.ts';
import { handedUp, loopbackIndex, pairCapacity, peerCapacity } from './counting-rules.ts';
import { PeerTable } from './peer-table.ts';

// Classic BPF: loads beyond 0xfffff000 read the kernel's metadata of the packet; offset 8 is the interface.
const allButLoopback: readonly ClassicInstruction[] = [
  [0x20, 0, 0, 0xffff_f008],
  [0x15, 0, 1, loopbackIndex],
  [0x06, 0, 0, 0],
  [0x06, 0, 0, handedUp.whole],
];

/** Counts packet by packet in this process, from a ring that the kernel fills. @throws {SystemError} EPERM, ENOMEM, … */
export function openRingCounter({ own, onPacket }: PeerCounterOptions): PeerCounter {
  using opened = new DisposableStack();
  const socket = openPacketSocket();
  opened.defer(() => closeSocket(socket));
  const ring = opened.use(new PacketRing(socket));
  const table = new PeerTable({ peers: peerCapacity, pairs: pairCapacity });
  table.know(own);
  const count = (packet: RingPacket): void => {
    const bytes = table.count(packet);
    if (bytes > 0) handUp(packet, bytes, onPacket);
  };
  attachClassicFilter(socket, allButLoopback);
  hearAll(socket);
  opened.defer(watchFd(socket, fdEvents.readable, () => ring.read(count)));
  const resources = opened.move();
  let missed = 0;
  return {
    backend: 'ring',
    know: (own) => table.know(own),
    read() {
      ring.read(count);
      return table.read();
    },
    rest: () => table.rest(),
    forget: (peers) => peers.map((peer) => table.take(peer)).filter((peer) => peer !== undefined),
    missedPackets: () => (missed += ring.takeMissed()),
    // What is in the ring is handed up at once.
    unseenPackets: () => 0,
    [Symbol.dispose]: () => resources.dispose(),
  };
}

function handUp(packet: RingPacket, bytes: number, onPacket: PeerCounterOptions['onPacket']): void {
  const linkAddress = packet.bytes.subarray(packet.linkAddress, packet.linkAddress + linkAddressBytes);
  const { interfaceIndex, isOutgoing, mac } = decodeLinkAddress(linkAddress);
  const end = Math.min(packet.end, packet.start + bytes);
  onPacket({
    interfaceIndex,
    direction: isOutgoing ? 'out' : 'in',
    bytes: packet.bytes.subarray(packet.start, end),
    mac,
  });
}
