import { getRawPointer } from 'node:ffi';
import { decodeAddress } from './address.ts';
import { timespecNs } from './clock.ts';
import { checked, libc, SystemError } from './libc.ts';
import { MSG_DONTWAIT } from './socket.ts';

const MSG_ERRQUEUE = 0x2000;

const batchSize = 64;
// Enough for IP and ICMP headers and our mark; the rest of a long packet is cut off unread.
const dataBytes = 256;
const controlBytes = 256;
const nameBytes = 28;
const headerBytes = 64;

/** An ICMP error, or a local one, about a packet that this socket sent (`struct sock_extended_err`, ip(7)). */
export interface QueuedError {
  readonly origin: 'local' | 'network';
  readonly type: number;
  readonly code: number;
  /** The MTU, where the error is about size. */
  readonly info: number;
  /** Who sent the error. */
  readonly from: string | undefined;
}

/** One received packet. `data` and `sender` are windows into the batch: valid until its next `receive`. */
export interface Received {
  readonly data: Buffer;
  readonly sender: Buffer;
  /** The kernel's time of arrival; see `realtimeNs`. */
  readonly receivedNs: number | undefined;
  readonly hopLimit: number | undefined;
  readonly error: QueuedError | undefined;
}

type Ancillary = { -readonly [Key in 'receivedNs' | 'hopLimit' | 'error']: Received[Key] };

/** Buffers for recvmmsg(2): up to 64 packets for one system call. */
export class ReceiveBatch {
  readonly #headers = Buffer.alloc(headerBytes * batchSize);
  readonly #vectors = Buffer.alloc(16 * batchSize);
  readonly #data = Buffer.alloc(dataBytes * batchSize);
  readonly #control = Buffer.alloc(controlBytes * batchSize);
  readonly #names = Buffer.alloc(nameBytes * batchSize);

  constructor() {
    for (let slot = 0; slot < batchSize; slot++) {
      const vector = getRawPointer(this.#vectors) + BigInt(slot * 16);
      this.#vectors.writeBigUInt64LE(getRawPointer(this.#data) + BigInt(slot * dataBytes), slot * 16);
      this.#vectors.writeBigUInt64LE(BigInt(dataBytes), slot * 16 + 8);
      // struct mmsghdr: name, name length, vectors, their count, control, its length, flags, received length.
      const header = slot * headerBytes;
      this.#headers.writeBigUInt64LE(getRawPointer(this.#names) + BigInt(slot * nameBytes), header);
      this.#headers.writeBigUInt64LE(vector, header + 16);
      this.#headers.writeBigUInt64LE(1n, header + 24);
      this.#headers.writeBigUInt64LE(getRawPointer(this.#control) + BigInt(slot * controlBytes), header + 32);
    }
  }

  /** Receives what has arrived, at most 64 packets; call again while it returns 64. Never waits. */
  receive(fd: number, queue: 'data' | 'errors'): Received[] {
    for (let header = 0; header < this.#headers.length; header += headerBytes) {
      this.#headers.writeUInt32LE(nameBytes, header + 8);
      this.#headers.writeUInt32LE(controlBytes, header + 40);
    }
    const received: Received[] = [];
    const count = this.#take(fd, MSG_DONTWAIT | (queue === 'errors' ? MSG_ERRQUEUE : 0));
    for (let slot = 0; slot < count; slot++) received.push(this.#read(slot));
    return received;
  }

  #take(fd: number, flags: number): number {
    try {
      return checked(libc().recvmmsg(fd, this.#headers, batchSize, flags, 0n), 'recvmmsg');
    } catch (error) {
      // EAGAIN, or the errno of an ICMP error, which this call has cleared and which waits in the error queue as well.
      if (error instanceof SystemError && error.code !== 'EBADF') return 0;
      throw error;
    }
  }

  #read(slot: number): Received {
    const header = slot * headerBytes;
    const data = slot * dataBytes;
    const name = slot * nameBytes;
    const control = slot * controlBytes;
    const controlEnd = control + this.#headers.readUInt32LE(header + 40);
    return {
      data: this.#data.subarray(data, data + this.#headers.readUInt32LE(header + 56)),
      sender: this.#names.subarray(name, name + nameBytes),
      ...readControl(this.#control, control, controlEnd),
    };
  }
}

/** Walks the control messages (`struct cmsghdr`: length, level, type, data; cmsg(3)). */
function readControl(bytes: Buffer, start: number, end: number): Ancillary {
  const ancillary: Ancillary = { receivedNs: undefined, hopLimit: undefined, error: undefined };
  for (let at = start; at + 16 <= end;) {
    const length = bytes.readUInt32LE(at);
    if (length < 16) break;
    const kind = `${bytes.readInt32LE(at + 8)}/${bytes.readInt32LE(at + 12)}`;
    if (kind === '1/35') ancillary.receivedNs = timespecNs(bytes, at + 16);
    else if (kind === '0/2' || kind === '41/52') ancillary.hopLimit = bytes.readInt32LE(at + 16);
    else if (kind === '0/11' || kind === '41/25') ancillary.error = readError(bytes.subarray(at + 16, at + length));
    at += (length + 7) & ~7;
  }
  return ancillary;
}

const SO_EE_ORIGIN_LOCAL = 1;

function readError(bytes: Buffer): QueuedError {
  return {
    origin: bytes.readUInt8(4) === SO_EE_ORIGIN_LOCAL ? 'local' : 'network',
    type: bytes.readUInt8(5),
    code: bytes.readUInt8(6),
    info: bytes.readUInt32LE(8),
    from: decodeAddress(bytes.subarray(16)),
  };
}
