import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { showBytes } from '../../core/bytes.ts';
import { defineCheck, type CheckContext, type Measurement } from '../../core/check.ts';
import { dialOptionsOfUrl } from '../../core/dial-options.ts';
import { Failure } from '../../core/failure.ts';
import { assertFast } from '../../core/limits.ts';
import { metricOf } from '../../core/metrics.ts';
import type { Endpoint } from '../../core/network.ts';
import { Oddities } from '../../core/oddities.ts';
import { up } from '../../core/outcome.ts';
import { compilePattern } from '../../core/pattern.ts';
import { quoted } from '../../core/quoted.ts';
import { endpointOfUrl, formatEndpoint, urlOfTarget, parseUrl } from '../../core/target.ts';
import { addressDetail } from '../../core/tried.ts';
import { withDeadline } from '../../net/dial/deadline.ts';
import { Incoming } from '../../net/dialogue/incoming.ts';
import { assertNotExpiring, noteTls } from '../../net/tls/report.ts';
import { acceptUpgrade, readUpgradeResponse, upgradeRequest } from './handshake.ts';
import { largestMessageBytes, Messages } from './messages.ts';
import { options as schema, type WebSocketOptions } from './options.ts';

/** A frame's head has at most 14 bytes. */
const maxIncomingBytes = largestMessageBytes + 14;
/** At most this many bytes of all messages are searched for `expect`: a pattern takes time for each byte. */
const maxMatchedBytes = 65_536;
const closeTimeoutMs = 1000;

/** RFC 6455 over HTTP/1.1. */
export const websocket = defineCheck({
  type: 'websocket',
  title: 'WebSocket',
  summary: 'Opens a WebSocket connection; on request sends a message and waits for one, and pings the server.',
  options: schema,
  metrics: [
    metricOf.resolve,
    metricOf.connect,
    metricOf.tls,
    { name: 'upgradeMs', unit: 'ms', meaning: 'upgrade sent to its answer' },
    { name: 'messageMs', unit: 'ms', meaning: 'waiting for the message that was expected' },
    { name: 'pingMs', unit: 'ms', meaning: 'ping to its pong' },
    metricOf.certificate,
  ],
  defaultTimeoutMs: 10_000,
  asks: ['url'],
  targetSyntax: 'URL',
  fromTarget: (target, word) => ({ url: urlOfTarget(target, word === 'wss' ? 'wss' : 'ws') }),
  targetOf: ({ url }) => url,
  destinationOf: (options) => ({ ...endpointOfUrl(parseUrl(options.url).url), ...dialOptionsOfUrl(options) }),
  async run(options, context, measurement) {
    const { net, signal } = context;
    const endpoint = endpointOfUrl(parseUrl(options.url).url);
    measurement.detail['url'] = options.url;
    const connection = await net.connect(endpoint, { ...dialOptionsOfUrl(options), signal });
    const { resolveMs, connectMs } = connection;
    measurement.metrics = { resolveMs, connectMs };
    Object.assign(measurement.detail, addressDetail(connection));
    const visit: Visit = { ...context, options, measurement, endpoint };
    try {
      await talk(await secured(connection.socket, visit), visit);
    } finally {
      connection.socket.destroy();
    }
    return judge(options, measurement);
  },
});

interface Visit extends CheckContext {
  readonly options: WebSocketOptions;
  readonly measurement: Measurement;
  readonly endpoint: Endpoint;
}

async function secured(socket: Socket, { options, net, signal, clock, measurement, endpoint }: Visit): Promise<Socket> {
  if (parseUrl(options.url).url.protocol === 'ws:') return socket;
  const { serverName = endpoint.host, ...tls } = options.tls;
  const secure = await net.startTls(socket, { ...tls, serverName, alpn: ['http/1.1'], signal });
  noteTls(measurement, secure, { nowMs: clock.now(), where: formatEndpoint(endpoint) });
  return secure.socket;
}

