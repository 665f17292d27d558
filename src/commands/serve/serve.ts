import { randomBytes, randomUUIDv7 } from 'node:crypto';
import type { Say } from '../../core/say.ts';
import { networkInterfaces } from 'node:os';
import { webSocketDialler } from '../../adapters/web-socket-line.ts';
import type { Config } from '../../config/config.ts';
import { readDefinition, readRoomDefinition } from '../../config/definition.ts';
import { systemClock as clock } from '../../core/clock.ts';
import type { MonitorSpec } from '../../core/monitor-spec.ts';
import { formatEndpoint } from '../../core/target.ts';
import { keyPin } from '../../protocol/identity.ts';
import { AccountBook } from '../../server/accounts/account-book.ts';
import { assertRestoreEnded, finishRestore } from '../../server/backup/restore-backup.ts';
import { AgentCalls } from '../../server/fleet/agent-calls.ts';
import { DataFolder } from '../../server/host/data-folder.ts';
import { ClientLogs } from '../../server/evidence/client-logs.ts';
import type { Notice } from '../../server/store/sqlite/sqlite-store.ts';
import type { Store } from '../../server/store/store.ts';
import { Upkeep, type UpkeepParts } from '../../server/host/upkeep.ts';
import { defaultServerFolder, takeFolder } from '../data-folders.ts';
import { DiskWatch, diskSpace } from './disk-watch.ts';
import { alertPlansOf } from './build-states.ts';
import { buildServer, loadServer, stopServer, type Server } from './build-server.ts';
import { openSqliteStore } from './open-store.ts';
import { ServeDeadMan } from './serve-deadman.ts';
import { ServeNotifiers } from './serve-notifiers.ts';
import { openListeners } from './serve-listen.ts';
import { loadServerConfig, type ServerConfig } from './serve-config.ts';
import { reload, sayUnknownAgents, type Reloading } from './serve-reload.ts';
import { onHangup } from '../hangup.ts';
import { aborted } from '../interruption.ts';
import type { OperatorLog } from '../../terminal/operator-log.ts';
import { startLocalAgent } from './serve-local-agent.ts';
import { backupsOf } from './serve-backups.ts';
import { whereInBrowser, welcomeLines } from './serve-welcome.ts';

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
  readonly onReady?: (url: string, inBrowser: string) => void;
}

type StartConfig = Pick<Config, 'monitors'> &
  Partial<Pick<Config, 'server' | 'sensors' | 'rooms' | 'notifiers' | 'windows' | 'egress'>>;

/** Runs the server until the signal. @throws {AppError} when it cannot start */
export async function serve(options: ServeOptions, signal: AbortSignal): Promise<void> {
  const say: Say = (text, about) => options.log.say(text, about);
  await using running = new AsyncDisposableStack();
  process.umask(0o077);
  const taken = running.use(takeFolder(options.data ?? defaultServerFolder(), { mode: 0o700, user: 'server' }));
  const folder = folderAt(taken.path);
  const { config, files, leftOut } = await startConfig(options.config, say);
  const store = running.use(await openSqliteStore({ folder: folder.path, say: (notice) => say(sentenceOf(notice)) }));
  const identity = await identityOf({ folder, store, say });
  const parts = { clock, identity, store, readMonitor: readDefinition, readRoom: readRoomDefinition, say };
  const server = running.adopt(buildServer(parts), stopServer);
  server.health.noteConfig(leftOut);
  const { sensors: sensorPlans, rooms } = config;
  const alerts = alertPlansOf(config);
  await loadServer(server, { clock, store, monitors: specsIn(config), sensorPlans, rooms, alerts });
  const backups = backupsOf({ folder, store, clock, given: files });
  const accounts = new AccountBook({ clock, store, newId: randomUUIDv7, newSecret });
  await accounts.load();
  const notifiers = running.use(new ServeNotifiers(store, say));
  notifiers.follow(config);
  server.alerts.onMessages(() => notifiers.wake());
  const shared = { server, store, identity, desk: notifiers.desk, accounts, folder, backups, log: options.log };
  const listening = await openListeners({ ...shared, listen: options.listen, config }, running);
  const calls = running.adopt(agentCallsOf(server, say), (calls) => calls.reconcile([]));
  calls.reconcile(config.server?.agents ?? []);
  const retention = config.server?.retention;
  keepHouse({ server, store, folder, say, retention, ...clockTrust(options, server) }, running);
  const place = { folder, url: listening.ownUrl, pin: keyPin(identity.publicKey) };
  const localParts = { server, ...place, say, isWanted: options.localAgent };
  const { names: own, useEgress } = await startLocalAgent(localParts, config.egress, running);
  const deadMan = running.adopt(new ServeDeadMan(server, say), (watched) => watched.follow({}));
  deadMan.follow(config);
  const retry = running.adopt({ cancel: () => {} }, ({ cancel }) => cancel());
  const follow = { renewTls: listening.renewTls, useEgress, own, started: config };
  const reloading = { server, deadMan, notifiers, calls, ...follow, say, signal, retry };
  onHangup(() => reloadFrom(options.config, reloading));
  const { setUpKey } = accounts;
  for (const line of welcomeLines({ ...listening, setUpKey, folder: folder.path, isNamed: options.data !== undefined }))
    say(line);
  sayUnknownAgents(server, config, { own, say });
  options.onReady?.(listening.url, whereInBrowser(listening.url, setUpKey));
  await aborted(signal);
  say('Stopping.', { event: 'stopping' });
}

