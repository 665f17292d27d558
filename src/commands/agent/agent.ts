import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { AgentListener } from '../../adapters/agent-listener.ts';
import { folderFiles } from '../../adapters/folder-files.ts';
import { loopDelay } from '../../adapters/loop-delay.ts';
import { machineTime } from '../../adapters/machine-time.ts';
import { webSocketDialler } from '../../adapters/web-socket-line.ts';
import { AgentFolder, type AgentFile } from '../../agent/agent-file.ts';
import { Agent } from '../../agent/agent.ts';
import { gatewayCheck, resolverCheck } from '../../agent/health-checks.ts';
import { usualRules, type LocalRules } from '../../agent/local-rules.ts';
import { privileges } from '../../agent/privileges.ts';
import { placeOf } from '../../adapters/place-of.ts';
import { isSamePlace } from '../../core/place.ts';
import { delayResolutionMs, SelfTest } from '../../agent/self-test.ts';
import type { Spool, SpoolOptions } from '../../agent/spool/spool.ts';
import { openSpool } from './open-spool.ts';
import type { LinkState } from '../../agent/uplink.ts';
import { systemClock as clock } from '../../core/clock.ts';
import type { Milliseconds } from '../../core/duration.ts';
import { AppError } from '../../core/errors.ts';
import type { Network } from '../../core/network.ts';
import { formatEndpoint, isLoopback } from '../../core/target.ts';
import { isThisMachine } from '../../net/dial/egress.ts';
import { createNetwork } from '../../net/network.ts';
import { createCertificate } from '../../protocol/certificate.ts';
import { keyPin } from '../../protocol/identity.ts';
import type { SensorOrder } from '../../protocol/messages.ts';
import { createJoinToken, formatJoinToken, parseJoinToken } from '../../protocol/join-token.ts';
import { LagGuard } from '../../schedule/lag.ts';
import { sensorTypes } from '../../sensors/registry.ts';
import type { OperatorLog } from '../../terminal/operator-log.ts';
import { defaultAgentFolder, takeFolder } from '../data-folders.ts';
import { readEgressPolicy, rereadEgressPolicy } from './egress-file.ts';
import { onHangup } from '../hangup.ts';
import { aborted } from '../interruption.ts';
import { version } from '../installation.ts';

export interface AgentOptions {
  /** The server's http: or https: address; the one of the last time if absent. */
  readonly join?: string;
  /** A join token, needed once. */
  readonly token?: string;
  /** Where to be called by the server, instead of calling it. */
  readonly listen?: { readonly host: string; readonly port: number };
  readonly name?: string;
  /** The agent's folder. */
  readonly data?: string;
  /** A file whose `egress:` says what its checks may reach. */
  readonly egress?: string;
  /** Check types, sensors and targets that the server may ask of this machine; every one if undefined. */
  readonly allowChecks?: readonly string[];
  readonly allowSensors?: readonly string[];
  readonly allowTargets?: readonly string[];
  readonly maxTasks?: number;
  readonly minInterval?: Milliseconds;
  /** Whether a server beyond this machine may be reached without TLS. */
  readonly insecure?: boolean;
}

interface AgentSurroundings {
  /** Takes the lines for the operator. */
  readonly log: OperatorLog;
  readonly signal: AbortSignal;
}

