import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { WebSocketAcceptor } from '../../adapters/web-socket-acceptor.ts';
import { webSocketDialler } from '../../adapters/web-socket-line.ts';
import { readConfigFile } from '../../config/config-file.ts';
import type { Config } from '../../config/config.ts';
import { readDefinition } from '../../config/definition.ts';
import { formatMistake } from '../../config/mistake.ts';
import { systemClock as clock } from '../../core/clock.ts';
import { AppError } from '../../core/errors.ts';
import type { MonitorSpec } from '../../core/monitor-spec.ts';
import { formatEndpoint, isLoopback } from '../../core/target.ts';
import { AgentCalls } from '../../server/fleet/agent-calls.ts';
import { DataFolder } from '../../server/host/data-folder.ts';
import { ClientLogs } from '../../server/evidence/client-logs.ts';
import { listenAdmin, listenTcp, type TcpListener } from '../../server/host/listen.ts';
import { LocalAgent } from '../../server/host/local-agent.ts';
import { createApp } from '../../server/routes/app.ts';
import { addStatus, type StatusPorts } from '../../server/routes/status.ts';
import type { Notice } from '../../server/store/sqlite/sqlite-store.ts';
import type { Store } from '../../server/store/store.ts';
import { Upkeep } from '../../server/host/upkeep.ts';
import { defaultServerFolder, takeFolder } from '../data-folders.ts';
import { buildServer, loadServer, stopServer, type Server } from './build-server.ts';
import { openSqliteStore } from './open-store.ts';
import { reload, type Reloading } from './serve-reload.ts';
import { adminRoutes, publicRoutes } from './serve-routes.ts';
import { writeEgressPolicy } from '../agent/egress-file.ts';
import { aborted } from '../interruption.ts';
import { lineSplitter, type OperatorLog } from '../../terminal/operator-log.ts';
import { welcomeLines } from './serve-welcome.ts';
import { version } from '../version.ts';

export interface ServeOptions {
  readonly config?: string | undefined;
  readonly data?: string | undefined;
  /** Any other than a loopback address is served with TLS. */
  readonly listen: { readonly host: string; readonly port: number };
  /** Whether the server has a vantage point of its own. */
  readonly localAgent: boolean;
  /** Whether old data is deleted by this machine's clock, although it is far ahead of where it was. */
  readonly acceptClock?: boolean | undefined;
  /** Takes the lines for the operator. */
  readonly log: OperatorLog;
  /** Called with its address once agents and people may come. */
  readonly onReady?: (url: string) => void;
}

type Say = (text: string) => void;

type ServerConfig = Pick<Config, 'monitors'> & Partial<Pick<Config, 'server' | 'sensors' | 'egress'>>;

const localAgentName = 'local';
const localInviteMs = 600_000;

