// Rules of counting, shared by the filter in the kernel and the ring counter.

/** Number of peers that are counted individually. */
export const peerCapacity = 16_384;

export const etherTypes = { ipv4: 0x0800, ipv6: 0x86dd } as const;
export const protocols = { tcp: 6, udp: 17 } as const;
/** DNS and mDNS; HTTPS, DNS over TLS, and the alternative HTTPS port. */
export const namingPorts: Readonly<Record<'dns' | 'tls', readonly number[]>> = {
  dns: [53, 5353],
  tls: [443, 853, 8443],
};

/** Loopback is the first interface of each network namespace. */
export const loopbackIndex = 1;

/** Bytes of a packet that are handed up: for a first meeting, and for a packet whose names are read. */
export const handedUp = { first: 256, whole: 4096 } as const;
