import { getRawPointer } from 'node:ffi';
import { checked, libc, SystemError } from './libc.ts';
import {
  bindSocket,
  MSG_DONTWAIT,
  openSocketOf,
  setOption,
  SOCK_DGRAM,
  socketOptions,
  type SocketOption,
} from './socket.ts';

const AF_PACKET = 17;
const ETH_P_ALL = 3;
/** Packet types: for another host, or sent by this one; all others are for this host. */
export const packetTypes = { otherHost: 3, outgoing: 4 } as const;

/** `struct sockaddr_ll`, packet(7). */
export const linkAddressBytes = 20;

/** Link-layer facts of a packet: interface, direction and the sender's address, if the link has addresses. */
export interface LinkAddress {
  readonly interfaceIndex: number;
  readonly isOutgoing: boolean;
  readonly mac: string | undefined;
}

export function decodeLinkAddress(bytes: Buffer): LinkAddress {
  const isOutgoing = bytes.readUInt8(10) === packetTypes.outgoing;
  const hasMac = bytes.readUInt8(11) === 6 && !isOutgoing;
  return {
    interfaceIndex: bytes.readInt32LE(4),
    isOutgoing,
    mac: hasMac ? bytes.toString('hex', 12, 18).replaceAll(/(?!^)(?=(?:..)+$)/g, ':') : undefined,
  };
}

/**
 * A packet(7) socket that hears nothing until `hearAll`, so that no packet passes before its filter is attached. Its
 * packets begin with the IP header, both ways and whatever the link. @throws {SystemError} EPERM without CAP_NET_RAW
 */
export function openPacketSocket(): number {
  return openSocketOf(AF_PACKET, { kind: SOCK_DGRAM, protocol: 0 });
}

/** Receives every protocol on every interface, including later ones. */
export function hearAll(fd: number): void {
  const address = Buffer.alloc(linkAddressBytes);
  address.writeUInt16LE(AF_PACKET, 0);
  address.writeUInt16BE(ETH_P_ALL, 2);
  bindSocket(fd, address);
}

/** An instruction of a classic filter, `struct sock_filter`. */
export type ClassicInstruction = readonly [code: number, jumpTrue: number, jumpFalse: number, constant: number];

const programHeaderBytes = 16;

/** Attaches a classic BPF filter, which needs no capability. */
export function attachClassicFilter(fd: number, program: readonly ClassicInstruction[]): void {
  // struct sock_fprog, and behind it, in the same memory, the instructions that it points to.
  const bytes = Buffer.alloc(programHeaderBytes + 8 * program.length);
  bytes.writeUInt16LE(program.length, 0);
  bytes.writeBigUInt64LE(getRawPointer(bytes) + BigInt(programHeaderBytes), 8);
  for (const [index, [code, jumpTrue, jumpFalse, constant]] of program.entries()) {
    const at = programHeaderBytes + 8 * index;
    bytes.writeUInt16LE(code, at);
    bytes.writeUInt8(jumpTrue, at + 2);
    bytes.writeUInt8(jumpFalse, at + 3);
    bytes.writeUInt32LE(constant, at + 4);
  }
  setOption(fd, socketOptions.attachFilter, bytes.subarray(0, programHeaderBytes));
}

/** Receives one packet into `bytes`, cut to their length; returns the number of bytes, undefined if none waits. */
export function receivePacket(fd: number, bytes: Buffer, linkAddress: Buffer): number | undefined {
  const addressLength = Buffer.alloc(4);
  addressLength.writeUInt32LE(linkAddress.length);
  const { recvfrom } = libc();
  const result = recvfrom(fd, bytes, BigInt(bytes.length), MSG_DONTWAIT, linkAddress, addressLength);
  try {
    return checked(result, 'recvfrom');
  } catch (error) {
    // EAGAIN, or what happened to an interface, which this call has cleared: the socket goes on with the others.
    if (error instanceof SystemError && error.code !== 'EBADF') return undefined;
    throw error;
  }
}

const SOL_PACKET = 263;
const PACKET_STATISTICS: SocketOption = [SOL_PACKET, 6];

/** Packets that the socket's queue or ring had no room for, since the last call. */
export function takeDropped(fd: number): number {
  const { getsockopt } = libc();
  // The first two fields of struct tpacket_stats: packets, drops.
  const statistics = Buffer.alloc(8);
  checked(getsockopt(fd, ...PACKET_STATISTICS, statistics, Buffer.from([statistics.length, 0, 0, 0])), 'getsockopt');
  return statistics.readUInt32LE(4);
}
