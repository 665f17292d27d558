import { AF_INET, AF_INET6, AF_NETLINK, decodeAddress, encodeAddress } from './address.ts';
import { checked, libc, SystemError } from './libc.ts';
import { closeSocket, MSG_DONTWAIT, openSocketOf, sendTo, SOCK_RAW } from './socket.ts';

/** The next station of packets to an address, as the kernel has it now. */
export interface NextHop {
  /** True if the destination is an address of this machine. */
  readonly isOwn: boolean;
  /** Undefined where the destination is on a network of this machine. */
  readonly gateway: string | undefined;
  readonly interfaceName: string;
  /** False if its cable is out or it is switched off. */
  readonly isLinkUp: boolean;
  /** False if nobody has answered for the address of the next station (ARP, neighbour discovery). */
  readonly isNeighbourThere: boolean;
}

// linux/netlink.h, linux/rtnetlink.h, linux/neighbour.h, linux/if_link.h.
const NETLINK_ROUTE = 0;
const NLM_F_REQUEST = 1;
const NLMSG_ERROR = 2;
const RTM_GETLINK = 18;
const RTM_GETROUTE = 26;
const RTM_GETNEIGH = 30;
const RTA_DST = 1;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;
const RTA_VIA = 18;
/** Where `struct rtmsg` has the type of the route. */
const routeTypeAt = 7;
const RTN_LOCAL = 2;
const NDA_DST = 1;
const IFLA_IFNAME = 3;
const IFF_UP = 0x1;
const IFF_LOWER_UP = 0x1_0000;
/** Its resolution is under way, or was given up. */
const NUD_INCOMPLETE = 0x01;
const NUD_FAILED = 0x20;

const headerBytes = 16;
const messageBytes = { [RTM_GETROUTE]: 12, [RTM_GETNEIGH]: 12, [RTM_GETLINK]: 16 } as const;
const toKernel = Buffer.alloc(12);
toKernel.writeUInt16LE(AF_NETLINK, 0);

type Request = keyof typeof messageBytes;

interface Reply {
  /** `struct rtmsg`, `ndmsg` or `ifinfomsg`. */
  readonly body: Buffer;
  readonly attributes: ReadonlyMap<number, Buffer>;
}

/** Undefined if the kernel has no route, or no such table: not Linux. */
export function nextHop(destination: { readonly ip: string; readonly family: 4 | 6 }): NextHop | undefined {
  const fd = openSocketOf(AF_NETLINK, { kind: SOCK_RAW, protocol: NETLINK_ROUTE });
  try {
    return readNextHop(fd, destination);
  } catch (error) {
    if (error instanceof SystemError) return undefined;
    throw error;
  } finally {
    closeSocket(fd);
  }
}

function readNextHop(fd: number, destination: { readonly ip: string; readonly family: 4 | 6 }): NextHop {
  const address = encodeAddress(destination);
  const bytes = addressBytes(address);
  const family = address.readUInt16LE(0);
  const zone = destination.family === 6 ? address.readUInt32LE(24) : 0;
  const route = request(fd, RTM_GETROUTE, {
    fields: [family, bytes.length * 8],
    attributes: [[RTA_DST, bytes], ...(zone > 0 ? [[RTA_OIF, uint32(zone)] as const] : [])],
  });
  const index = route.attributes.get(RTA_OIF) ?? uint32(0);
  // RTA_VIA has its family before the address: IPv6 as the next station of IPv4.
  const via = route.attributes.get(RTA_GATEWAY) ?? route.attributes.get(RTA_VIA)?.subarray(2);
  const link = request(fd, RTM_GETLINK, { fields: [0, 0, 0, 0, ...index], attributes: [] });
  const flags = link.body.readUInt32LE(8);
  return {
    isOwn: route.body.readUInt8(routeTypeAt) === RTN_LOCAL,
    gateway: via && textOf(via),
    interfaceName: (link.attributes.get(IFLA_IFNAME) ?? Buffer.alloc(0)).toString('latin1').replace(/\0.*/, ''),
    isLinkUp: (flags & IFF_UP) !== 0 && (flags & IFF_LOWER_UP) !== 0,
    isNeighbourThere: isNeighbourThere(fd, via ?? bytes, index),
  };
}

function isNeighbourThere(fd: number, bytes: Buffer, index: Buffer): boolean {
  try {
    const family = familyOf(bytes);
    const { body } = request(fd, RTM_GETNEIGH, { fields: [family, 0, 0, 0, ...index], attributes: [[NDA_DST, bytes]] });
    return (body.readUInt16LE(8) & (NUD_INCOMPLETE | NUD_FAILED)) === 0;
  } catch (error) {
    // No entry: loopback, tunnels, or nothing was sent to it yet.
    if (error instanceof SystemError) return true;
    throw error;
  }
}

interface Asked {
  /** The first bytes of the message; the others are zero. */
  readonly fields: readonly number[];
  readonly attributes: readonly (readonly [type: number, value: Buffer])[];
}

/** Sends one request and reads its reply, which the kernel gives at once. @throws {SystemError} */
function request(fd: number, type: Request, { fields, attributes }: Asked): Reply {
  const body = Buffer.alloc(messageBytes[type]);
  body.set(fields);
  const message = Buffer.concat([
    Buffer.alloc(headerBytes),
    body,
    ...attributes.map(([name, value]) => attribute(name, value)),
  ]);
  message.writeUInt32LE(message.length, 0);
  message.writeUInt16LE(type, 4);
  message.writeUInt16LE(NLM_F_REQUEST, 6);
  sendTo(fd, message, toKernel);
  const reply = Buffer.alloc(8192);
  const noSender = Buffer.alloc(12);
  const senderBytes = uint32(noSender.length);
  const length = checked(
    libc().recvfrom(fd, reply, BigInt(reply.length), MSG_DONTWAIT, noSender, senderBytes),
    'recvfrom',
  );
  const received = reply.subarray(headerBytes, length);
  if (reply.readUInt16LE(4) === NLMSG_ERROR) throw new SystemError(`errno ${-received.readInt32LE(0)}`, 'netlink');
  const bodyBytes = messageBytes[type];
  return { body: received.subarray(0, bodyBytes), attributes: attributesOf(received.subarray(bodyBytes)) };
}

function attribute(type: number, value: Buffer): Buffer {
  const bytes = Buffer.alloc((4 + value.length + 3) & ~3);
  bytes.writeUInt16LE(4 + value.length, 0);
  bytes.writeUInt16LE(type, 2);
  bytes.set(value, 4);
  return bytes;
}

function attributesOf(bytes: Buffer): ReadonlyMap<number, Buffer> {
  const attributes = new Map<number, Buffer>();
  for (let at = 0; at + 4 <= bytes.length;) {
    const length = bytes.readUInt16LE(at);
    if (length < 4) break;
    attributes.set(bytes.readUInt16LE(at + 2), bytes.subarray(at + 4, at + length));
    at += (length + 3) & ~3;
  }
  return attributes;
}

/** The 4 or 16 bytes of a `struct sockaddr_in` or `sockaddr_in6`. */
function addressBytes(address: Buffer): Buffer {
  return address.length === 16 ? address.subarray(4, 8) : address.subarray(8, 24);
}

function familyOf({ length }: Buffer): number {
  return length === 4 ? AF_INET : AF_INET6;
}

function textOf(bytes: Buffer): string | undefined {
  const address = Buffer.alloc(28);
  address.writeUInt16LE(familyOf(bytes), 0);
  address.set(bytes, bytes.length === 4 ? 4 : 8);
  return decodeAddress(address);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
