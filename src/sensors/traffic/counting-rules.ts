// Rules of counting, shared by the filter in the kernel and the ring counter.

/** Number of peers that are counted individually. */
export const peerCapacity = 16_384;
/** Number of pairs of other hosts, whose packets this machine passes on. */
export const pairCapacity = 4096;
/** Number of services of peers that are remembered, so that the first packet to each is handed up. */
export const serviceCapacity = 16_384;
/** Addresses and broadcast addresses of this machine, and ports of its bridges. */
export const ownCapacity = { addresses: 16_384, ports: 4096 } as const;

export const etherTypes = { ipv4: 0x0800, ipv6: 0x86dd } as const;
export const protocols = { icmp: 1, tcp: 6, udp: 17, icmpv6: 58 } as const;

/** RFC 4861: router and neighbour discovery and redirects, the ARP of IPv6, as types of ICMPv6. */
export const discoveryTypes = { first: 133, last: 137 } as const;
/** TCP (RFC 9293): of SYN and ACK the packet that begins a connection has SYN alone. */
export const tcpFlags = { syn: 0x02, reset: 0x04, ack: 0x10 } as const;
/** A request of ICMP echo (RFC 792, RFC 4443). */
export const echoRequests = { 4: { protocol: 1, type: 8 }, 6: { protocol: 58, type: 128 } } as const;
/** DNS and mDNS; HTTPS, DNS over TLS, and the alternative HTTPS port. */
export const namingPorts: Readonly<Record<'dnsQuestions' | 'dnsAnswers' | 'tls', readonly number[]>> = {
  dnsQuestions: [53],
  dnsAnswers: [53, 5353],
  tls: [443, 853, 8443],
};

/** Loopback is the first interface of each network namespace. */
export const loopbackIndex = 1;

/** Bytes of a packet that are handed up: for a first meeting, and for a packet whose names are read. */
export const handedUp = { first: 256, whole: 4096 } as const;
