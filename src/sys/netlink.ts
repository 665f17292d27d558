import { AF_INET, AF_INET6, AF_NETLINK, decodeAddress } from './address.ts';
import { checked, libc, SystemError } from './libc.ts';
import { closeSocket, MSG_DONTWAIT, openSocketOf, sendTo, SOCK_RAW } from './socket.ts';

// linux/netlink.h.
export const NETLINK_ROUTE = 0;
const NLM_F_REQUEST = 1;
const NLM_F_DUMP = 0x300;
const NLM_F_DUMP_INTR = 0x10;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;

const headerBytes = 16;
/** The kernel fills at most 32 KiB at once. */
const replyBytes = 32 * 1024;
/** A table that changes while it is dumped is dumped again; after so many times it is taken as it is. */
const maxDumps = 5;

const toKernel = Buffer.alloc(12);
toKernel.writeUInt16LE(AF_NETLINK, 0);

export type NetlinkAttribute = readonly [type: number, value: Buffer];

export interface NetlinkRequest {
  /** RTM_GETROUTE, … */
  readonly type: number;
  /** The fixed part: `struct rtmsg`, `ndmsg`, `ifaddrmsg` or `ifinfomsg`. */
  readonly body: Buffer;
  readonly attributes?: readonly NetlinkAttribute[];
}

export interface NetlinkMessage {
  readonly type: number;
  readonly body: Buffer;
  readonly attributes: ReadonlyMap<number, Buffer>;
}

/** Opens a socket for questions about the network, and closes it after `work`. @throws {SystemError} */
export function withNetlink<Value>(work: (fd: number) => Value): Value {
  const fd = openSocketOf(AF_NETLINK, { kind: SOCK_RAW, protocol: NETLINK_ROUTE });
  try {
    return work(fd);
  } finally {
    closeSocket(fd);
  }
}

/** Sends one request and reads its reply, which the kernel gives at once. @throws {SystemError} */
export function ask(fd: number, request: NetlinkRequest): NetlinkMessage {
  send(fd, request, NLM_F_REQUEST);
  const [reply] = messagesIn(receive(fd), request.body.length);
  if (!reply) throw new SystemError('EPROTO', 'netlink');
  return reply;
}

/** Every entry of a table of the kernel. @throws {SystemError} */
export function dump(fd: number, request: NetlinkRequest): readonly NetlinkMessage[] {
  for (let count = 1; ; count++) {
    const { entries, isInterrupted } = dumpOnce(fd, request);
    if (!isInterrupted || count === maxDumps) return entries;
  }
}

function dumpOnce(fd: number, request: NetlinkRequest) {
  send(fd, request, NLM_F_REQUEST | NLM_F_DUMP);
  const entries: NetlinkMessage[] = [];
  let isInterrupted = false;
  for (;;) {
    const bytes = receive(fd);
    isInterrupted ||= (bytes.readUInt16LE(6) & NLM_F_DUMP_INTR) !== 0;
    for (const message of messagesIn(bytes, request.body.length)) {
      if (message.type === NLMSG_DONE) return { entries, isInterrupted };
      entries.push(message);
    }
  }
}

/** The messages in what one receive call gave. @throws {SystemError} for an error message among them */
function messagesIn(bytes: Buffer, bodyBytes: number): readonly NetlinkMessage[] {
  const messages: NetlinkMessage[] = [];
  for (let at = 0; at + headerBytes <= bytes.length;) {
    const length = bytes.readUInt32LE(at);
    const type = bytes.readUInt16LE(at + 4);
    if (length < headerBytes) break;
    const content = bytes.subarray(at + headerBytes, at + length);
    if (type === NLMSG_ERROR) throw new SystemError(`errno ${-content.readInt32LE(0)}`, 'netlink');
    messages.push({
      type,
      body: content.subarray(0, bodyBytes),
      attributes: attributesOf(content.subarray(bodyBytes)),
    });
    at += padded(length);
  }
  return messages;
}

function send(fd: number, { type, body, attributes = [] }: NetlinkRequest, flags: number): void {
  const header = Buffer.alloc(headerBytes);
  const message = Buffer.concat([header, body, ...attributes.map(attributeBytes)]);
  message.writeUInt32LE(message.length, 0);
  message.writeUInt16LE(type, 4);
  message.writeUInt16LE(flags, 6);
  sendTo(fd, message, toKernel);
}

function receive(fd: number): Buffer {
  const reply = Buffer.alloc(replyBytes);
  const sender = Buffer.alloc(12);
  const senderBytes = uint32(sender.length);
  const result = libc().recvfrom(fd, reply, BigInt(reply.length), MSG_DONTWAIT, sender, senderBytes);
  return reply.subarray(0, checked(result, 'recvfrom'));
}

function attributeBytes([type, value]: NetlinkAttribute): Buffer {
  const bytes = Buffer.alloc(padded(4 + value.length));
  bytes.writeUInt16LE(4 + value.length, 0);
  bytes.writeUInt16LE(type, 2);
  bytes.set(value, 4);
  return bytes;
}

/** Two upper bits of a type are flags: nested, and in network order. */
const typeBits = 0x3fff;

/** Attributes by their type; also those nested in the value of another. */
export function attributesOf(bytes: Buffer): ReadonlyMap<number, Buffer> {
  const attributes = new Map<number, Buffer>();
  for (let at = 0; at + 4 <= bytes.length;) {
    const length = bytes.readUInt16LE(at);
    if (length < 4) break;
    attributes.set(bytes.readUInt16LE(at + 2) & typeBits, bytes.subarray(at + 4, at + length));
    at += padded(length);
  }
  return attributes;
}

/** The text of an address of 4 or 16 bytes; undefined if it is neither. */
export function netlinkAddress(bytes: Buffer): string | undefined {
  if (bytes.length !== 4 && bytes.length !== 16) return undefined;
  const address = Buffer.alloc(28);
  address.writeUInt16LE(bytes.length === 4 ? AF_INET : AF_INET6, 0);
  address.set(bytes, bytes.length === 4 ? 4 : 8);
  return decodeAddress(address);
}

/** A name that ends with a zero byte. */
export function netlinkName(bytes: Buffer | undefined): string {
  return (bytes ?? Buffer.alloc(0)).toString('latin1').replace(/\0.*/, '');
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function padded(length: number): number {
  return (length + 3) & ~3;
}
