import { icmpProtocol } from '../net/packets/icmp.ts';
import { internetChecksum } from '../net/packets/ip.ts';
import { ipv6Bytes } from '../net/packets/ipv6.ts';
import { encodeAddress } from '../sys/address.ts';
import { decodeLinkAddress, hearAll, linkAddressBytes, openPacketSocket, receivePacket } from '../sys/packet-socket.ts';
import { closeSocket, openSocket, sendTo, SOCK_RAW } from '../sys/socket.ts';
import { fdEvents, watchFd } from '../sys/watch-fd.ts';
import { create, ip, labHost, removeHosts, type LabHost } from './netlab.ts';
import { ipv4Packet } from './ip-packet.ts';

type Family = 4 | 6;

/** A packet of the client, as it reached the other end of the link. */
export interface Probe {
  readonly family: Family;
  readonly ttl: number;
  readonly protocol: number;
  /** How many with this time to live came before. */
  readonly nth: number;
  /** The whole IP packet. */
  readonly packet: Buffer;
}

/** An ICMP message to the client. */
export interface ScriptedAnswer {
  readonly from: string;
  /** Without its checksum, which is filled in. */
  readonly message: Buffer;
  readonly afterMs?: number;
}

type Script = (probe: Probe) => readonly ScriptedAnswer[];

/** A client, and at the other end of its link a program that plays every router and the target as a script says. */
export interface ScriptedPath extends AsyncDisposable {
  readonly client: LabHost;
  /** Answers from now on by this script. */
  play(script: Script): void;
}

const clientAddresses = { 4: '10.95.0.1', 6: 'fd95::1' } as const;
export const scriptedTarget = { 4: '10.95.9.1', 6: 'fd95:0:0:9::1' } as const;

/** The address of a router. */
export function scriptedRouter(family: Family, n: number): string {
  return family === 4 ? `10.95.${n}.1` : `fd95:0:0:${n}::1`;
}

/** How many bytes behind its IP header a router quotes of a packet; RFC 792 asks for 8. */
export function quoteOf({ family, packet }: Probe, bytesBehindHeader = Infinity): Buffer {
  return packet.subarray(0, Math.min(packet.length, headerBytes[family] + bytesBehindHeader));
}

/** An ICMP error about a packet; `rest` are the four bytes between checksum and quote. */
export function icmpErrorMessage([type, code]: readonly [type: number, code: number], quote: Buffer, rest = 0): Buffer {
  const message = Buffer.alloc(8 + quote.length);
  message.writeUInt8(type, 0);
  message.writeUInt8(code, 1);
  message.writeUInt32BE(rest, 4);
  quote.copy(message, 8);
  return message;
}

/** The reply to an echo request. */
export function echoReplyMessage({ family, packet }: Probe): Buffer {
  const message = Buffer.from(packet.subarray(headerBytes[family]));
  message.writeUInt8(family === 4 ? 0 : 129, 0);
  message.writeUInt16BE(0, 2);
  return message;
}

const headerBytes = { 4: 20, 6: 40 } as const;
const IPPROTO_RAW = 255;
let paths = 0;

export async function openScriptedPath(): Promise<ScriptedPath> {
  const prefix = `watchkeeper-script-${process.pid}-${++paths}`;
  const [client, far] = [labHost(`${prefix}-client`), labHost(`${prefix}-far`)];
  try {
    await connect(client, far);
  } catch (error) {
    await removeHosts([client, far]);
    throw error;
  }
  const player = new Player(far);
  return {
    client,
    play: (script) => player.play(script),
    async [Symbol.asyncDispose]() {
      player.close();
      await removeHosts([client, far]);
    },
  };
}

async function connect(client: LabHost, far: LabHost): Promise<void> {
  await create(client);
  await create(far);
  await ip(
    client,
    `link add wire type veth peer name wire netns ${far.namespace}`,
    `address add ${clientAddresses[4]}/24 dev wire`,
    `address add ${clientAddresses[6]}/64 dev wire nodad`,
    'link set wire up',
  );
  await ip(
    far,
    'address add 10.95.0.2/24 dev wire',
    'address add fd95::2/64 dev wire nodad',
    'link set wire up',
    // The script alone answers; the kernel drops what is not for itself, and says nothing.
    'route add blackhole fd95::/32',
  );
  await ip(client, 'route add 10.95.0.0/16 via 10.95.0.2', 'route add fd95::/32 via fd95::2');
  await far.run('sysctl', '-q', '-w', 'net.ipv4.ip_forward=0', 'net.ipv6.conf.all.forwarding=0');
  const sysctls = ['all', 'wire'].flatMap((device) => [
    `net.ipv4.conf.${device}.rp_filter=0`,
    `net.ipv4.conf.${device}.accept_redirects=0`,
  ]);
  await client.run('sysctl', '-q', '-w', 'net.ipv4.ping_group_range=0 2147483647', ...sysctls);
  for (const address of ['10.95.0.2', 'fd95::2'])
    await client.run('ping', '-n', '-c', '1', '-i', '0.2', '-w', '15', address);
}

