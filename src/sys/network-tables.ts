import { AF_INET, AF_INET6 } from './address.ts';
import { attributesOf, dump, netlinkAddress, netlinkName, type NetlinkMessage, withNetlink } from './netlink.ts';

// linux/rtnetlink.h, linux/if_link.h, linux/if_addr.h, linux/neighbour.h.
const RTM_GETLINK = 18;
const RTM_GETADDR = 22;
const RTM_GETROUTE = 26;
const RTM_GETNEIGH = 30;
const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_LINK = 5;
const IFLA_MASTER = 10;
const IFLA_LINKINFO = 18;
const IFLA_STATS64 = 23;
const IFLA_INFO_KIND = 1;
const IFF_UP = 0x1;
const IFF_LOWER_UP = 0x1_0000;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;
const RTA_VIA = 18;
const RTA_MULTIPATH = 9;
const RTN_UNICAST = 1;
const NDA_DST = 1;
const NDA_LLADDR = 2;
/** Incomplete, failed, and entries that need no address of the link. */
const neighbourWithoutMac = 0x01 | 0x20 | 0x40;

/** `struct ifinfomsg`, `ifaddrmsg`, `rtmsg`, `ndmsg`. */
const bodyBytes = { link: 16, address: 8, route: 12, neighbour: 12 } as const;
/** Where `struct rtnl_link_stats64` has the bytes. */
const stats = { received: 16, sent: 24 } as const;

/** An interface as the kernel has it. */
export interface Link {
  readonly index: number;
  readonly name: string;
  readonly mac: string | undefined;
  /** The kernel's word for virtual ones: `bridge`, `veth`, `macvlan`, `tun`, …; undefined for hardware. */
  readonly kind: string | undefined;
  /** Index of the bridge or bond that it is a port of. */
  readonly master: number | undefined;
  /** Index of the interface that it stands on, or of the other end of a pair. */
  readonly lower: number | undefined;
  /** It is switched on, and its cable is in. */
  readonly isUp: boolean;
  /** Bytes since it exists, headers of the link included. */
  readonly received: number;
  readonly sent: number;
}

export interface LinkAddressEntry {
  readonly interfaceIndex: number;
  readonly address: string;
  readonly prefix: number;
}

export interface DefaultRoute {
  readonly interfaceIndex: number;
  /** Undefined where the link itself is the route. */
  readonly gateway: string | undefined;
  readonly family: 4 | 6;
}

export interface Neighbour {
  readonly interfaceIndex: number;
  readonly address: string;
  readonly mac: string;
}

/** The interfaces of this network namespace. @throws {SystemError} */
export function readLinks(): readonly Link[] {
  const entries = withNetlink((fd) => dump(fd, { type: RTM_GETLINK, body: Buffer.alloc(bodyBytes.link) }));
  return entries.map(({ body, attributes }) => {
    const info = attributes.get(IFLA_LINKINFO);
    const kind = netlinkName(info && attributesOf(info).get(IFLA_INFO_KIND));
    const counters = attributes.get(IFLA_STATS64);
    const flags = body.readUInt32LE(8);
    return {
      index: body.readInt32LE(4),
      name: netlinkName(attributes.get(IFLA_IFNAME)),
      mac: macText(attributes.get(IFLA_ADDRESS)),
      kind: kind === '' ? undefined : kind,
      master: attributes.get(IFLA_MASTER)?.readUInt32LE(0),
      lower: attributes.get(IFLA_LINK)?.readUInt32LE(0),
      isUp: (flags & IFF_UP) !== 0 && (flags & IFF_LOWER_UP) !== 0,
      received: Number(counters?.readBigUInt64LE(stats.received) ?? 0n),
      sent: Number(counters?.readBigUInt64LE(stats.sent) ?? 0n),
    };
  });
}

