import type { Socket } from 'node:net';
import type { CheckContext } from '../../core/check.ts';
import { Failure } from '../../core/failure.ts';
import type { Endpoint } from '../../core/network.ts';
import { formatEndpoint } from '../../core/target.ts';
import { statusOf } from '../../net/http/http.ts';
import { exchangeHttp1 } from '../../net/http/http1.ts';
import { basicAuthorization } from './authorization.ts';
import { endpointOf } from './origin.ts';

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
  return { ...endpointOf(url), authorization };
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
  const answer = await exchangeHttp1(socket, request, { ...context, peer, maxBodyBytes: 65_536 });
  if (answer.status >= 200 && answer.status < 300) return;
  throw new Failure('protocol', `Expected ${peer} to connect to ${authority}, got ${statusOf(answer)}.`, {
    as: { source: 'path' },
  });
}