/** Hears the far end of the link, and sends what the script answers. */
class Player {
  readonly #hearing: number;
  readonly #speaking: Readonly<Record<Family, number>>;
  readonly #stopWatching: () => void;
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #seen = new Map<number, number>();
  #script: Script = () => [];

  constructor(far: LabHost) {
    using _there = far.enter();
    this.#hearing = openPacketSocket();
    hearAll(this.#hearing);
    this.#speaking = {
      4: openSocket({ family: 4, kind: SOCK_RAW, protocol: IPPROTO_RAW }),
      6: openSocket({ family: 6, kind: SOCK_RAW, protocol: IPPROTO_RAW }),
    };
    this.#stopWatching = watchFd(this.#hearing, fdEvents.readable, () => this.#hear());
  }

  play(script: Script): void {
    this.#script = script;
    this.#seen.clear();
    this.#stopTimers();
  }

  close(): void {
    this.#stopTimers();
    this.#stopWatching();
    for (const fd of [this.#hearing, this.#speaking[4], this.#speaking[6]]) closeSocket(fd);
  }

  #stopTimers(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  #hear(): void {
    const bytes = Buffer.alloc(65_536);
    const link = Buffer.alloc(linkAddressBytes);
    for (let length = receivePacket(this.#hearing, bytes, link); length !== undefined;) {
      const probe = decodeLinkAddress(link).isOutgoing ? undefined : probeOf(Buffer.from(bytes.subarray(0, length)));
      if (probe) this.#answer(probe);
      length = receivePacket(this.#hearing, bytes, link);
    }
  }

  #answer(heard: Omit<Probe, 'nth'>): void {
    const nth = this.#seen.get(heard.ttl) ?? 0;
    this.#seen.set(heard.ttl, nth + 1);
    for (const answer of this.#script({ ...heard, nth })) {
      const send = (): void => this.#send(heard.family, answer);
      if (answer.afterMs === undefined) send();
      else this.#timers.add(setTimeout(send, answer.afterMs));
    }
  }

  #send(family: Family, { from, message }: ScriptedAnswer): void {
    const to = clientAddresses[family];
    const packet = family === 4 ? icmp4Packet(from, to, message) : icmp6Packet(from, to, message);
    sendTo(this.#speaking[family], packet, encodeAddress({ ip: to, family }));
  }
}

/** Undefined for what is not to the target: neighbours looking for each other. */
function probeOf(packet: Buffer): Omit<Probe, 'nth'> | undefined {
  const family = packet.readUInt8(0) >> 4;
  if (family === 4 && packet.subarray(16, 20).join('.') === scriptedTarget[4])
    return { family, ttl: packet.readUInt8(8), protocol: packet.readUInt8(9), packet };
  if (family === 6 && packet.subarray(24, 40).equals(ipv6Bytes(scriptedTarget[6])))
    return { family, ttl: packet.readUInt8(7), protocol: packet.readUInt8(6), packet };
  return undefined;
}

function icmp4Packet(source: string, destination: string, message: Buffer): Buffer {
  const payload = Buffer.from(message);
  payload.writeUInt16BE(internetChecksum(payload), 2);
  return ipv4Packet({ source, destination, protocol: icmpProtocol[4], payload });
}

function icmp6Packet(source: string, destination: string, message: Buffer): Buffer {
  const payload = Buffer.from(message);
  const header = Buffer.alloc(headerBytes[6]);
  header.writeUInt8(0x60, 0);
  header.writeUInt16BE(payload.length, 4);
  header.writeUInt8(icmpProtocol[6], 6);
  header.writeUInt8(64, 7);
  ipv6Bytes(source).copy(header, 8);
  ipv6Bytes(destination).copy(header, 24);
  // RFC 8200 section 8.1: the checksum covers addresses, length and protocol too.
  const pseudo = Buffer.concat([
    header.subarray(8),
    Buffer.from([0, 0, payload.length >> 8, payload.length & 0xff, 0, 0, 0, icmpProtocol[6]]),
  ]);
  payload.writeUInt16BE(internetChecksum(Buffer.concat([pseudo, payload])), 2);
  return Buffer.concat([header, payload]);
}
