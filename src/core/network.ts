import type { Socket as UdpHandle } from 'node:dgram';
import type { Socket } from 'node:net';
import type { SecureVersion, TLSSocket } from 'node:tls';
import type { Tried } from './tried.ts';

export type Family = 4 | 6;

/** Which IP version a check may use: `auto` is either, in the order of RFC 6724. */
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

/** `first`: only the first address of a name; `any`: the first one that answers (RFC 8305). */
export const addressChoices = ['first', 'any'] as const;
export type AddressChoice = (typeof addressChoices)[number];

/** Settings of a socket that most checks leave to the system. */
export interface SocketSettings {
  /** Address or network interface of this machine to send from. */
  readonly source?: string | undefined;
  /** Differentiated services code point (RFC 2474), 0 to 63. */
  readonly dscp?: number | undefined;
}

/** An address to use for a host, at one port or at all, instead of looking it up. */
export interface AddressOverride {
  readonly host: string;
  readonly port?: number;
  readonly address: Address;
}

export interface DialOptions extends ResolveOptions, SocketSettings {
  readonly overrides?: readonly AddressOverride[] | undefined;
  /** `any` if undefined. */
  readonly addresses?: AddressChoice | undefined;
}

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** The address that was dialled and how it was found, common to `Connection` and `UdpConnection`. */
export interface Dialled {
  readonly address: Address;
  readonly resolveMs: number;
  /** Present when more than one address was tried: all of them, in order, the address that answered included. */
  readonly tried?: readonly Tried[];
}

/** A connected TCP socket, and how long connecting took. The caller destroys the socket. */
export interface Connection extends Dialled {
  readonly socket: Socket;
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
  /** `require`: an OCSP response must come with the certificate; `staple`: it is read if one comes. */
  readonly ocsp: 'staple' | 'require';
  /** Resume an earlier session with the same options instead of a full handshake. */
  readonly resume: boolean;
}

/** Facts about a certificate. Names as `CN=localhost, O=…`; times in epoch milliseconds. */
export interface CertificateFacts {
  readonly subject: string;
  readonly issuer: string;
  readonly validFromMs: number;
  readonly validToMs: number;
  /** Hexadecimal. */
  readonly serial: string;
  /** SHA-256 of the whole certificate, in hexadecimal. */
  readonly fingerprint: string;
  /** `RSA`, `EC P-256`, `Ed25519`. */
  readonly keyType: string;
  /** 0 where the kind of key has no such figure. */
  readonly keyBits: number;
  /** `sha256WithRSAEncryption`. */
  readonly signature: string;
  /** Hosts and addresses it is for (subject alternative names). */
  readonly names: readonly string[];
}

/**
 * Role of a certificate: the server's own, an intermediate, the trust anchor, or unused, because
 * the verified path does not contain it.
 */
export type CertificateRole = 'server' | 'issuer' | 'anchor' | 'unused';

export interface ChainCertificate extends CertificateFacts {
  readonly role: CertificateRole;
  /** False for an anchor that the server did not send. */
  readonly sent: boolean;
}

/** What the OCSP response says that came with the certificate: `none` came, or it proves nothing. */
export type OcspVerdict = 'good' | 'revoked' | 'unknown' | 'none' | 'invalid';

export interface SecureConnection {
  readonly socket: TLSSocket;
  readonly handshakeMs: number;
  readonly protocol: string;
  readonly cipher: string;
  /** Key exchange group: `X25519`; undefined where OpenSSL does not tell. */
  readonly group: string | undefined;
  readonly alpn: string | undefined;
  readonly resumed: boolean;
  /** The server's own first; unused ones come last. */
  readonly certificates: readonly ChainCertificate[];
  /** The certificate of the verified path that expires first; the anchor does not count. */
  readonly expiresFirst: CertificateFacts | undefined;
  readonly ocsp: OcspVerdict;
  /** Sentences: what is wrong with the certificates; empty if `verify`. */
  readonly faults: readonly string[];
  /** Sentences: what breaks a standard, and clients tolerate. */
  readonly oddities: readonly string[];
}

export interface DnsServer {
  readonly address: Address;
  readonly port: number;
}

/** A connected UDP socket: it hears only its peer, and ICMP errors. The caller closes it. */
export interface UdpConnection extends Dialled {
  readonly socket: UdpHandle;
}

/** The first datagram that came back, and how long that took. */
export interface UdpReply extends Dialled {
  readonly reply: Buffer;
  readonly replyMs: number;
}

export const queryProtocols = ['icmp', 'udp', 'tcp'] as const;
export type QueryProtocol = (typeof queryProtocols)[number];

/** An ICMP error that a router or the target sent about a packet. */
export interface IcmpError {
  readonly kind: 'time-exceeded' | 'unreachable' | 'port-unreachable' | 'too-big' | 'other';
  /** In words: `host unreachable`. */
  readonly text: string;
  /** The largest packet that fits, where the error says so. */
  readonly mtu?: number;
}

