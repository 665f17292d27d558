// By these rules packets are counted, by the filter in the kernel as well as here.

/** Peers that are counted one by one. */
export const peerCapacity = 16_384;

export const etherTypes = { ipv4: 0x0800, ipv6: 0x86dd } as const;
export const protocols = { tcp: 6, udp: 17 } as const;
/** DNS and mDNS; HTTPS, DNS over TLS, and HTTPS where the port is not for everybody. */
export const namingPorts: Readonly<Record<'dns' | 'tls', readonly number[]>> = {
  dns: [53, 5353],
  tls: [443, 853, 8443],
};

/** Loopback is the first interface of each network namespace. */
export const loopbackIndex = 1;

/** How much of a packet is handed up: of one that is only a first meeting, and of one that is to be read. */
export const handedUp = { first: 256, whole: 4096 } as const;