/** Runs an agent until the signal. @throws {AppError} when it cannot start */
export async function runAgent(options: AgentOptions, { log, signal }: AgentSurroundings): Promise<void> {
  const say = (text: string): void => log.say(text);
  let agent: Agent | undefined;
  let url: URL | undefined;
  const ownPorts = (): readonly number[] => portsHere(options.listen, url, agent?.uplink.serverAddresses ?? []);
  const policy = await readEgressPolicy(options.egress, { ownPorts, only: options.allowTargets });
  process.umask(0o077);
  onHangup(() => rereadEgressPolicy(options.egress, policy, say));
  // The watched person may pass through to the notice in it.
  using taken = takeFolder(options.data ?? defaultAgentFolder(), { mode: 0o711, user: 'agent' });
  const folder = new AgentFolder(folderFiles(taken.path));
  const file = introduced(folder, options);
  url = options.listen ? undefined : serverUrl(file);
  if (url) refuseClearText(url, { isAccepted: options.insecure === true, say });
  const net = createNetwork({ clock, policy });
  // Its own gateway and resolver are no targets of the server's.
  const selfTest = selfTestOn(options.allowTargets ? createNetwork({ clock }) : net);
  const spool = await openOwnSpool(folder, { isUsed: hasJoined(file), onChange: () => agent?.onSpoolChange() });
  for (const name of spool.recovered.quarantined) {
    say(`The spool file ${name} was damaged and is kept aside; a gap record says what is missing.`);
  }
  const told = { onLink: announcer(say), onOrder: orderAnnouncer(say), onFault: onlyChanges(say) };
  const parts = {
    clock,
    dialler: webSocketDialler,
    net,
    folder,
    file,
    spool,
    selfTest,
    lag: new LagGuard(clock),
    sensorTypes,
    rules: rulesOf(options),
    ...told,
  };
  agent = new Agent({ ...parts, machine: machineTime(), version: version(), random: Math.random });
  agent.start();
  const listener = options.listen && (await listen(agent, options.listen));
  if (options.listen) sayWhereCalled(options.listen, file, say);
  if (url) agent.uplink.dial(url);
  say(`Agent ${file.name} (${file.agentId}); its data is in ${folder.path}.`);
  for (const { name, isHeld, cost } of privileges()) if (!isHeld) say(`Without ${name}: ${cost}.`);
  await aborted(signal);
  listener?.stop();
  await agent.stop();
}

/** The spool of this folder. One whose folder was copied begins a new epoch, so that the copy and the original are told apart. */
async function openOwnSpool(folder: AgentFolder, options: SpoolOptions): Promise<Spool> {
  const place = placeOf(folder.path);
  const before = folder.place();
  const isCopied = before !== undefined && !isSamePlace(before, place);
  const spool = await openSpool(join(folder.path, 'spool'), {
    ...options,
    ...(isCopied && { renewal: 'copied' as const }),
  });
  // Otherwise the disk refused, and the next start tries again.
  const isRenewed = spool.stats().epoch !== spool.recovered.epoch;
  if (!before || (isCopied && isRenewed)) folder.savePlace(place);
  return spool;
}

/** A server has accepted it, so that it has had entries to send. */
function hasJoined({ serverPin, secret }: AgentFile): boolean {
  return serverPin !== undefined && secret === undefined;
}

function selfTestOn(net: Network): SelfTest {
  const checks = { resolver: resolverCheck(net), gateway: gatewayCheck(net) };
  return new SelfTest({ clock, checks, delay: loopDelay(delayResolutionMs) });
}

function rulesOf(options: AgentOptions): LocalRules {
  const { allowChecks: checks, allowSensors: sensors } = options;
  const { maxTasks = usualRules.maxTasks, minInterval: minIntervalMs = usualRules.minIntervalMs } = options;
  return { checks, sensors, maxTasks, minIntervalMs };
}

/** Who this agent is and whom it serves, after what the command line says. @throws {AppError} usage */
function introduced(folder: AgentFolder, { join: address, token, name, listen }: AgentOptions): AgentFile {
  let file = folder.identity(name ?? hostname());
  if (name !== undefined) file = { ...file, name };
  if (token !== undefined) file = { ...file, ...trustOf(token) };
  if (address !== undefined) file = { ...file, serverUrl: checkedUrl(address) };
  // An agent that is called makes the token itself, for the first server that shows it.
  if (listen && file.serverPin === undefined) {
    file = { ...file, secret: file.secret ?? createJoinToken(keyPin(file.publicKey)).secret };
  }
  folder.saveIdentity(file);
  return file;
}

function trustOf(token: string): Pick<AgentFile, 'serverPin' | 'secret'> {
  const parsed = parseJoinToken(token);
  if (parsed) return { serverPin: parsed.pin, secret: parsed.secret };
  throw new AppError(
    'usage',
    "expected a join token that begins with wk1; 'watchkeeper invite' on the server prints one",
  );
}

function checkedUrl(text: string): string {
  const url = URL.parse(text.includes('://') ? text : `https://${text}`);
  if (url && (url.protocol === 'http:' || url.protocol === 'https:')) return url.href;
  throw new AppError(
    'usage',
    `expected the server's address like https://server.example:7411, got ${JSON.stringify(text)}`,
  );
}

