import type { CheckContext, Measurement } from '../../core/check.ts';
import { dialOptionsOf } from '../../core/dial-options.ts';
import type { Destination } from '../../core/each-address.ts';
import { Failure } from '../../core/failure.ts';
import { assertFast } from '../../core/limits.ts';
import { metricOf, type Metric } from '../../core/metrics.ts';
import { Oddities } from '../../core/oddities.ts';
import { up, type Outcome } from '../../core/outcome.ts';
import { printable } from '../../core/printable.ts';
import { quoted } from '../../core/quoted.ts';
import { endpointOf, formatEndpoint } from '../../core/target.ts';
import { addressDetail } from '../../core/tried.ts';
import { assertNotExpiring } from '../tls/report.ts';
import { Conversation } from './conversation.ts';
import { mailOptions, type MailOptions } from './mail-options.ts';
import { offers, type MailSession } from './mail-session.ts';
import { secureConversation } from './secure-conversation.ts';

const maxShownCapabilities = 100;
const maxCapabilityLength = 200;

/** How a mail protocol differs from the others. */
export interface MailProtocol {
  readonly ports: { readonly plain: number; readonly tls: number };
  /** By which the server says that it can go on in TLS: `STARTTLS`. */
  readonly startTls: string;
  readonly open: (conversation: Conversation) => MailSession;
}

const metrics = [
  metricOf.resolve,
  metricOf.connect,
  {
    name: 'greetingMs',
    unit: 'ms',
    meaning: 'from connected, in TLS where it comes first, to the end of the greeting',
  },
  metricOf.tls,
  { name: 'loginMs', unit: 'ms', meaning: 'login' },
  metricOf.certificate,
] as const satisfies readonly Metric[];

/** All of a check of a mail server but its names. */
export function mailCheckParts(protocol: MailProtocol) {
  return {
    options: mailOptions,
    metrics,
    defaultTimeoutMs: 10_000,
    asks: ['host', 'port'] as const,
    targetSyntax: 'HOST[:PORT]',
    fromTarget: (target: string) => endpointOf(target),
    targetOf: ({ host, port }: MailOptions): string => (port === undefined ? host : formatEndpoint({ host, port })),
    destinationOf: (options: MailOptions): Destination => ({
      host: options.host,
      port: portOf(options, protocol),
      ...dialOptionsOf(options),
    }),
    run: (options: MailOptions, context: CheckContext, measurement: Measurement): Promise<Outcome> =>
      checkMail({ protocol, options, context, measurement }),
  };
}

interface MailCheck {
  readonly protocol: MailProtocol;
  readonly options: MailOptions;
  readonly context: CheckContext;
  readonly measurement: Measurement;
}

/** The port that is configured, else the usual one, which depends on TLS. */
function portOf({ port, security }: MailOptions, { ports }: MailProtocol): number {
  return port ?? (security === 'tls' ? ports.tls : ports.plain);
}

function beginsInTls({ security }: MailOptions, port: number, { ports }: MailProtocol): boolean {
  return security === 'tls' || (security === 'auto' && port === ports.tls);
}

async function checkMail(check: MailCheck): Promise<Outcome> {
  const { protocol, options, context, measurement } = check;
  const { net, clock, signal } = context;
  const { host } = options;
  const port = portOf(options, protocol);
  const where = formatEndpoint({ host, port });
  const dial = { ...dialOptionsOf(options), signal };
  const { socket, resolveMs, connectMs, ...dialled } = await net.connect({ host, port }, dial);
  const connectedMs = clock.monotonic();
  measurement.metrics = { resolveMs, connectMs };
  measurement.detail = addressDetail(dialled);
  using conversation = new Conversation(socket, { signal, where });
  try {
    if (beginsInTls(options, port, protocol)) await secureConversation(conversation, check);
    await talk(conversation, check);
  } finally {
    if (conversation.greeting !== undefined) measurement.detail['banner'] = conversation.greeting;
  }
  measurement.latencyMs = connectMs + clock.monotonic() - connectedMs;
  assertNotExpiring(measurement, options.tls);
  new Oddities(measurement).assertNone(options);
  assertFast('Connecting and all that followed', measurement.latencyMs, options);
  return up(summaryOf(where, check), measurement);
}

/** From the greeting to the goodbye. */
async function talk(conversation: Conversation, check: MailCheck): Promise<void> {
  const { protocol, options, context, measurement } = check;
  const { metrics, detail } = measurement;
  const session = protocol.open(conversation);
  metrics['greetingMs'] = await timeOf(context, () => session.greet());
  let capabilities = await session.capabilities();
  noteCapabilities(capabilities, measurement);
  if (wantsStartTls(capabilities, conversation.where, check)) {
    await session.startTls();
    await secureConversation(conversation, check);
    detail['startTls'] = true;
    // Capabilities that were offered without TLS may be forged (RFC 3207 section 4.2).
    capabilities = await session.capabilities();
    noteCapabilities(capabilities, measurement);
  }
  assertOffered(capabilities, options, conversation.where);
  await logIn(session, capabilities, { ...check, where: conversation.where });
  await session.leave();
}

async function timeOf({ clock }: CheckContext, work: () => Promise<void>): Promise<number> {
  const startedMs = clock.monotonic();
  await work();
  return clock.monotonic() - startedMs;
}

/** @throws {Failure} assertion, where STARTTLS is required and not offered */
function wantsStartTls(
  capabilities: readonly string[],
  where: string,
  { protocol, options, measurement }: MailCheck,
): boolean {
  const { security } = options;
  if (security === 'none' || security === 'tls' || measurement.detail['tls'] !== undefined) return false;
  const isOffered = offers(capabilities, protocol.startTls);
  if (isOffered || security === 'auto') return isOffered;
  throw new Failure('assertion', `Expected ${where} to offer ${protocol.startTls}, it offers ${listed(capabilities)}.`);
}

function noteCapabilities(capabilities: readonly string[], { detail }: Measurement): void {
  detail['capabilities'] = capabilities
    .slice(0, maxShownCapabilities)
    .map((line) => printable(line.slice(0, maxCapabilityLength)));
}

/** @throws {Failure} assertion */
function assertOffered(capabilities: readonly string[], options: MailOptions, where: string): void {
  const missing = options.capabilities.find((wanted) => !offers(capabilities, wanted));
  if (missing !== undefined)
    throw new Failure('assertion', `Expected ${where} to offer ${missing}, it offers ${listed(capabilities)}.`);
}

function listed(capabilities: readonly string[]): string {
  return capabilities.length === 0 ? 'nothing' : quoted(capabilities.join(', '));
}

async function logIn(
  session: MailSession,
  capabilities: readonly string[],
  { options, context, measurement, where }: MailCheck & { readonly where: string },
): Promise<void> {
  const { username, password } = options;
  if (username === undefined || password === undefined) return;
  if (measurement.detail['tls'] === undefined)
    throw new Failure('assertion', `Expected ${where} to offer TLS before the login; the password was not sent.`);
  measurement.metrics['loginMs'] = await timeOf(context, () => session.logIn({ username, password }, capabilities));
}

function summaryOf(where: string, { options, measurement }: MailCheck): string {
  const { detail } = measurement;
  const tls = detail['tls'] === undefined ? '' : ` and speaks TLS${detail['startTls'] ? ' after STARTTLS' : ''}`;
  const login = options.username === undefined ? '' : `, logged in as ${options.username}`;
  const banner = typeof detail['banner'] === 'string' ? `: ${quoted(detail['banner'])}` : '';
  return `${where} answers${tls}${login}${banner}`;
}
