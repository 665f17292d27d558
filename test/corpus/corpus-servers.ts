import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import type { TestCertificates } from '../../src/testing/certificates.ts';
import type { DnsRule, ServerPlan, TlsSettings } from './corpus-case.ts';
import { readQuery, writeMessage, type DnsQuery } from './dns-notation.ts';
import { bytesOf, type Facts, type Place } from './placeholders.ts';
import { answerDatagram, ScriptedConnection, type ScriptContext } from './script.ts';

/** Servers that listen on free loopback ports and do what a case says. */
export interface CorpusServers extends AsyncDisposable {
  readonly places: ReadonlyMap<string, Place>;
  /** Connections, datagrams or queries that each server had. */
  readonly visits: ReadonlyMap<string, number>;
  /** Waits for the scripts that still look at what they got; each sentence says what was wrong with it. */
  complaints(): Promise<readonly string[]>;
}

type Close = () => Promise<void>;
interface Listening {
  readonly port: number;
  readonly close: Close;
}

interface Parts {
  readonly plan: ServerPlan;
  readonly context: ScriptContext;
  /** Counts a visit and says the how manieth it is, from 0. */
  readonly visit: () => number;
  readonly scripts: Promise<void>[];
  /** 0 for any free one. */
  readonly wantedPort: number;
}

const loopback = { 4: '127.0.0.1', 6: '::1' } as const;
const settleMs = 1000;

export interface ServerSetting {
  readonly certificates: TestCertificates | undefined;
  /** Where a server must listen; any free port for those that are not named. */
  readonly ports: Readonly<Record<string, number>>;
}

export async function startServers(
  plans: Readonly<Record<string, ServerPlan>>,
  { certificates, ports }: ServerSetting,
): Promise<CorpusServers> {
  const places = new Map<string, Place>();
  const visits = new Map<string, number>();
  const complaints: string[] = [];
  const scripts: Promise<void>[] = [];
  const stop = new AbortController();
  const closers: Close[] = [];
  const facts: Facts = { places, certificates };
  for (const [name, plan] of Object.entries(plans)) {
    const visit = (): number => {
      const before = visits.get(name) ?? 0;
      visits.set(name, before + 1);
      return before;
    };
    const complain = (text: string): void => void complaints.push(`${name}: ${text}`);
    const context: ScriptContext = { facts, complain, signal: stop.signal };
    const { port, close } = await listen({ plan, context, visit, scripts, wantedPort: ports[name] ?? 0 });
    places.set(name, { host: loopback[plan.family], port });
    closers.push(close);
  }
  return {
    places,
    visits,
    async complaints() {
      await Promise.race([Promise.all(scripts), new Promise((resolve) => setTimeout(resolve, settleMs).unref())]);
      return complaints;
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await Promise.all(closers.map((close) => close()));
    },
  };
}

async function listen(parts: Parts): Promise<Listening> {
  const { plan } = parts;
  if (plan.tcp) return await listenTcp(streamServer(parts, plan.tcp), plan, parts.wantedPort);
  if (plan.udp) return await listenUdp(parts, plan.udp);
  if (plan.dns) return await listenDns(parts, plan.dns);
  const { port, close } = plan.closed === 'udp' ? await bindUdp(plan, 0) : await listenTcp(createServer(), plan);
  await close();
  return { port, close: async () => {} };
}

function streamServer({ plan, context, visit, scripts }: Parts, plans: NonNullable<ServerPlan['tcp']>): Server {
  const onConnection = (socket: Socket): void => {
    const script = plans[Math.min(visit(), plans.length - 1)] ?? [];
    scripts.push(new ScriptedConnection(socket, context).play(script));
  };
  if (!plan.tls) return createServer(onConnection);
  return createTlsServer(tlsOptionsOf(plan.tls, context.facts), onConnection).on('tlsClientError', () => {});
}

