import { AF_INET, AF_INET6, encodeAddress } from './address.ts';
import { SystemError } from './libc.ts';
import {
  ask,
  netlinkAddress,
  netlinkName,
  type NetlinkAttribute,
  type NetlinkMessage,
  uint32,
  withNetlink,
} from './netlink.ts';

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

// linux/rtnetlink.h, linux/neighbour.h, linux/if_link.h.
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

const messageBytes = { [RTM_GETROUTE]: 12, [RTM_GETNEIGH]: 12, [RTM_GETLINK]: 16 } as const;

/** Undefined if the kernel has no route, or no such table: not Linux. */
export function nextHop(destination: { readonly ip: string; readonly family: 4 | 6 }): NextHop | undefined {
  try {
    return withNetlink((fd) => readNextHop(fd, destination));
  } catch (error) {
    if (error instanceof SystemError) return undefined;
    throw error;
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
    gateway: via && netlinkAddress(via),
    interfaceName: netlinkName(link.attributes.get(IFLA_IFNAME)),
    isLinkUp: (flags & IFF_UP) !== 0 && (flags & IFF_LOWER_UP) !== 0,
    isNeighbourThere: isNeighbourThere(fd, via ?? bytes, index),
  };
}

function isNeighbourThere(fd: number, bytes: Buffer, index: Buffer): boolean {
  try {
    const family = bytes.length === 4 ? AF_INET : AF_INET6;
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
  readonly attributes: readonly NetlinkAttribute[];
}

function request(fd: number, type: keyof typeof messageBytes, { fields, attributes }: Asked): NetlinkMessage {
  const body = Buffer.alloc(messageBytes[type]);
  body.set(fields);
  return ask(fd, { type, body, attributes });
}

/** The 4 or 16 bytes of a `struct sockaddr_in` or `sockaddr_in6`. */
function addressBytes(address: Buffer): Buffer {
  return address.length === 16 ? address.subarray(4, 8) : address.subarray(8, 24);
}
