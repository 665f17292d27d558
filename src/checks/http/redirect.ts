import { Failure } from '../../core/failure.ts';
import { redirectStatuses, statusOf, type HttpResponse } from '../../net/http/http.ts';
import type { Oddities } from '../../core/oddities.ts';
import { quoted } from '../../core/quoted.ts';
import { endpointOfUrl } from '../../core/target.ts';
import { fieldUrl } from '../../net/packets/http-fields.ts';
import type { RequestHop } from './plan.ts';

/** Where a response sends us, and with what; undefined if it is no redirect. @throws {Failure} protocol, denied */
export function redirected(from: RequestHop, response: HttpResponse, oddities: Oddities): RequestHop | undefined {
  const location = redirectStatuses.has(response.status) ? locationOf(response, oddities) : undefined;
  if (location === undefined) return undefined;
  const url = destination(from.url, location);
  if (from.url.protocol === 'https:' && url.protocol === 'http:')
    oddities.note(`${from.url.origin} redirects from https to http, ${url.origin}.`);
  const there = { ...from, url, origin: endpointOfUrl(url) };
  const hop = repeatsRequest(from.method, response.status)
    ? there
    : {
        ...there,
        method: from.method === 'HEAD' ? 'HEAD' : 'GET',
        body: undefined,
        headers: withoutBody(from.headers),
      };
  if (url.origin === from.url.origin) return hop;
  if (hop.body !== undefined)
    throw new Failure(
      'denied',
      `${statusOf(response)} sends the request's body to another origin, ${url.origin}; give that URL itself if it may have it.`,
    );
  return withoutSecrets(hop);
}

/** Of several that differ the first counts, and an empty one is none, as in curl and browsers. */
function locationOf({ fields }: HttpResponse, oddities: Oddities): string | undefined {
  const values = fields.flatMap(([name, bytes]) => (name === 'location' ? [fieldUrl(bytes)] : []));
  const [first] = values;
  if (values.some((value) => value !== first))
    oddities.note(`There are several Location headers, ${quoted(values.join(', '))}.`);
  return first === '' ? undefined : first;
}

/** Removes the headers that describe a body (RFC 9110 section 15.4.4). */
function withoutBody(headers: RequestHop['headers']): RequestHop['headers'] {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith('content-')));
}

function destination(base: URL, location: string): URL {
  const url = URL.parse(location, base);
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new Failure('denied', `Expected a redirect to an http or https URL, got ${quoted(location)}.`, {
      as: { status: 'down', source: 'target' },
    });
  }
  url.username = '';
  url.password = '';
  url.hash = '';
  return url;
}

/** 307 and 308 repeat the request as it was; 301 and 302 turn a POST into a GET, as every client does (RFC 9110 section 15.4). */
function repeatsRequest(method: string, status: number): boolean {
  if (status === 307 || status === 308) return true;
  return status !== 303 && method !== 'POST';
}

const harmlessHeaders: ReadonlySet<string> = new Set(['accept', 'accept-encoding', 'accept-language', 'user-agent']);

/** Configured headers may hold keys, and a client certificate identifies us: neither is sent to another origin. */
function withoutSecrets(hop: RequestHop): RequestHop {
  const headers = Object.fromEntries(Object.entries(hop.headers).filter(([name]) => harmlessHeaders.has(name)));
  const { certificate: _, key: __, serverName: ___, ...tls } = hop.tls;
  return { ...hop, headers, tls };
}
