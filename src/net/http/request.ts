import type { Clock } from '../../core/clock.ts';
import { Failure } from '../../core/failure.ts';
import type { Connection, DialOptions, Network, TlsOptions } from '../../core/network.ts';
import { endpointOfUrl, formatEndpoint } from '../../core/target.ts';
import { redirectStatuses, type HttpResponse } from './http.ts';
import { exchangeHttp1 } from './http1.ts';

export interface Requesting {
  readonly net: Pick<Network, 'connect' | 'startTls'>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly dial: Omit<DialOptions, 'signal'>;
  readonly tls: Omit<TlsOptions, 'serverName' | 'alpn'>;
  /** Lower-case names; `host` is added. */
  readonly headers: Readonly<Record<string, string>>;
  /** GET if undefined. */
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH';
  readonly body?: string | Buffer;
  readonly maxBodyBytes: number;
}

export interface Requested {
  readonly response: HttpResponse;
  readonly connection: Omit<Connection, 'socket'>;
  /** 0 for plain HTTP. */
  readonly tlsMs: number;
}

/** One request by HTTP/1.1 on a connection of its own, http or https; redirects are the caller's. @throws {Failure} */
export async function requestOverHttp(url: URL, requesting: Requesting): Promise<Requested> {
  const { net, signal, clock, dial, tls, headers, method = 'GET', body, maxBodyBytes } = requesting;
  const server = endpointOfUrl(url);
  const { socket, ...connection } = await net.connect(server, { ...dial, signal });
  const exchange = { signal, clock, peer: formatEndpoint(server), maxBodyBytes };
  const target = `${url.pathname}${url.search}`;
  const request = { method, target, headers: { host: url.host, ...headers }, body };
  try {
    if (url.protocol === 'http:')
      return { response: await exchangeHttp1(socket, request, exchange), connection, tlsMs: 0 };
    const secure = await net.startTls(socket, { ...tls, serverName: server.host, signal });
    try {
      return { response: await exchangeHttp1(secure.socket, request, exchange), connection, tlsMs: secure.handshakeMs };
    } finally {
      secure.socket.destroy();
    }
  } finally {
    socket.destroy();
  }
}

/** Where a response sends the client; undefined if it is no redirect. @throws {Failure} protocol */
export function redirectOf({ status, headers }: HttpResponse, from: URL): URL | undefined {
  const location = headers.get('location');
  if (location === undefined || !redirectStatuses.has(status)) return undefined;
  const url = URL.parse(location, from);
  if (url && (url.protocol === 'https:' || url.protocol === from.protocol)) return url;
  const wanted = from.protocol === 'https:' ? 'an https URL' : 'an http or https URL';
  throw new Failure('protocol', `Expected a redirect to ${wanted}, got ${JSON.stringify(location.slice(0, 200))}.`);
}