/** Runs the server until the signal. @throws {AppError} when it cannot start */
export async function serve(options: ServeOptions, signal: AbortSignal): Promise<void> {
  const say: Say = (text) => options.log.say(text);
  await using running = new AsyncDisposableStack();
  // From the first moment on: unhandled, the signal would end the server. What comes early is remembered.
  const reloading = Promise.withResolvers<Reloading>();
  running.defer(onHangup(() => void reloadWhenRunning(options.config, reloading.promise)));
  process.umask(0o077);
  const taken = running.use(takeFolder(options.data ?? defaultServerFolder(), { mode: 0o700, user: 'server' }));
  const folder = new DataFolder(taken.path);
  const config: ServerConfig = options.config === undefined ? { monitors: [] } : await loadConfig(options.config, say);
  const store = running.use(await openSqliteStore({ folder: folder.path, say: (notice) => say(sentenceOf(notice)) }));
  const identity = folder.identity();
  const parts = { clock, identity, store, readMonitor: readDefinition, say };
  const server = running.adopt(buildServer(parts), stopServer);
  await loadServer(server, { store, monitors: specsIn(config), sensorPlans: config.sensors });
  const tls = tlsOf(options, folder, config);
  const routes = publicRoutes({ server, store, identity, clock, url: () => url });
  const common = { version: version(), onInternalError: (error: unknown) => say(traceOf(error)) };
  const app = createApp({ ...common, routes, token: folder.apiToken() });
  addStatus(app, statusPorts(server, options.log));
  const tcp = running.adopt(await listenTcp(app, { ...options.listen, tls }), (listener) => listener.close());
  const url = urlOf(options.listen.host, tcp.port, tls !== undefined);
  running.adopt(acceptorOf(server), (acceptor) => acceptor.close()).attach(tcp.server);
  // Before its listener, which waits for every connection to end.
  running.defer(() => server.gateway.close());
  const adminApp = createApp({ ...common, routes: [...routes, ...adminRoutes(store)], token: undefined });
  running.adopt(await listenAdmin(adminApp, folder.adminSocket), (listener) => listener.close());

  const calls = running.adopt(agentCallsOf(server, say), (calls) => calls.reconcile([]));
  calls.reconcile(config.server?.agents ?? []);
  const clientLogs = running.adopt(clientLogsOf({ server, store, folder, say }), (logs) => logs.stop());
  const tidied = { store, clientLogs, retention: config.server?.retention, ...clockTrust(options, server) };
  const upkeep = new Upkeep({ ...tidied, clock, health: server.health, say });
  running.adopt(upkeep, () => upkeep.stop()).start();
  if (options.localAgent) {
    writeEgressPolicy(folder.localEgress, config.egress);
    const own = ownUrlOf(tcp, tls !== undefined);
    const localAgent = localAgentOf({ server, folder, url: own, say });
    await running.adopt(localAgent, (agent) => agent.stop()).start();
  }
  const renewTls = (changed: Config): boolean => tcp.renew(tlsOf(options, folder, changed));
  const retry = running.adopt({ cancel: () => {} }, ({ cancel }) => cancel());
  reloading.resolve({ server, calls, renewTls, started: config, say, retry });
  for (const line of welcomeLines({ url, folder: folder.path, certificate: tls?.certificate })) say(line);
  options.onReady?.(url);
  await aborted(signal);
  say('Stopping.');
}

async function reloadWhenRunning(file: string | undefined, running: Promise<Reloading>): Promise<void> {
  const reloading = await running;
  if (file === undefined) reloading.say('There is no configuration to read again: --config names one.');
  else await reload(file, reloading);
}

function clockTrust({ acceptClock = false }: ServeOptions, server: Server) {
  return { isClockConfirmed: () => server.fleet.confirmsClock(), acceptsClock: acceptClock };
}

function traceOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function specsIn({ monitors }: ServerConfig): readonly MonitorSpec[] {
  return monitors.map(({ spec }) => spec);
}

function statusPorts(server: Server, log: OperatorLog): StatusPorts {
  return {
    clock,
    version: version(),
    health: server.health,
    agents: () => server.fleet.views(),
    wanted: () => server.tasks.wanted,
    latest: (taskId) => server.latest.get(taskId),
    lostLogLines: () => log.lostLines,
  };
}

function sentenceOf(notice: Notice): string {
  if (notice.event === 'quarantined') {
    const { file, reason } = notice;
    return `${file} cannot be used and was put aside: ${reason}. A new store was begun; restore a backup if there is one.`;
  }
  if (notice.event === 'damaged-hour') {
    const hour = `The results of task ${notice.taskId} from ${new Date(notice.from).toISOString()} to an hour later`;
    return `${hour} cannot be read and are left out: ${notice.reason} A backup may still have them.`;
  }
  if (notice.event === 'migrated') return `The store was brought from version ${notice.from} to ${notice.to}.`;
  if (notice.event === 'lock-gained') return 'The store is ours again.';
  return 'Another process holds the store locked; results wait in memory and in the agents until it lets go.';
}

