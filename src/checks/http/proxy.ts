import type { Socket } from 'node:net';
import type { CheckContext } from '../../core/check.ts';
import { Failure } from '../../core/failure.ts';
import type { Connection, Endpoint, Network } from '../../core/network.ts';
import { endpointOfUrl, formatEndpoint } from '../../core/target.ts';
import { statusOf, type HttpResponse } from '../../net/http/http.ts';
import { exchangeHttp1 } from '../../net/http/http1.ts';
import { basicAuthorization } from './authorization.ts';
import { isWithin, type HttpOptions } from './options.ts';

export interface Proxy extends Endpoint {
  readonly authorization: string | undefined;
}

/** `http://user:password@host:port` */
export function proxyOf(text: string | undefined): Proxy | undefined {
  if (text === undefined) return undefined;
  const url = new URL(text);
  const { username, password } = url;
  const authorization =
    username === '' ? undefined : basicAuthorization(decodeURIComponent(username), decodeURIComponent(password));
  return { ...endpointOfUrl(url), authorization };
}

export function proxyAuthorization({ authorization }: Proxy): Readonly<Record<string, string>> {
  return authorization === undefined ? {} : { 'proxy-authorization': authorization };
}

/** Has the proxy connect us to the target (RFC 9110 section 9.3.6). @throws {Failure} protocol, closed, … */
export async function openTunnel(
  socket: Socket,
  target: Endpoint,
  { proxy, ...context }: CheckContext & { readonly proxy: Proxy },
): Promise<void> {
  const authority = formatEndpoint(target);
  const peer = `the proxy ${formatEndpoint(proxy)}`;
  const headers = { host: authority, ...proxyAuthorization(proxy) };
  const request = { method: 'CONNECT', target: authority, headers };
  const answer = await throughProxy(proxy, () =>
    exchangeHttp1(socket, request, { ...context, peer, maxBodyBytes: 65_536 }),
  );
  if (answer.status >= 200 && answer.status < 300) return;
  throw new Failure('protocol', `Expected ${peer} to connect to ${authority}, got ${statusOf(answer)}.`, {
    as: { source: 'path' },
  });
}

export function connectToProxy(
  net: Network,
  proxy: Proxy,
  options: Parameters<Network['connect']>[1],
): Promise<Connection> {
  return throughProxy(proxy, () => net.connect(proxy, options));
}

/** Runs `work`, and blames the path for a failure: between us and the proxy, or behind it, the target is not at fault. @throws {Failure} */
export async function throughProxy<Value>(proxy: Proxy, work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Failure) || error.source !== 'target') throw error;
    throw error.withSource('path', `Through the proxy ${formatEndpoint(proxy)}: ${error.message}`);
  }
}

/** Statuses of the gateway itself: it wants a password, or got no answer from the target. */
const gatewayStatuses: ReadonlySet<number> = new Set([407, 502, 504]);

interface Forwarded {
  readonly url: URL;
  readonly proxy: Proxy;
  readonly options: HttpOptions;
}

/** Fails, blaming the path, if the proxy answered instead of the target and the answer was not expected. @throws {Failure} protocol */
export function assertTargetAnswered(response: HttpResponse, { url, proxy, options }: Forwarded): void {
  const { status, headers } = response;
  // RFC 9209, and what Squid writes.
  const isTheProxys = gatewayStatuses.has(status) || headers.has('proxy-status') || headers.has('x-squid-error');
  const isExpected = options.status.some((range) => isWithin(range, status));
  if (url.protocol !== 'http:' || isExpected || !isTheProxys) return;
  const expected = `Expected the proxy ${formatEndpoint(proxy)} to pass on the answer of ${url.host}`;
  throw new Failure('protocol', `${expected}, got ${statusOf(response)}.`, { as: { source: 'path' } });
}