async function talk(socket: Socket, visit: Visit): Promise<void> {
  const { options, measurement, endpoint } = visit;
  const incoming = new Incoming(socket, maxIncomingBytes);
  try {
    await upgrade(socket, incoming, visit);
    const messages = new Messages(socket, incoming, formatEndpoint(endpoint));
    if (options.send !== undefined) messages.send('text', Buffer.from(options.send));
    if (options.expect !== undefined) await timed('messageMs', visit, () => awaitMessage(messages, visit));
    if (options.ping) await timed('pingMs', visit, () => ping(messages, visit));
    await close(messages, visit);
  } finally {
    const { connectMs = 0, tlsMs = 0, upgradeMs = 0, messageMs = 0, pingMs = 0 } = measurement.metrics;
    measurement.latencyMs = connectMs + tlsMs + upgradeMs + messageMs + pingMs;
    socket.destroy();
  }
}

async function upgrade(socket: Socket, incoming: Incoming, visit: Visit): Promise<void> {
  const { options, measurement, signal, endpoint } = visit;
  const peer = formatEndpoint(endpoint);
  const offer = { ...options, url: parseUrl(options.url).url };
  const asked = upgradeRequest(offer);
  socket.write(asked.request);
  const doing = `Waiting for ${peer} to answer the upgrade`;
  const head = await timed('upgradeMs', visit, () => readUpgradeResponse(incoming, peer, { signal, doing }));
  const subprotocol = acceptUpgrade(head, offer, asked);
  if (subprotocol !== undefined) measurement.detail['subprotocol'] = subprotocol;
}

async function awaitMessage(messages: Messages, { options, signal, measurement, endpoint }: Visit): Promise<void> {
  const { expect = '' } = options;
  const doing = `Waiting for a message that matches /${expect}/ from ${formatEndpoint(endpoint)}`;
  let bytesLeft = maxMatchedBytes;
  while (bytesLeft > 0) {
    const message = await messages.next(signal, lastSaid(doing, measurement));
    if (message.kind === 'pong') continue;
    const searched = message.bytes.subarray(0, bytesLeft);
    measurement.detail['message'] = showBytes(message.bytes);
    if (compilePattern(expect).matcher(searched).find()) return;
    // An empty message costs something too.
    bytesLeft -= Math.max(searched.length, 16);
  }
  const searched = `in the first ${maxMatchedBytes} bytes of messages`;
  throw new Failure('too-large', `Expected a message that matches /${expect}/ ${searched}, found none.`, {
    as: { status: 'unknown' },
  });
}

/** Adds what came instead: it tells more than the end of the wait. */
function lastSaid(doing: string, { detail }: Measurement): string {
  const last = detail['message'];
  return typeof last === 'string' ? `${doing}, which last said ${quoted(last)}` : doing;
}

async function ping(messages: Messages, { signal, endpoint }: Visit): Promise<void> {
  const payload = randomBytes(8);
  messages.send('ping', payload);
  const doing = `Waiting for the pong of ${formatEndpoint(endpoint)}`;
  // A pong may also come unasked (RFC 6455 section 5.5.3).
  for (;;) {
    const { kind, bytes } = await messages.next(signal, doing);
    if (kind === 'pong' && bytes.equals(payload)) return;
  }
}

/** All that was asked for is known by now: a server that does not say goodbye is an oddity. */
async function close(messages: Messages, { clock, signal, measurement }: Visit): Promise<void> {
  try {
    const status = await withDeadline({ clock, timeoutMs: closeTimeoutMs, signal }, (closing) =>
      messages.close(closing),
    );
    measurement.detail['closeCode'] = status.code ?? null;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    new Oddities(measurement).note('The server did not answer the Close frame with its own (RFC 6455 section 5.5.1).');
  }
}

async function timed<T>(metric: string, { clock, measurement }: Visit, work: () => Promise<T>): Promise<T> {
  const startedMs = clock.monotonic();
  const result = await work();
  measurement.metrics[metric] = clock.monotonic() - startedMs;
  return result;
}

function judge(options: WebSocketOptions, measurement: Measurement) {
  new Oddities(measurement).assertNone(options);
  assertNotExpiring(measurement, options.tls);
  assertFast('Connecting and all that followed', measurement.latencyMs ?? 0, options);
  const { message, subprotocol } = measurement.detail;
  const chosen = typeof subprotocol === 'string' ? `, subprotocol ${subprotocol}` : '';
  const said = typeof message === 'string' ? `: ${quoted(message, 60)}` : '.';
  return up(`The connection is open${chosen}${said}`, measurement);
}
