import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { Resolver } from 'node:dns/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { dns } from '../src/checks/dns/dns.ts';
import { systemClock } from '../src/core/clock.ts';
import { createNetwork } from '../src/net/network.ts';
import { askByUdpOrTcp } from '../src/net/dns/ask.ts';
import { runMonitor } from '../src/schedule/runner.ts';
import { startBind9 } from '../test/peers/bind9.ts';
import { missing, temporaryFolder } from '../test/peers/daemon.ts';

/** DNS queries per second by UDP from one process, beside c-ares (Node's own) and dnsperf: same bind9 on loopback, one thread. */

const durationMs = 3000;
const warmUpMs = 1000;
const concurrency = 64;
const name = 'a.example.test';
const record = 'A';

export interface DnsFigures {
  readonly who: string;
  readonly perSecond: number;
  /** CPU time of this process; dnsperf runs in its own. */
  readonly cpuMicrosecondsEach?: number;
}

/** Queries per second of each side: our bare queries, our whole checks, c-ares and, where it is installed, dnsperf. */
export async function run(): Promise<readonly DnsFigures[]> {
  await using bind9 = await startBind9();
  const { port } = bind9.authoritative;
  const figures = [
    await measure('our queries', ourQuery(port)),
    await measure('our whole checks', ourCheck(port)),
    await measure('c-ares', caresQuery(port)),
  ];
  return missing('dnsperf') ? figures : [...figures, await dnsperf(port)];
}

function ourQuery(port: number): () => Promise<void> {
  const net = createNetwork({ clock: systemClock });
  const query = { question: { name, type: record }, recursionDesired: false };
  const { signal } = new AbortController();
  const server = { address: { ip: '127.0.0.1', family: 4 }, port } as const;
  return async () => {
    const { message } = await askByUdpOrTcp(net, query, { server, signal });
    if (message.answers.length !== 2) throw new Error(`got ${message.answers.length} answers`);
  };
}

function ourCheck(port: number): () => Promise<void> {
  const net = createNetwork({ clock: systemClock });
  const options = dns.options.parse({ name, record, server: `127.0.0.1:${port}` });
  const monitor = { id: 'bench', name: 'bench', type: 'dns', target: name, options, intervalMs: 1000, timeoutMs: 5000 };
  return async () => {
    const controller = new AbortController();
    const { status, message } = await runMonitor(monitor, { clock: systemClock, net, controller });
    if (status !== 'up') throw new Error(message);
  };
}

function caresQuery(port: number): () => Promise<void> {
  const resolver = new Resolver();
  resolver.setServers([`127.0.0.1:${port}`]);
  return async () => {
    const addresses = await resolver.resolve4(name);
    if (addresses.length !== 2) throw new Error(`got ${addresses.length} addresses`);
  };
}

async function measure(who: string, ask: () => Promise<void>): Promise<DnsFigures> {
  await repeatFor(warmUpMs, ask);
  const cpu = process.cpuUsage();
  const startedMs = performance.now();
  const queries = await repeatFor(durationMs, ask);
  const tookMs = performance.now() - startedMs;
  const { user, system } = process.cpuUsage(cpu);
  return { who, perSecond: (queries * 1000) / tookMs, cpuMicrosecondsEach: (user + system) / queries };
}

async function repeatFor(limitMs: number, ask: () => Promise<void>): Promise<number> {
  const untilMs = performance.now() + limitMs;
  let done = 0;
  const worker = async (): Promise<void> => {
    for (; performance.now() < untilMs; done++) await ask();
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  return done;
}

async function dnsperf(port: number): Promise<DnsFigures> {
  await using folder = await temporaryFolder('dnsperf');
  const queries = join(folder.path, 'queries');
  await writeFile(queries, `${name} ${record}\n`);
  const limits = ['-l', String(durationMs / 1000), '-q', String(concurrency), '-c', '1', '-T', '1'];
  const { stdout } = await promisify(execFile)('dnsperf', [
    '-s',
    '127.0.0.1',
    '-p',
    String(port),
    '-d',
    queries,
    ...limits,
  ]);
  return { who: 'dnsperf', perSecond: Number(/Queries per second:\s+([\d.]+)/.exec(stdout)?.[1]) };
}

if (import.meta.main) {
  for (const { who, perSecond, cpuMicrosecondsEach } of await run()) {
    const cpu = cpuMicrosecondsEach === undefined ? '' : `, ${cpuMicrosecondsEach.toFixed(1)} µs of CPU each`;
    console.log(`${who.padEnd(16)} ${perSecond.toFixed(0).padStart(7)} queries/s${cpu}`);
  }
}
