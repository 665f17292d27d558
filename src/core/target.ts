import { isIPv4, isIPv6 } from 'node:net';
import { z } from 'zod';
import { AppError } from './errors.ts';
import { wholeNumber } from './numbers.ts';
import { quoted } from './quoted.ts';
import { servicePort } from './services.ts';

const nameOfLabels = /^[\w-]{1,63}(?:\.[\w-]{1,63})*\.?$/;
/** No top-level domain is a number (RFC 3696 section 2), so that this can only be meant as an IPv4 address. */
const endsInNumber = /(?:^|\.)(?:\d+|0x[\da-f]+)\.?$/i;
const bracketed = /^\[(.*)\]$/;
const maxNameLength = 253;

/**
 * A host name (RFC 1123, with underscores as the DNS allows them) or an IP address. Names are case-insensitive and may be
 * written in any script; they are read as the DNS has them (IDNA).
 */
export const hostname = z
  .string()
  .trim()
  .max(maxNameLength)
  .superRefine((text, context) => {
    const mistake = hostMistake(text);
    if (mistake !== undefined) context.addIssue({ code: 'custom', message: mistake, input: text });
  })
  .transform(canonicalHost);

/** A host in the one form that is compared. The names of network interfaces, in the zone of an address, are case-sensitive. */
export function canonicalHost(text: string): string {
  const [address = '', ...zone] = (asciiName(text) ?? text).replace(bracketed, '$1').split('%');
  return [address.toLowerCase(), ...zone].join('%');
}

/** A name in the letters of the DNS: `xn--mnchen-3ya.example` for `münchen.example`; undefined if it is no name. */
function asciiName(text: string): string | undefined {
  if (/^[ -~]*$/.test(text)) return text;
  // Only letters of other scripts may need more than the URL parser reads as one host.
  const ascii = /^[\w.\u0080-\u{10ffff}-]+$/u.test(text) ? URL.parse(`http://${text}/`)?.hostname : undefined;
  return ascii === undefined || ascii.length > maxNameLength || isIPv4(ascii) ? undefined : ascii;
}

/** Why a text cannot be a host: a typing error is found before a packet leaves. */
function hostMistake(text: string): string | undefined {
  const host = text.replace(bracketed, '$1');
  // The expression behind isIPv6 takes Node 10 ms to compile.
  if (host.includes(':') && isIPv6(host)) return undefined;
  if (text.includes('://')) return `expected a host name or an IP address, not a URL, got ${quoted(text)}`;
  if (/^[^:]*:\d+$|\]:\d+$/.test(text))
    return `expected a host name or an IP address without a port, got ${quoted(text)}`;
  const name = asciiName(host);
  if (host !== text || name === undefined || !nameOfLabels.test(name)) return 'expected a host name or an IP address';
  if (endsInNumber.test(host) && !isIPv4(host))
    return 'expected a host name, or an IPv4 address of four numbers from 0 to 255';
  return undefined;
}

/** A TCP or UDP port to talk to. */
export const port = wholeNumber(1, 65_535, 'a port');

/**
 * Splits `host:port`, `host:service`, `[::1]:port`, a bare host or a bare IPv6 address.
 * @throws {AppError} usage, when a bracket is not closed or the port is neither a number nor the name of a service
 */
export function endpointOf(target: string): { host: string; port?: number } {
  const text = target.trim();
  const [, inBrackets, afterBrackets] = /^\[([^\]]*)\](?::(.*))?$/.exec(text) ?? [];
  if (inBrackets !== undefined) return withPort(inBrackets, afterBrackets, text);
  if (text.startsWith('[')) throw new AppError('usage', `expected [IPv6 address]:port, got ${quoted(text)}`);
  const colon = text.indexOf(':');
  const isBareIpv6 = colon !== text.lastIndexOf(':');
  if (colon < 0 || isBareIpv6) return { host: text };
  return withPort(text.slice(0, colon), text.slice(colon + 1), text);
}