/** The addresses of all interfaces. @throws {SystemError} */
export function readAddresses(): readonly LinkAddressEntry[] {
  const entries = withNetlink((fd) => dump(fd, { type: RTM_GETADDR, body: Buffer.alloc(bodyBytes.address) }));
  return entries.flatMap(({ body, attributes }) => {
    // Of a link between two hosts IFA_ADDRESS is the other one's.
    const address = netlinkAddress(attributes.get(IFA_LOCAL) ?? attributes.get(IFA_ADDRESS) ?? Buffer.alloc(0));
    if (address === undefined) return [];
    return [{ interfaceIndex: body.readUInt32LE(4), address, prefix: body.readUInt8(1) }];
  });
}

/**
 * The default routes of IPv4 and IPv6, each next station of a route of several. A VPN halves the address space instead
 * (0.0.0.0/1 and 128.0.0.0/1): both halves count as well. @throws {SystemError}
 */
export function readDefaultRoutes(): readonly DefaultRoute[] {
  const body = Buffer.alloc(bodyBytes.route);
  const entries = withNetlink((fd) => dump(fd, { type: RTM_GETROUTE, body }));
  return entries.flatMap((entry) => (isDefault(entry) ? stationsOf(entry) : []));
}

/** The prefix of the destination has no more than one bit; rejecting routes lead nowhere. */
function isDefault({ body }: NetlinkMessage): boolean {
  return body.readUInt8(1) <= 1 && body.readUInt8(7) === RTN_UNICAST;
}

function stationsOf({ body, attributes }: NetlinkMessage): readonly DefaultRoute[] {
  const family = body.readUInt8(0) === AF_INET6 ? 6 : 4;
  const several = attributes.get(RTA_MULTIPATH);
  if (!several) return [stationOf(family, { index: attributes.get(RTA_OIF)?.readUInt32LE(0) ?? 0, attributes })];
  const stations: DefaultRoute[] = [];
  // Of `struct rtnexthop`: length, flags, weight, interface, then attributes.
  for (let at = 0; at + 8 <= several.length;) {
    const length = several.readUInt16LE(at);
    if (length < 8) break;
    const index = several.readInt32LE(at + 4);
    stations.push(stationOf(family, { index, attributes: attributesOf(several.subarray(at + 8, at + length)) }));
    at += (length + 3) & ~3;
  }
  return stations;
}

function stationOf(
  family: 4 | 6,
  { index, attributes }: { readonly index: number; readonly attributes: ReadonlyMap<number, Buffer> },
): DefaultRoute {
  // RTA_VIA has its family before the address: IPv6 as the next station of IPv4.
  const via = attributes.get(RTA_GATEWAY) ?? attributes.get(RTA_VIA)?.subarray(2);
  return { interfaceIndex: index, gateway: via && netlinkAddress(via), family };
}

/** The neighbours whose MAC address the kernel knows (ARP, neighbour discovery). @throws {SystemError} */
export function readNeighbours(): readonly Neighbour[] {
  return withNetlink((fd) =>
    [AF_INET, AF_INET6].flatMap((family) => {
      const body = Buffer.alloc(bodyBytes.neighbour);
      body.writeUInt8(family, 0);
      return dump(fd, { type: RTM_GETNEIGH, body });
    }),
  ).flatMap((entry) => neighbourIn(entry) ?? []);
}

function neighbourIn({ body, attributes }: NetlinkMessage): Neighbour | undefined {
  const address = netlinkAddress(attributes.get(NDA_DST) ?? Buffer.alloc(0));
  const mac = macText(attributes.get(NDA_LLADDR));
  const isKnown = (body.readUInt16LE(8) & neighbourWithoutMac) === 0;
  if (!isKnown || address === undefined || mac === undefined) return undefined;
  return { interfaceIndex: body.readInt32LE(4), address, mac };
}

/** `02:00:00:00:00:01`; undefined for a link without MAC addresses. */
function macText(bytes: Buffer | undefined): string | undefined {
  if (bytes?.length !== 6 || bytes.every((byte) => byte === 0)) return undefined;
  return bytes.toString('hex').match(/../g)?.join(':');
}