/** The result of one query. Silence produces none: the caller decides how long to wait. */
export type QueryAnswer =
  | {
      readonly kind: 'reply';
      readonly sequence: number;
      readonly from: string;
      readonly rttMs: number;
      /** Hops the reply could still have gone; undefined where the socket does not tell. */
      readonly ttl: number | undefined;
      /** True for the second and later replies to one query. */
      readonly duplicate: boolean;
    }
  | {
      readonly kind: 'error';
      readonly sequence: number;
      /** Sender of the error; undefined if it is this machine's own. */
      readonly from: string | undefined;
      readonly rttMs: number;
      readonly error: IcmpError;
    }
  /** The packet could not be sent; the error is a `Failure` if the network is the reason. */
  | { readonly kind: 'unsent'; readonly sequence: number; readonly error: Error };

/** How queries are sent: by a kind of ICMP socket, the system's `ping`, or a socket of the protocol itself. */
export type QueryMeans = 'datagram' | 'raw' | 'ping' | 'udp' | 'tcp';

/** Sends numbered packets to one address and hears what comes back about each. Whoever opens it disposes of it. */
export interface QueryChannel extends Disposable {
  readonly address: Address;
  readonly resolveMs: number;
  readonly via: QueryMeans;
  /** Sends a packet; each `sequence` (0 to 65,535) once. `ttl` overrides the channel's. */
  send(sequence: number, ttl?: number): void;
}

export interface QueryTarget {
  readonly protocol: QueryProtocol;
  readonly host: string;
  /** Where UDP and TCP queries go; ICMP has no ports. */
  readonly port?: number;
}

export interface QueryOptions extends ResolveOptions, SocketSettings {
  /** Payload bytes of each packet; TCP has none. */
  readonly size: number;
  /** 1 to 255; the system's choice if undefined. */
  readonly ttl?: number | undefined;
  readonly dontFragment?: boolean;
  /** Called on the event loop, never inside `send`. */
  readonly onAnswer: (answer: QueryAnswer) => void;
}

export interface DnsExchange<T> extends Waits, SocketSettings {
  readonly query: Buffer;
  /** Reads a datagram; undefined if it is not the answer. */
  readonly read: (datagram: Buffer) => T | undefined;
}

/**
 * The network as a check sees it. Every address is checked against the egress policy before a packet leaves, and every
 * failure is a `Failure` with a reason.
 */
export interface Network {
  /** The first address of a name. @throws as `resolveAll` */
  resolve(host: string, options: ResolveOptions): Promise<Address>;
  /** The addresses of a name, at least one, in the order of RFC 6724. @throws {Failure} name-not-found, resolver-failed, timeout */
  resolveAll(endpoint: Endpoint, options: DialOptions): Promise<readonly Address[]>;
  /** The name of an address, without its final dot; undefined if it has none. @throws {Failure} resolver-failed */
  reverse(address: Address, options: Waits): Promise<string | undefined>;
  /** The system's DNS servers, in the order in which they are asked. */
  dnsServers(): readonly DnsServer[];
  /**
   * Sends a DNS message by UDP and resolves with what `read` makes of the first datagram from that server that carries
   * its id and that `read` takes.
   * @throws {Failure} denied, refused, unreachable, timeout
   */
  exchangeDns<T>(server: DnsServer, message: DnsExchange<T>): Promise<T>;
  /** @throws {Failure} denied */
  permit(address: Address, port?: number): void;
  /** Whether this proxy may be asked for a name. @throws {Failure} denied */
  permitName(name: string, proxy: { readonly address: Address; readonly port: number }): void;
  /**
   * Connects to the addresses of a name in turn: to the next one at once when an address refuses or cannot be reached,
   * and beside it when it is silent. The failure carries the address, the time of the lookup, and every address tried.
   * @throws {Failure} as `resolve` and `permit`; refused, reset, unreachable, timeout
   */
  connect(endpoint: Endpoint, options: DialOptions): Promise<Connection>;
  startTls(socket: Socket, options: TlsOptions & Waits): Promise<SecureConnection>;
  /** Opens a socket to the first address that this machine has a route to. @throws {Failure} as `connect` */
  openUdp(endpoint: Endpoint, options: DialOptions): Promise<UdpConnection>;
  /**
   * Sends one datagram and waits for the reply, address by address as `connect`. An ICMP error other than "port
   * unreachable" ends nothing: it is told when the time is over. @throws {Failure} as `connect`; `timeout` is silence
   */
  askUdp(endpoint: Endpoint, options: DialOptions & { readonly payload: Buffer }): Promise<UdpReply>;
  /** @throws {Failure} unsupported, where the system lets us send no such packets; and as `resolve` and `permit` */
  openQueries(target: QueryTarget, options: QueryOptions): Promise<QueryChannel>;
}