function withPort(host: string, written: string | undefined, target: string): { host: string; port?: number } {
  if (written === undefined) return { host };
  const number = /^\d{1,6}$/.test(written) ? Number(written) : servicePort(written);
  if (number !== undefined) return { host, port: number };
  throw new AppError('usage', `expected HOST:PORT with a port from 1 to 65535, got ${quoted(target)}`);
}

/** Where the server of a URL listens; `https` and `wss` use port 443 unless told otherwise, `http` and `ws` port 80. */
export function endpointOfUrl({ hostname, port, protocol }: URL): { readonly host: string; readonly port: number } {
  const usualPort = protocol === 'https:' || protocol === 'wss:' ? 443 : 80;
  return { host: hostname.replace(bracketed, '$1'), port: port === '' ? usualPort : Number(port) };
}

export function formatEndpoint({ host, port: number }: { readonly host: string; readonly port: number }): string {
  return host.includes(':') ? `[${host}]:${number}` : `${host}:${number}`;
}

/** Whether only this machine can reach the address. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);
}

/** IPv4 as IPv4, also where a listener for both families sees it as IPv4-mapped IPv6 (RFC 4291, section 2.5.5.2). */
export function unmapped(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '');
}

/** `::1` as a URL has it, in brackets; a name and an IPv4 address as they are. */
export function inUrl(host: string): string {
  return isIPv6(host) ? `[${host.replace('%', '%25')}]` : host;
}

/**
 * The URL of a target: one without a scheme gets this one. @throws {AppError} usage, if TLS is asked for by the scheme and the
 * target has the scheme without
 */
export function urlOfTarget(target: string, scheme: 'http' | 'https' | 'ws' | 'wss'): string {
  const given = /^(https?|wss?):/i.exec(target)?.[1]?.toLowerCase();
  // The target is not shown: it may have a password.
  if (given !== undefined && scheme === `${given}s`)
    throw new AppError('usage', `expected a URL with ${scheme}://, as the type is ${scheme}, got one with ${given}://`);
  return given === undefined && !target.includes('://') ? `${scheme}://${inUrl(target.trim())}` : target;
}

/**
 * Reads a URL that may have the zone of a link-local address, `http://[fe80::1%25eth0]/` (RFC 6874), which `URL` refuses.
 * `zoned` is that address with its zone. @throws {TypeError} if it is no URL
 */
export function parseUrl(text: string): { readonly url: URL; readonly zoned?: string } {
  const [, before = '', address = '', zone = ''] =
    /^([^[\]/?#]*\/\/[^[\]/?#]*)\[([\da-f:.]+)%(?:25)?([\w.-]+)\]/i.exec(text) ?? [];
  if (zone === '') return { url: new URL(text) };
  const after = text.slice(text.indexOf(']'));
  return { url: new URL(`${before}[${address}${after}`), zoned: `${address.toLowerCase()}%${zone}` };
}

/** Why a text is no URL of one of these schemes; undefined if it is one. A typing error must not become a name to look up. */
export function urlMistake(text: string, schemes: readonly string[]): string | undefined {
  const expected = `expected a URL like ${schemes[0]}//example.com`;
  const [, authority = ''] = /^[a-z][a-z\d+.-]*:\/\/([^/?#\\]*)/i.exec(text) ?? [];
  const url = parsedUrl(text);
  if (!url || authority === '' || !schemes.includes(url.protocol)) return expected;
  const host = url.hostname.replace(bracketed, '$1');
  const mistake = hostMistake(host);
  if (mistake !== undefined) return mistake;
  // The URL standard reads 1.2.3 as 1.2.0.3.
  return isIPv4(host) && !authority.includes(host) ? `${expected}; this one leads to ${host}` : undefined;
}

function parsedUrl(text: string): URL | undefined {
  try {
    return parseUrl(text).url;
  } catch {
    return undefined;
  }
}