function tlsOptionsOf(settings: TlsSettings, { certificates }: Facts): TlsOptions {
  const { chain, minVersion, maxVersion, groups, ciphers, alpn, clientCertificate } = settings;
  const found = chain.map((name) => {
    const certificate = certificates?.[name as keyof TestCertificates];
    if (!certificate) throw new Error(`src/testing/certificates.ts has no certificate ${name}.`);
    return certificate;
  });
  return {
    cert: found.map(({ certificate }) => certificate).join(''),
    key: found[0]?.key,
    ...(minVersion && { minVersion }),
    ...(maxVersion && { maxVersion }),
    ...(groups && { ecdhCurve: groups }),
    ...(ciphers && { ciphers }),
    ...(alpn && { ALPNProtocols: alpn }),
    ...(clientCertificate && { requestCert: true, ca: certificates?.ca.certificate }),
  };
}

async function listenTcp(server: Server, { family }: ServerPlan, port = 0): Promise<Listening> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    // A peer that resets is part of many cases and no error of this server.
    socket.on('error', () => {}).once('close', () => sockets.delete(socket));
  });
  server.listen(port, loopback[family]);
  await once(server, 'listening');
  return {
    // A listening TCP server has an AddressInfo.
    port: (server.address() as AddressInfo).port,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

async function bindUdp({ family }: ServerPlan, port: number): Promise<Listening & { readonly socket: UdpSocket }> {
  const socket = createSocket(family === 4 ? 'udp4' : 'udp6');
  socket.bind(port, loopback[family]);
  await once(socket, 'listening');
  // An ICMP error about an answer nobody waits for is none of ours.
  socket.on('error', () => {});
  return {
    socket,
    port: socket.address().port,
    async close() {
      socket.close();
      await once(socket, 'close');
    },
  };
}

async function listenUdp(parts: Parts, plans: NonNullable<ServerPlan['udp']>): Promise<Listening> {
  const { context, visit, scripts } = parts;
  const { socket, port, close } = await bindUdp(parts.plan, parts.wantedPort);
  socket.on('message', (datagram, from) => {
    const script = plans[Math.min(visit(), plans.length - 1)] ?? [];
    const send = (bytes: Buffer): void => {
      if (!context.signal.aborted) socket.send(bytes, from.port, from.address);
    };
    scripts.push(answerDatagram(datagram, script, { ...context, send }));
  });
  return { port, close };
}

/** UDP and TCP on one port: a free TCP port may be taken on UDP, then another is tried. */
async function listenDns(parts: Parts, rules: readonly DnsRule[]): Promise<Listening> {
  const { plan, context, visit } = parts;
  const answersTo = (query: Buffer, by: 'udp' | 'tcp'): readonly Buffer[] => {
    visit();
    return answer(rules, query, { by, complain: context.complain });
  };
  const tcp = createServer((socket) => {
    socket.on('data', (chunk: Buffer) => {
      for (const message of answersTo(chunk.subarray(2), 'tcp')) socket.write(framed(message));
    });
  });
  const stream = await listenTcp(tcp, plan);
  const datagrams = await bindUdp(plan, stream.port).catch(() => undefined);
  if (!datagrams) {
    await stream.close();
    return await listenDns(parts, rules);
  }
  datagrams.socket.on('message', (query, from) => {
    for (const message of answersTo(query, 'udp')) datagrams.socket.send(message, from.port, from.address);
  });
  return { port: stream.port, close: async () => void (await Promise.all([stream.close(), datagrams.close()])) };
}

function answer(
  rules: readonly DnsRule[],
  query: Buffer,
  { by, complain }: { readonly by: 'udp' | 'tcp'; readonly complain: (text: string) => void },
): readonly Buffer[] {
  try {
    const asked = readQuery(query);
    const rule = rules.find(({ when }) => fits(when, asked, by));
    return (rule?.say ?? []).map((plan) =>
      plan.hex === undefined ? writeMessage(plan, query) : bytesOf(plan.hex, query),
    );
  } catch (error) {
    complain(String(error));
    return [];
  }
}

function fits(when: DnsRule['when'], asked: DnsQuery, by: 'udp' | 'tcp'): boolean {
  const seen: Readonly<Record<string, unknown>> = { ...asked, name: asked.name.toLowerCase(), by };
  return Object.entries(when).every(([key, wanted]) => seen[key] === wanted);
}

function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}