function serverUrl({ serverUrl: url, serverPin }: AgentFile): URL {
  if (url !== undefined && serverPin !== undefined) return new URL(url);
  throw new AppError(
    'usage',
    "this agent has joined no server yet; 'watchkeeper invite' on the server prints the line that joins it",
  );
}

function isClearText({ protocol, hostname }: URL): boolean {
  return protocol === 'http:' && !isLoopback(withoutBrackets(hostname));
}

/** @throws {AppError} usage, for a server that is reached without TLS beyond this machine, unless the person has accepted it */
function refuseClearText(
  url: URL,
  { isAccepted, say }: { readonly isAccepted: boolean; readonly say: (text: string) => void },
): void {
  if (!isClearText(url)) return;
  const { origin, host } = url;
  const danger = 'without TLS anybody on the way can read and change what the server and this agent say';
  if (isAccepted) return say(`The server is reached at ${origin}, as --insecure allows: ${danger}.`);
  throw new AppError('usage', `expected https for ${host}: ${danger}; --insecure accepts that`);
}

function withoutBrackets(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}

function isHere(host: string): boolean {
  const family = isIP(host);
  return isLoopback(host) || (family !== 0 && isThisMachine({ ip: host, family: family === 4 ? 4 : 6 }));
}

/** Ports of this machine that are no targets: where this agent listens, and where the server does if it runs here. */
function portsHere(
  listen: AgentOptions['listen'],
  url: URL | undefined,
  serverAddresses: readonly string[],
): readonly number[] {
  const ports = listen ? [listen.port] : [];
  if (!url) return ports;
  const hosts = [withoutBrackets(url.hostname), ...serverAddresses];
  if (!hosts.some(isHere)) return ports;
  return [...ports, Number(url.port) || (url.protocol === 'https:' ? 443 : 80)];
}

async function listen(
  agent: Agent,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<AgentListener> {
  const listener = new AgentListener({
    host,
    port,
    tls: isLoopback(host) ? undefined : createCertificate('watchkeeper agent', clock.now()),
    adopt: ({ line, address, onTrusted }) => agent.uplink.adopt(line, address, onTrusted),
  });
  await listener.start();
  return listener;
}

function sayWhereCalled(
  where: { readonly host: string; readonly port: number },
  file: AgentFile,
  say: (text: string) => void,
): void {
  say(`Listens on ${formatEndpoint(where)}.`);
  if (file.secret === undefined) return;
  const token = formatJoinToken({ pin: keyPin(file.publicKey), secret: file.secret });
  say(
    `In the server's configuration: agents: [{ name: ${file.name}, address: "${formatEndpoint(where)}", token: ${token} }]`,
  );
}

/** One line whenever the line to the server changes, not one a try. */
function announcer(say: (text: string) => void): (link: LinkState) => void {
  const sayChange = onlyChanges(say);
  return (link) =>
    sayChange(
      link.state === 'connected'
        ? `Connected to ${link.server}.`
        : `Not connected to ${link.server}: ${link.message}${nextOf(link)}`,
    );
}

/** What to do; of a refusal the server has said it. */
function nextOf({ state, message }: Exclude<LinkState, { state: 'connected' }>): string {
  if (state === 'refused') return '';
  if (state === 'waiting') return '. Waiting for it to call again.';
  // The name of the machine that the server runs on stands in what `invite` prints; not every network knows it.
  return message.includes('getaddrinfo')
    ? '. Trying again; if its name is not known here, --join takes its address as well.'
    : '. Trying again until it works.';
}

/** Whoever sits at the machine may read it: what is collected, and by whom. */
function orderAnnouncer(say: (text: string) => void): (order: SensorOrder) => void {
  const nothing = 'Nothing is collected of this machine.';
  const sayChange = onlyChanges(say, nothing);
  return ({ sensors, by, purpose, until }) => {
    if (sensors.length === 0) return sayChange(nothing);
    const what = sensors.map(({ sensor }) => sensor).join(', ');
    const why = purpose === undefined ? '' : `, for: ${purpose}`;
    const end = until === undefined ? '' : `, until ${new Date(until).toISOString()}`;
    sayChange(`Collected of this machine: ${what}; by ${by}${why}${end}.`);
  };
}

function onlyChanges(say: (text: string) => void, before = ''): (text: string) => void {
  let last = before;
  return (text) => {
    if (text !== last) say(text);
    last = text;
  };
}
