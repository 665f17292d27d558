import { toArrayBuffer } from 'node:ffi';
import { checked, libc } from './libc.ts';
import { takeDropped } from './packet-socket.ts';
import { setOption, type SocketOption } from './socket.ts';

// linux/if_packet.h.
const SOL_PACKET = 263;
const PACKET_RX_RING: SocketOption = [SOL_PACKET, 5];
const PACKET_VERSION: SocketOption = [SOL_PACKET, 10];
const TPACKET_V3 = 2;
const TP_STATUS_USER = 1;
const TP_STATUS_KERNEL = 0;

const PROT_READ_WRITE = 3;
const MAP_SHARED = 1;

/** `struct tpacket_block_desc`. */
const block = { status: 8, packets: 12, firstPacket: 16 } as const;
/** `struct tpacket3_hdr`, and the link address behind it. */
const header = { next: 0, captured: 12, length: 16, status: 20, network: 26, linkAddress: 48 } as const;
const TP_STATUS_VLAN_VALID = 0x10;

const blockBytes = 1 << 18;
const blocks = 16;
const ringBytes = blocks * blockBytes;
// The kernel asks for a frame size, and does not use it in this version.
const frameBytes = 2048;
/** The kernel hands over a block at the latest after this time, so that packets on a quiet link are not late. */
const blockTimeoutMs = 20;

/** A packet in the ring. One object is reused for all of them and is valid during the call only. */
export interface RingPacket {
  /** The IP packet is here, from `start` to `end`: cut as the filter says. */
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  /** Of the whole packet. */
  readonly length: number;
  readonly interfaceIndex: number;
  /** Whose it is: `packetTypes`. */
  readonly type: number;
  /** EtherType. */
  readonly protocol: number;
  /** It came with the tag of a VLAN, which is not in `bytes`. */
  readonly hasVlanTag: boolean;
  /** Where in `bytes` its `struct sockaddr_ll` is. */
  readonly linkAddress: number;
}

/** A ring of 4 MiB that the kernel fills with the packets of a socket (TPACKET_V3, packet(7)). */
export class PacketRing implements Disposable {
  readonly #fd: number;
  readonly #address: bigint;
  readonly #packet: { -readonly [Key in keyof RingPacket]: RingPacket[Key] };
  #words: Int32Array;
  #next = 0;

  /** @throws {SystemError} ENOMEM, EPERM, … */
  constructor(fd: number) {
    this.#fd = fd;
    setOption(fd, PACKET_VERSION, TPACKET_V3);
    const request = Buffer.alloc(28);
    const fields = [blockBytes, blocks, frameBytes, ringBytes / frameBytes, blockTimeoutMs];
    for (const [index, value] of fields.entries()) request.writeUInt32LE(value, 4 * index);
    setOption(fd, PACKET_RX_RING, request);
    this.#address = mapped(libc().mmap(0n, BigInt(ringBytes), PROT_READ_WRITE, MAP_SHARED, fd, 0n));
    const memory = toArrayBuffer(this.#address, ringBytes, false);
    const numbers = {
      start: 0,
      end: 0,
      length: 0,
      interfaceIndex: 0,
      type: 0,
      protocol: 0,
      linkAddress: 0,
      hasVlanTag: false,
    };
    this.#packet = { bytes: Buffer.from(memory), ...numbers };
    this.#words = new Int32Array(memory);
  }

  /** Visits the packets of all ready blocks, at most once around the ring. */
  read(visit: (packet: RingPacket) => void): void {
    for (let count = 0; count < blocks; count++) {
      const start = this.#next * blockBytes;
      const status = (start + block.status) / 4;
      if ((Atomics.load(this.#words, status) & TP_STATUS_USER) === 0) return;
      this.#readBlock(start, visit);
      Atomics.store(this.#words, status, TP_STATUS_KERNEL);
      this.#next = (this.#next + 1) % blocks;
    }
  }

  #readBlock(start: number, visit: (packet: RingPacket) => void): void {
    const { bytes } = this.#packet;
    let at = start + bytes.readUInt32LE(start + block.firstPacket);
    for (let left = bytes.readUInt32LE(start + block.packets); left > 0; left--) {
      visit(this.#read(at));
      at += bytes.readUInt32LE(at + header.next);
    }
  }

  /** Called up to 100,000 times a second, so it creates no object. */
  #read(at: number): RingPacket {
    const packet = this.#packet;
    const { bytes } = packet;
    packet.start = at + bytes.readUInt16LE(at + header.network);
    packet.end = packet.start + bytes.readUInt32LE(at + header.captured);
    packet.length = bytes.readUInt32LE(at + header.length);
    packet.hasVlanTag = (bytes.readUInt32LE(at + header.status) & TP_STATUS_VLAN_VALID) !== 0;
    packet.linkAddress = at + header.linkAddress;
    packet.protocol = bytes.readUInt16BE(packet.linkAddress + 2);
    packet.interfaceIndex = bytes.readInt32LE(packet.linkAddress + 4);
    packet.type = bytes.readUInt8(packet.linkAddress + 10);
    return packet;
  }

  /** Packets dropped because the ring was full, since the last call. */
  takeMissed(): number {
    return takeDropped(this.#fd);
  }

  [Symbol.dispose](): void {
    // A later read throws instead of crashing.
    this.#words = new Int32Array();
    this.#packet.bytes = Buffer.alloc(0);
    checked(libc().munmap(this.#address, BigInt(ringBytes)), 'munmap');
  }
}

/** mmap(2) fails with the address -1. */
function mapped(address: bigint): bigint {
  if (BigInt.asIntN(64, address) === -1n) checked(-1, 'mmap');
  return address;
}
