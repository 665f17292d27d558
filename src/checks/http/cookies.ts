import { isIP } from 'node:net';
import type { HeaderField } from '../../net/packets/http-fields.ts';

interface Cookie {
  readonly name: string;
  readonly value: string;
  readonly domain: string;
  /** Only the host that set it gets it. */
  readonly isHostOnly: boolean;
  readonly path: string;
  readonly isSecure: boolean;
}

const maxCookies = 50;
/** Of name, value and attributes together (RFC 6265bis, section 5.6). */
const maxCookieLength = 4096;

/**
 * The cookies of one run (RFC 6265bis): what a redirect sets is sent to the next hop that may have it. A run is so short
 * that a cookie either has expired when it comes or lasts to the end.
 */
export class CookieJar {
  #cookies: Cookie[] = [];

  /** Takes the Set-Cookie fields of a response from this URL. */
  store(url: URL, fields: readonly HeaderField[], now: number): void {
    for (const [name, text] of fields) if (name === 'set-cookie') this.#set(url, text, now);
  }

  /** The value of the Cookie field for this URL, longer paths first; undefined if there is none. */
  header(url: URL): string | undefined {
    if (this.#cookies.length === 0) return undefined;
    const sent = this.#cookies
      .filter((cookie) => isFor(cookie, url))
      .toSorted((one, other) => other.path.length - one.path.length);
    return sent.length === 0
      ? undefined
      : sent.map(({ name, value }) => (name ? `${name}=${value}` : value)).join('; ');
  }

  /** A cookie from https must not be overwritten from http (RFC 6265bis section 5.7). */
  #hasSecure({ name, domain }: Cookie): boolean {
    return this.#cookies.some(
      (kept) => kept.isSecure && kept.name === name && (isWithin(domain, kept.domain) || isWithin(kept.domain, domain)),
    );
  }

  #set(url: URL, text: string, now: number): void {
    const parsed = text.length <= maxCookieLength ? parse(url, text) : undefined;
    if (!parsed) return;
    const { cookie, attributes } = parsed;
    if (url.protocol === 'http:' && this.#hasSecure(cookie)) return;
    this.#cookies = this.#cookies.filter(
      ({ name, domain, path }) => name !== cookie.name || domain !== cookie.domain || path !== cookie.path,
    );
    if (!isExpired(attributes, now) && this.#cookies.length < maxCookies) this.#cookies.push(cookie);
  }
}

type Attributes = ReadonlyMap<string, string>;

/** Undefined for one that is refused. */
function parse(url: URL, text: string): { readonly cookie: Cookie; readonly attributes: Attributes } | undefined {
  const [pair = '', ...rest] = text.split(';');
  // oxlint-disable-next-line no-control-regex -- control characters are what a cookie must not have
  if (pair.trim() === '' || /[\0-\x08\n-\x1f\x7f]/.test(text)) return undefined;
  // The last attribute of a name counts.
  const attributes = new Map(rest.map(attributeOf));
  const cookie = cookieOf(url, pair, attributes);
  return mayBeSetBy(url, cookie) && keepsItsPrefix(cookie, attributes) ? { cookie, attributes } : undefined;
}

function cookieOf(url: URL, pair: string, attributes: Attributes): Cookie {
  const equals = pair.indexOf('=');
  const domain = (attributes.get('domain') ?? '').replace(/^\./, '').toLowerCase();
  const path = attributes.get('path') ?? '';
  return {
    name: pair.slice(0, Math.max(0, equals)).trim(),
    value: pair.slice(equals + 1).trim(),
    domain: domain || url.hostname,
    isHostOnly: domain === '' || isIP(url.hostname) !== 0,
    path: path.startsWith('/') ? path : defaultPath(url.pathname),
    isSecure: attributes.has('secure'),
  };
}

function mayBeSetBy(url: URL, { domain, isSecure }: Cookie): boolean {
  return isWithin(url.hostname, domain) && (!isSecure || url.protocol === 'https:');
}

function attributeOf(text: string): readonly [string, string] {
  const equals = text.indexOf('=');
  if (equals < 0) return [text.trim().toLowerCase(), ''];
  return [text.slice(0, equals).trim().toLowerCase(), text.slice(equals + 1).trim()];
}

/** A domain without a dot counts as a public suffix, for which no cookie may be set unless it is the host itself. */
function isWithin(host: string, domain: string): boolean {
  if (host === domain) return true;
  return domain.includes('.') && isIP(host) === 0 && host.endsWith(`.${domain}`);
}

/** `__Secure-` and `__Host-` promise what the cookie must keep (RFC 6265bis section 4.1.3). */
function keepsItsPrefix({ name, isSecure, path }: Cookie, attributes: Attributes): boolean {
  const lower = name.toLowerCase();
  if (lower.startsWith('__host-')) return isSecure && path === '/' && !attributes.get('domain');
  return !lower.startsWith('__secure-') || isSecure;
}

/** Max-Age wins over Expires (RFC 6265 section 5.3). */
function isExpired(attributes: Attributes, now: number): boolean {
  const maxAge = attributes.get('max-age') ?? '';
  if (/^-?\d+$/.test(maxAge)) return Number(maxAge) <= 0;
  const expires = Date.parse(
    (attributes.get('expires') ?? '').replaceAll(/(?<=\d)-(?=[a-z])|(?<=[a-z])-(?=\d)/gi, ' '),
  );
  return expires <= now;
}

/** RFC 6265 section 5.1.4. */
function defaultPath(pathname: string): string {
  const end = pathname.lastIndexOf('/');
  return end <= 0 ? '/' : pathname.slice(0, end);
}

function isFor({ domain, isHostOnly, path, isSecure }: Cookie, url: URL): boolean {
  const host = url.hostname;
  if (isHostOnly ? host !== domain : !isWithin(host, domain)) return false;
  if (isSecure && url.protocol !== 'https:') return false;
  const { pathname } = url;
  return pathname === path || (pathname.startsWith(path) && (path.endsWith('/') || pathname[path.length] === '/'));
}
