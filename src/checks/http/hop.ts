import { isIP } from 'node:net';
import type { CheckContext, Measurement } from '../../core/check.ts';
import { Failure } from '../../core/failure.ts';
import type { Connection } from '../../core/network.ts';
import { formatEndpoint } from '../../core/target.ts';
import { addressDetail } from '../../core/tried.ts';
import type { HttpResponse } from '../../net/http/http.ts';
import { exchangeHttp1 } from '../../net/http/http1.ts';
import { noteTls } from '../../net/tls/report.ts';
import type { CookieJar } from './cookies.ts';
import { connectToProxy, openTunnel, proxyAuthorization, throughProxy } from './proxy.ts';
import type { HttpOptions } from './options.ts';
import type { RequestHop, Plan } from './plan.ts';

export interface HopContext extends CheckContext, Pick<Plan, 'proxy' | 'dial'> {
  readonly options: HttpOptions;
  readonly cookies: CookieJar;
  /** Written to after each step, so that a failed run shows how far it came; over redirects the phases add up. */
  readonly measurement: Measurement;
}

const alpnOfVersion = { '1.1': ['http/1.1'], '2': ['h2'], auto: ['h2', 'http/1.1'] } as const;

/** Connects, secures, asks, and reads the answer. @throws {Failure} */
export async function visit(hop: RequestHop, context: HopContext): Promise<HttpResponse> {
  const { net, signal, proxy } = context;
  const { origin } = hop;
  const family = isIP(origin.host);
  if (proxy && family !== 0) net.permit({ ip: origin.host, family: family === 4 ? 4 : 6 }, origin.port);
  const dialling = { ...context.dial, signal };
  const connection = proxy ? await connectToProxy(net, proxy, dialling) : await net.connect(origin, dialling);
  noteConnection(context.measurement, connection);
  try {
    // Behind a proxy a name is the proxy's to look up.
    if (proxy && family === 0) net.permitName(origin.host, { address: connection.address, port: proxy.port });
    if (hop.url.protocol === 'https:') return await askSecurely(hop, context, connection);
    const asking = (): Promise<HttpResponse> => ask(hop, { ...context, socket: connection.socket });
    return proxy ? await throughProxy(proxy, asking) : await asking();
  } finally {
    connection.socket.destroy();
  }
}

async function askSecurely(hop: RequestHop, context: HopContext, { socket }: Connection): Promise<HttpResponse> {
  const { net, signal, options, proxy, measurement } = context;
  const { origin } = hop;
  if (proxy) await openTunnel(socket, origin, { ...context, proxy });
  const { serverName = origin.host, ...tls } = hop.tls;
  const alpn = alpnOfVersion[options.httpVersion];
  const secure = await net.startTls(socket, { ...tls, serverName, alpn, signal });
  noteTls(measurement, secure, { nowMs: context.clock.now(), where: formatEndpoint(origin) });
  try {
    return await ask(hop, { ...context, socket: secure.socket, alpn: secure.alpn });
  } finally {
    secure.socket.destroy();
  }
}

interface AskContext extends HopContext {
  readonly socket: Connection['socket'];
  readonly alpn?: string | undefined;
}

async function ask(hop: RequestHop, context: AskContext): Promise<HttpResponse> {
  const { url, method, headers, body } = hop;
  const { socket, alpn, options, proxy, cookies, measurement } = context;
  if (options.httpVersion === '2' && alpn !== 'h2')
    throw new Failure('protocol', `Expected ${url.host} to speak HTTP/2, it chose ${alpn ?? 'nothing'}.`);
  const forwarder = url.protocol === 'http:' ? proxy : undefined;
  const request = {
    method,
    target: forwarder ? `${url.origin}${url.pathname}${url.search}` : `${url.pathname}${url.search}`,
    headers: {
      host: url.host,
      ...withCookies(headers, cookies.header(url)),
      ...(forwarder && proxyAuthorization(forwarder)),
    },
    body,
  };
  // Loaded when first spoken: Node's HTTP/2 takes longer to load than all of this check.
  const exchange = alpn === 'h2' ? (await import('../../net/http/http2.ts')).exchangeHttp2 : exchangeHttp1;
  const { maxBodyBytes } = options;
  const response = await exchange(socket, request, {
    ...context,
    peer: formatEndpoint(hop.origin),
    maxBodyBytes,
  });
  add(measurement, 'firstByteMs', response.firstByteMs);
  add(measurement, 'transferMs', response.transferMs);
  return response;
}

/** Behind the cookies that a person configured, as curl sends them. */
function withCookies(headers: RequestHop['headers'], cookies: string | undefined): RequestHop['headers'] {
  if (cookies === undefined) return headers;
  return { ...headers, cookie: headers['cookie'] === undefined ? cookies : `${headers['cookie']}; ${cookies}` };
}

function noteConnection(measurement: Measurement, { resolveMs, connectMs, ...dialled }: Connection): void {
  Object.assign(measurement.detail, addressDetail(dialled));
  add(measurement, 'resolveMs', resolveMs);
  add(measurement, 'connectMs', connectMs);
}

function add({ metrics }: Measurement, phase: string, durationMs: number): void {
  metrics[phase] = (metrics[phase] ?? 0) + durationMs;
}
