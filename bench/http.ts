import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { once as event } from 'node:events';
import { Agent, get } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls, createSecureContext } from 'node:tls';
import { promisify } from 'node:util';
import { http } from '../src/checks/http/http.ts';
import { systemClock } from '../src/core/clock.ts';
import { createNetwork } from '../src/net/network.ts';
import { encodeRequest } from '../src/net/packets/http1-request.ts';
import { groups } from '../src/net/tls/groups.ts';
import { runMonitor } from '../src/schedule/runner.ts';
import { testCertificates } from '../src/testing/certificates.ts';
import { closedPort } from '../src/testing/tcp-server.ts';
import { acceptsTcp, startDaemon, temporaryFolder, type Daemon } from '../test/peers/daemon.ts';
import { startNginx } from '../test/peers/nginx.ts';

/**
 * HTTP and HTTPS checks per CPU-second beside prometheus-blackbox-exporter: same nginx, a new connection and a full handshake
 * each. The sides take turns, because other load on the machine changes both; the round with the median ratio counts. Node
 * alone, which connects, shakes hands and reads the answer, is the most that a check in JavaScript can reach.
 */

const rounds = 5;
const checks = 4000;
/** Until the compiler has seen what is run often: a monitor runs for months. */
const warmUp = 2000;
const concurrency = 16;

interface HttpFigures {
  readonly scheme: 'http' | 'https';
  readonly ours: number;
  readonly blackbox: number;
  readonly bareNode: number;
  readonly ratio: number;
}

/** Checks per CPU-second of each side, and how many times more ours are. */
async function run(): Promise<readonly HttpFigures[]> {
  await using nginx = await startNginx();
  const { ca } = await testCertificates();
  await using folder = await temporaryFolder('blackbox');
  const { daemon, port } = await startBlackbox(folder.path, ca.certificatePath);
  await using blackbox = daemon;
  const figures: HttpFigures[] = [];
  for (const [scheme, url] of [
    ['http', nginx.url('plain')],
    ['https', nginx.url('good')],
  ] as const) {
    const measured: HttpFigures[] = [];
    for (let round = 0; round < rounds; round++) {
      const peer = await blackboxChecksPerCpuSecond(blackbox, port, url);
      const ours = await inOwnProcess('checks', url, ca.certificatePath);
      const bareNode = await inOwnProcess('bare', url, ca.certificatePath);
      measured.push({ scheme, ours, blackbox: peer, bareNode, ratio: ours / peer });
    }
    figures.push(medianOf(measured));
  }
  return figures;
}

function medianOf(measured: readonly HttpFigures[]): HttpFigures {
  // An odd number of rounds, at least one.
  return measured.toSorted((one, other) => one.ratio - other.ratio)[(rounds - 1) / 2]!;
}

async function startBlackbox(folder: string, caPath: string): Promise<{ daemon: Daemon; port: number }> {
  const port = await closedPort();
  const config = join(folder, 'blackbox.yml');
  await writeFile(
    config,
    `modules: { web: { prober: http, timeout: 5s, http: { preferred_ip_protocol: ip4, enable_http2: false, tls_config: { ca_file: ${caPath} } } } }\n`,
  );
  const command = [
    'prometheus-blackbox-exporter',
    `--config.file=${config}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ] as const;
  const daemon = await startDaemon([...command, '--log.level=error'], { ready: () => acceptsTcp(port) });
  return { daemon, port };
}

async function blackboxChecksPerCpuSecond({ pid }: Daemon, port: number, url: string): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency });
  const probe = async (): Promise<void> => {
    const answer = await fetchText(
      `http://127.0.0.1:${port}/probe?module=web&target=${encodeURIComponent(url)}`,
      agent,
    );
    if (!answer.includes('\nprobe_success 1\n')) throw new Error(`blackbox could not check ${url}:\n${answer}`);
  };
  await repeat(warmUp, probe);
  const beforeMs = await cpuMsOf(pid);
  await repeat(checks, probe);
  const cpuMs = (await cpuMsOf(pid)) - beforeMs;
  agent.destroy();
  return (checks * 1000) / cpuMs;
}

function fetchText(url: string, agent: Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, { agent }, (response) => {
      let text = '';
      response
        .setEncoding('utf8')
        .on('data', (chunk: string) => (text += chunk))
        .once('end', () => resolve(text));
    }).once('error', reject);
  });
}

/** User and system time of a process: fields 14 and 15 of its stat line, in hundredths of a second. */
async function cpuMsOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** Per CPU-second, in a process that does nothing else. */
async function inOwnProcess(what: 'checks' | 'bare', url: string, caPath: string): Promise<number> {
  const args = ['--disable-warning=ExperimentalWarning', import.meta.filename, what, url, caPath];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return Number(stdout);
}

async function measureOurs(url: string, caPath: string): Promise<number> {
  const tls = { ca: await readFile(caPath, 'utf8') };
  const options = http.options.parse({ url, tls });
  const monitor = { id: 'bench', name: 'bench', type: 'http', target: url, options, intervalMs: 1000, timeoutMs: 5000 };
  const net = createNetwork({ clock: systemClock });
  const once = async (): Promise<void> => {
    const { status, message } = await runMonitor(monitor, {
      clock: systemClock,
      net,
      controller: new AbortController(),
    });
    if (status !== 'up') throw new Error(message);
  };
  return await perCpuSecond(once);
}

/** A connection, a verified handshake in the same key exchange groups, the same request, the answer read to its end. */
async function measureBareNode(url: string, caPath: string): Promise<number> {
  const { protocol, hostname: servername, host, port: portText } = new URL(url);
  const port = Number(portText);
  const ecdhCurve = groups.filter((name) => !name.includes('MLKEM')).join(':');
  const secureContext = createSecureContext({ ca: await readFile(caPath), ecdhCurve });
  const request = encodeRequest({
    method: 'GET',
    target: '/',
    headers: { host, 'user-agent': 'bench', accept: '*/*' },
  });
  const once = async (): Promise<void> => {
    const raw = connect({ host: '127.0.0.1', port, noDelay: true });
    const socket = protocol === 'https:' ? connectTls({ socket: raw, secureContext, servername }) : raw;
    await event(socket, protocol === 'https:' ? 'secureConnect' : 'connect');
    socket.write(request);
    socket.resume();
    await event(socket, 'end');
    socket.destroy();
    raw.destroy();
  };
  return await perCpuSecond(once);
}

async function perCpuSecond(work: () => Promise<void>): Promise<number> {
  await repeat(warmUp, work);
  const before = process.cpuUsage();
  await repeat(checks, work);
  const { user, system } = process.cpuUsage(before);
  return checks / ((user + system) / 1e6);
}

async function repeat(times: number, work: () => Promise<void>): Promise<void> {
  let started = 0;
  const worker = async (): Promise<void> => {
    while (started++ < times) await work();
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
}

const [what, url = '', caPath = ''] = process.argv.slice(2);
if (what === 'checks') {
  console.log(await measureOurs(url, caPath));
} else if (what === 'bare') {
  console.log(await measureBareNode(url, caPath));
} else if (import.meta.main) {
  for (const { scheme, ours, blackbox, bareNode, ratio } of await run()) {
    const peers = `blackbox_exporter ${blackbox.toFixed(0)}, ratio ${ratio.toFixed(2)}; bare Node ${bareNode.toFixed(0)}`;
    const each = `ours ${ours.toFixed(0)}, ${peers}`;
    console.log(`${scheme.padEnd(5)} checks per CPU-second: ${each} (median of ${rounds} rounds)`);
  }
}