type House = LogParts & Pick<UpkeepParts, 'retention' | 'isClockConfirmed' | 'acceptsClock'>;

/** What goes on beside the results: logs of clients, upkeep of the store, a look at the disk. */
function keepHouse(
  { retention, isClockConfirmed, acceptsClock, ...parts }: House,
  running: AsyncDisposableStack,
): void {
  const { server, store, folder, say } = parts;
  const clientLogs = running.adopt(clientLogsOf(parts), (logs) => logs.stop());
  const tidied = { store, clientLogs, retention, isClockConfirmed, acceptsClock };
  const upkeep = new Upkeep({ ...tidied, ...leftoverPorts(server), clock, health: server.health, say });
  running.adopt(upkeep, () => upkeep.stop()).start();
  const disk = new DiskWatch({ clock, say, space: () => diskSpace(folder.path) });
  running.adopt(disk, () => disk.stop()).start();
}

/** 256 bits: RFC 6750 and OWASP ask for 128 at least. */
function newSecret(): string {
  return randomBytes(32).toString('base64url');
}

function folderAt(path: string): DataFolder {
  finishRestore(path);
  assertRestoreEnded(path);
  return new DataFolder(path);
}

/** Who this server is. A store without the identity that it belongs to is as good as another server's: that is said. */
async function identityOf({ folder, store, say }: { folder: DataFolder; store: Store; say: Say }) {
  const isKept = folder.hasIdentity;
  const identity = folder.identity();
  const agents = isKept ? [] : (await store.agents()).filter(({ revokedAt }) => revokedAt === undefined);
  const lost = `${folder.path} has a store and had no server.json, by which agents know their server: a new one was made`;
  const next = `none of the ${agents.length} agents in the store will come back to it. Put the old server.json back, restore a backup, or invite them anew`;
  if (agents.length > 0) say(`${lost}, and ${next}.`, { event: 'identity-lost', level: 'error' });
  return identity;
}

type Start = Omit<ServerConfig, 'config'> & { readonly config: StartConfig };

async function startConfig(file: string | undefined, say: Say): Promise<Start> {
  if (file !== undefined) return await loadServerConfig(file, say);
  return { config: { monitors: [] }, files: [], leftOut: undefined };
}

async function reloadFrom(file: string | undefined, reloading: Reloading): Promise<void> {
  if (file === undefined) reloading.say('There is no configuration to read again: --config names one.');
  else await reload(file, reloading);
}

function clockTrust({ acceptClock = false }: ServeOptions, server: Server) {
  return { isClockConfirmed: () => server.fleet.confirmsClock(ownAddresses()), acceptsClock: acceptClock };
}

function ownAddresses(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap((addresses = []) => addresses.map(({ address }) => address));
}

function specsIn({ monitors }: StartConfig): readonly MonitorSpec[] {
  return monitors.map(({ spec }) => spec);
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
  if (notice.event === 'unsealable-hour') {
    const hour = `The results of task ${notice.taskId} from ${new Date(notice.from).toISOString()} to an hour later`;
    return `${hour} cannot be packed and stay as they are; nothing is lost. It is a bug in Watchkeeper, please report it: ${notice.reason}`;
  }
  if (notice.event === 'migrated') return `The store was brought from version ${notice.from} to ${notice.to}.`;
  if (notice.event === 'lock-gained') return 'The store is ours again.';
  return 'Another process holds the store locked; results wait in memory and in the agents until it lets go.';
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

function leftoverPorts({ book, gate, tasks, latest }: Server): Pick<UpkeepParts, 'monitorIds' | 'onDropped'> {
  return {
    monitorIds: () => book.entries().map(({ spec }) => spec.id),
    onDropped(dropped) {
      tasks.forgetTasks(dropped.tasks);
      latest.forget(dropped.tasks);
      gate.forget(dropped.agents);
      for (const agentId of dropped.agents) tasks.forget(agentId);
    },
  };
}

interface LogParts {
  readonly server: Server;
  readonly store: Store;
  readonly folder: DataFolder;
  readonly say: Say;
}

function clientLogsOf({ server, store, folder, say }: LogParts): ClientLogs {
  const clientLogs = new ClientLogs({ clock, folder: folder.clients, store, say });
  server.bus.subscribe(({ type }) => {
    if (type === 'record') clientLogs.wake();
  });
  clientLogs.wake();
  return clientLogs;
}
