import type { Socket as UdpHandle } from 'node:dgram';
import type { Socket } from 'node:net';
import type { PeerCertificate, SecureVersion, TLSSocket } from 'node:tls';

export type Family = 4 | 6;

/** Which family to use when a name has both: `auto` takes IPv4 where there is one, else IPv6, so that a run is repeatable. */
export const familyChoices = ['auto', '4', '6'] as const;
export type FamilyChoice = (typeof familyChoices)[number];

export interface Address {
  readonly ip: string;
  readonly family: Family;
}

interface Waits {
  readonly signal: AbortSignal;
}

export interface ResolveOptions extends Waits {
  readonly family?: FamilyChoice;
}

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** A connected TCP socket, what it took, and to whom. The caller destroys the socket. */
export interface Connection {
  readonly socket: Socket;
  readonly address: Address;
  readonly resolveMs: number;
  readonly connectMs: number;
}

export interface TlsOptions {
  /** Name for SNI and for the certificate check. */
  readonly serverName: string;
  readonly verify: boolean;
  readonly minVersion: SecureVersion;
  /** PEM texts. */
  readonly ca?: string | undefined;
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
  readonly alpn?: readonly string[] | undefined;
  /** Resume an earlier session with the same options instead of a full handshake. */
  readonly resume: boolean;
}

export interface SecureConnection {
  readonly socket: TLSSocket;
  readonly handshakeMs: number;
  readonly protocol: string;
  readonly cipher: string;
  readonly alpn: string | undefined;
  readonly resumed: boolean;
  /** The leaf's `valid_to` as epoch milliseconds; undefined on a resumed session. */
  readonly expiresAtMs: number | undefined;
  /** Costly: parsed on demand. */
  certificate(): PeerCertificate;
}

/** A connected UDP socket: it hears only its peer, and ICMP errors. The caller closes it. */
export interface UdpConnection {
  readonly socket: UdpHandle;
  readonly address: Address;
  readonly resolveMs: number;
}

/**
 * The network as a check sees it. Every address is checked against the egress policy before a packet leaves, and every
 * failure is a `Failure` with a reason.
 */
export interface Network {
  /** @throws {Failure} name-not-found, resolver-failed, timeout */
  resolve(host: string, options: ResolveOptions): Promise<Address>;
  /** @throws {Failure} denied */
  permit(address: Address, port?: number): void;
  connect(endpoint: Endpoint, options: ResolveOptions): Promise<Connection>;
  startTls(socket: Socket, options: TlsOptions & Waits): Promise<SecureConnection>;
  openUdp(endpoint: Endpoint, options: ResolveOptions): Promise<UdpConnection>;
}
