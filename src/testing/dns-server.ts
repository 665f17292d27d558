import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { DnsServer } from '../core/network.ts';
import { decodeMessage } from '../net/packets/dns/decode.ts';
import { encodeMessage, type DnsMessage, type DnsRecord } from '../net/packets/dns/message.ts';

type Said = DnsMessage | Buffer | undefined | readonly (DnsMessage | Buffer)[];

/** What a server says to a query, at once or later: a message, several, any bytes at all, or nothing. */
export type Answer = (query: DnsMessage, by: 'udp' | 'tcp') => Said | Promise<Said>;

export interface DnsTestServer extends AsyncDisposable, DnsServer {
  readonly host: string;
  /** The queries it got so far. */
  readonly queries: readonly DnsMessage[];
}

/** A DNS server on loopback, UDP and TCP on one port, free if zero, that answers what the test says. */
export async function dnsServer(answer: Answer, { host = '127.0.0.1', port = 0 } = {}): Promise<DnsTestServer> {
  const queries: DnsMessage[] = [];
  const reply = async (datagram: Buffer, by: 'udp' | 'tcp'): Promise<readonly Buffer[]> => {
    const query = decodeMessage(datagram);
    queries.push(query);
    const said = await answer(query, by);
    if (said === undefined) return [];
    return [said].flat().map((one) => (one instanceof Uint8Array ? one : encodeMessage(one)));
  };
  const { udp, tcp } = await bindBoth(host, port);
  const connections = new Set<Socket>();
  udp.on('message', async (datagram, from) => {
    for (const said of await reply(datagram, 'udp')) udp.send(said, from.port, from.address);
  });
  tcp.on('connection', (socket) => {
    connections.add(socket);
    socket
      .on('error', () => {})
      .on(
        'data',
        unframed(async (query) => {
          for (const said of await reply(query, 'tcp')) socket.write(framed(said));
        }),
      );
  });
  return {
    host,
    address: { ip: host, family: 4 },
    port: udp.address().port,
    queries,
    async [Symbol.asyncDispose]() {
      for (const socket of connections) socket.destroy();
      udp.close();
      tcp.close();
      await once(tcp, 'close');
    },
  };
}

/** A free TCP port may be taken on UDP: then another is tried. */
async function bindBoth(host: string, wanted: number): Promise<{ udp: UdpSocket; tcp: Server }> {
  for (;;) {
    const tcp = createServer().listen(wanted, host);
    await once(tcp, 'listening');
    // A listening TCP server has an AddressInfo.
    const { port } = tcp.address() as AddressInfo;
    const udp = createSocket('udp4');
    const bound = once(udp, 'listening').then(
      () => true,
      () => false,
    );
    udp.bind(port, host);
    if (await bound) return { udp, tcp };
    tcp.close();
  }
}

/** Takes the messages out of the chunks of a stream: a client may send several at once. */
function unframed(onMessage: (message: Buffer) => unknown): (chunk: Buffer) => void {
  let received = Buffer.alloc(0);
  return (chunk) => {
    received = Buffer.concat([received, chunk]);
    while (received.length >= 2 && received.length >= received.readUInt16BE(0) + 2) {
      const end = received.readUInt16BE(0) + 2;
      onMessage(received.subarray(2, end));
      received = received.subarray(end);
    }
  };
}

/** A message with its length before it, as streams carry it. */
export function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}

/** The answer to a query, in parts; what is left out is empty, and no error. */
export function replyTo(query: DnsMessage, parts: Partial<DnsMessage> = {}): DnsMessage {
  const { id, opcode, questions } = query;
  const empty = { answers: [], authorities: [], additionals: [], rcode: 0 };
  return { id, opcode, questions, ...empty, flags: ['qr', 'rd', 'ra'], ...parts };
}

/** `example.test 60 A 192.0.2.1` as a record. */
export function record(line: string): DnsRecord {
  const [name = '', ttl, type = '', ...data] = line.split(' ');
  return { name, ttlSeconds: Number(ttl), type, data: data.join(' ') };
}

/** Answers from a list of records, with the aliases on the way; a name that has none is NXDOMAIN, with an SOA. */
export function zone(lines: readonly string[]): Answer {
  const records = lines.map(record);
  const soa = record('test 30 SOA ns.test hostmaster.test 1 3600 600 86400 20');
  return (query) => {
    const [asked] = query.questions;
    const answers: DnsRecord[] = [];
    for (let name = asked?.name.toLowerCase(); name !== undefined;) {
      const ofName = records.filter((one) => one.name === name);
      answers.push(...ofName.filter(({ type }) => type === asked?.type || type === 'CNAME'));
      name = ofName.find(({ type }) => type === 'CNAME')?.data;
    }
    const exists = records.some(({ name }) => name === asked?.name.toLowerCase());
    const authorities = answers.length === 0 ? [soa] : [];
    return replyTo(query, { answers, authorities, rcode: exists ? 0 : 3 });
  };
}

export const silent: Answer = () => undefined;