/** Every mistake is told; what is right runs. @throws {AppError} invalid-config, when nothing is */
async function loadConfig(file: string, say: Say): Promise<Config> {
  const { config, mistakes } = await readConfigFile(file, process.env, { mayBeEmpty: true });
  for (const mistake of mistakes) say(formatMistake(file, mistake));
  if (!config) throw new AppError('invalid-config', `${file}: nothing in it can run; correct what is said above`);
  return config;
}

function tlsOf(
  { listen }: ServeOptions,
  folder: DataFolder,
  { server }: ServerConfig,
): { certificate: string; key: string } | undefined {
  if (server?.tls) return { certificate: pemIn(server.tls.certificate), key: pemIn(server.tls.key) };
  return isLoopback(listen.host) ? undefined : folder.certificate(clock.now());
}

/** @throws {AppError} invalid-config */
function pemIn(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new AppError('invalid-config', `tls: ${file} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

/** How others reach this server: by its name where it listens on every address. */
function urlOf(host: string, port: number, isTls: boolean): string {
  const isEveryAddress = host === '0.0.0.0' || host === '::';
  return `${isTls ? 'https' : 'http'}://${formatEndpoint({ host: isEveryAddress ? hostname() : host, port })}`;
}

/** How this machine reaches it: there where it listens. */
function ownUrlOf({ address, port }: TcpListener, isTls: boolean): string {
  const loopback: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };
  return urlOf(loopback[address] ?? address, port, isTls);
}

function acceptorOf({ gateway }: Server): WebSocketAcceptor {
  return new WebSocketAcceptor({
    admit: (address) => gateway.admit(address),
    onLine: ({ line, address, settle }) => void gateway.adopt(line, { address, onSettled: settle }),
  });
}

function agentCallsOf(server: Server, say: Say): AgentCalls {
  return new AgentCalls({
    clock,
    random: Math.random,
    dialler: webSocketDialler,
    adopt: (line, arrival) => server.gateway.adopt(line, arrival),
    onUnreachable: ({ name, address }, why) =>
      say(`Agent ${name} at ${formatEndpoint(address)} cannot be reached: ${why}. It is called again until it can.`),
  });
}

interface LogParts {
  readonly server: Server;
  readonly store: Store;
  readonly folder: DataFolder;
  readonly say: Say;
}

function clientLogsOf({ server, store, folder, say }: LogParts): ClientLogs {
  const nameOf = (agentId: string): string => server.fleet.view(agentId)?.name ?? agentId;
  const clientLogs = new ClientLogs({ clock, folder: folder.clients, store, nameOf, say });
  server.bus.subscribe(({ type }) => {
    if (type === 'record') clientLogs.wake();
  });
  clientLogs.wake();
  return clientLogs;
}

interface LocalAgentParts {
  readonly server: Server;
  readonly folder: DataFolder;
  readonly url: string;
  readonly say: Say;
}

function localAgentOf({ server, folder, url, say }: LocalAgentParts): LocalAgent {
  const launcher = join(import.meta.dirname, '..', '..', '..', 'bin', 'watchkeeper');
  const agentOptions = ['agent', '--join', url, '--name', localAgentName, '--data', folder.localAgent];
  const egress = ['--egress', folder.localEgress];
  return new LocalAgent({
    clock,
    command: [launcher, ...agentOptions, ...egress],
    token: async () => (await server.administration.invite({ lifetimeMs: localInviteMs, numbersNames: true })).token,
    // Its own times are left out: each line gets one here.
    onOutput: lineSplitter((line) => say(`local agent: ${line.replace(/^\d{4}-\d\d-\d\dT[\d:.]+Z /, '')}`)),
  });
}

function onHangup(callback: () => void): () => void {
  process.on('SIGHUP', callback);
  return () => process.off('SIGHUP', callback);
}
