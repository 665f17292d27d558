import { hostname } from 'node:os';
import { ClientAddresses } from '../../adapters/client-address.ts';
import { ConnectionGuard } from '../../adapters/connection-guard.ts';
import { WebSocketAcceptor, type Caller } from '../../adapters/web-socket-acceptor.ts';
import type { Config } from '../../config/config.ts';
import { systemClock as clock } from '../../core/clock.ts';
import { placeLimitsFor } from '../../core/connection-places.ts';
import { formatEndpoint, isLoopback } from '../../core/target.ts';
import type { BackupMaker } from '../../server/backup/make-backup.ts';
import { strangerBytes } from '../../server/gateway/gateway.ts';
import type { ServerIdentity } from '../../server/gateway/greeting.ts';
import type { DataFolder } from '../../server/host/data-folder.ts';
import { listenAdmin, listenTcp, type TcpListener } from '../../server/host/listen.ts';
import type { AccountBook } from '../../server/accounts/account-book.ts';
import { createApp } from '../../server/routes/app.ts';
import { Audit } from '../../server/routes/audit.ts';
import { addHeartbeats } from '../../server/routes/heartbeats.ts';
import { callersBy } from '../../server/routes/callers.ts';
import { addDashboard } from '../../server/routes/dashboard.ts';
import { signInsRoutes } from '../../server/routes/sign-ins.ts';
import { addStatus, type StatusPorts } from '../../server/routes/status.ts';
import type { Store } from '../../server/store/store.ts';
import { descriptorLimit } from '../../sys/descriptors.ts';
import type { OperatorLog } from '../../terminal/operator-log.ts';
import type { NotifierDesk } from '../../server/outbox/notifier-desk.ts';
import { version } from '../installation.ts';
import type { Server } from './build-server.ts';
import { dashboardFiles } from './dashboard-files.ts';
import { adminRoutes, publicRoutes } from './serve-routes.ts';

interface ListenParts {
  readonly listen: { readonly host: string; readonly port: number };
  readonly config: Partial<Pick<Config, 'server'>>;
  readonly server: Server;
  readonly store: Store;
  readonly identity: ServerIdentity;
  readonly desk: NotifierDesk;
  readonly accounts: AccountBook;
  readonly folder: DataFolder;
  readonly backups: BackupMaker;
  readonly log: OperatorLog;
}

/** The open listeners. They end with the stack that they were opened on. */
interface Listening {
  /** Where others reach this server. */
  readonly url: string;
  /** Where this machine reaches it. */
  readonly ownUrl: string;
  /** PEM, where the server speaks TLS. */
  readonly certificate: string | undefined;
  /** Shows new connections the certificate of this configuration; false if TLS would begin or end. @throws when it cannot be used */
  readonly renewTls: (config: Pick<Config, 'server'>) => boolean;
}

/** Listens for agents, people and programs, and on the admin socket. @throws {AppError} when an address or a file cannot be used */
export async function openListeners(parts: ListenParts, running: AsyncDisposableStack): Promise<Listening> {
  const { listen, config, server, store, identity, desk, accounts, folder, backups, log } = parts;
  const tls = tlsOf(parts, config);
  const routes = publicRoutes({ server, store, identity, desk, clock, url: () => url });
  const addresses = new ClientAddresses(config.server?.trustedProxies ?? []);
  const audit = new Audit({
    clock,
    say: (text, about) => log.say(text, about),
    addressOf: (request) => addresses.of(request),
  });
  const common = { version: version(), audit, onInternalError: (error: unknown) => log.say(traceOf(error)) };
  const guard = guardOf(server, addresses);
  const callers = callersBy({
    token: folder.apiToken(),
    person: (token) => accounts.person(token),
    isSecure: tls !== undefined || config.server?.publicUrl?.startsWith('https:') === true,
    onAuthorised: (request) => guard.placeOf(request)?.trust(),
    addressOf: (request) => addresses.of(request),
  });
  const onRefused = (address: string): void => audit.wrongPassword(address);
  const signingIn = signInsRoutes({ clock, book: accounts, callers, onRefused });
  const app = createApp({ ...common, routes: [...routes, ...signingIn], callers });
  addDashboard(app, dashboardFiles());
  addStatus(app, statusPorts({ server, guard, audit, log }));
  addHeartbeats(app, {
    take: (key, ping) => server.heartbeats.take(key, ping),
    addressOf: (request) => addresses.of(request),
  });
  const tcp = running.adopt(await listenTcp(app, { ...listen, tls }), (listener) => listener.close());
  const url = config.server?.publicUrl ?? urlOf(listen.host, tcp.port, tls !== undefined);
  guard.attach(tcp.server);
  running.adopt(acceptorOf(server, guard, addresses), (acceptor) => acceptor.close()).attach(tcp.server);
  // Before its listener, which waits for every connection to end.
  running.defer(() => server.gateway.close());
  const adminApp = createApp({
    ...common,
    routes: [...routes, ...adminRoutes({ server, store, clock, backups })],
    callers: undefined,
  });
  running.adopt(await listenAdmin(adminApp, folder.adminSocket), (listener) => listener.close());
  const ownUrl = ownUrlOf(tcp, tls !== undefined);
  // Who comes through a proxy sees the certificate of that.
  const certificate = config.server?.publicUrl === undefined ? tls?.certificate : undefined;
  return { url, ownUrl, certificate, renewTls: (changed) => tcp.renew(tlsOf(parts, changed)) };
}

function traceOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

interface Told {
  readonly server: Server;
  readonly guard: ConnectionGuard;
  readonly audit: Audit;
  readonly log: OperatorLog;
}

function statusPorts({ server, guard, audit, log }: Told): StatusPorts {
  return {
    clock,
    version: version(),
    health: server.health,
    agents: () => server.fleet.views(),
    wanted: () => server.tasks.wanted,
    latest: (taskId) => server.latest.get(taskId),
    states: server.states,
    lostLogLines: () => log.lostLines,
    connections: () => guard.counts,
    audit: () => audit.counts,
  };
}

function tlsOf(
  { listen, folder }: Pick<ListenParts, 'listen' | 'folder'>,
  { server }: ListenParts['config'],
): { certificate: string; key: string } | undefined {
  return server?.tls ?? (isLoopback(listen.host) ? undefined : folder.certificate(clock.now()));
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

function guardOf({ faults }: Server, addresses: ClientAddresses): ConnectionGuard {
  return new ConnectionGuard({
    limits: placeLimitsFor(descriptorLimit()),
    isShared: (address) => addresses.isProxy(address),
    onCrowded: (address) => faults.crowded(address),
  });
}

function acceptorOf({ gateway }: Server, guard: ConnectionGuard, addresses: ClientAddresses): WebSocketAcceptor {
  const onLine = ({ line, ...caller }: Caller): void => void gateway.adopt(line, caller);
  return new WebSocketAcceptor({ guard, strangerBytes, onLine, addressOf: (request) => addresses.of(request) });
}
