import { z } from 'zod';
import { AppError } from './errors.ts';

/** A host name (RFC 1123, with underscores as the DNS allows them) or an IP address; names are case-insensitive. */
export const hostname = z
  .string()
  .trim()
  .max(253)
  .regex(
    /^(?:[\w-]{1,63}(?:\.[\w-]{1,63})*\.?|[\da-f:.]+(?:%[\w.-]{1,32})?)$/i,
    'expected a host name or an IP address',
  )
  .transform((name) => name.toLowerCase());

export const port = z.coerce.number().int().min(1).max(65_535);

/**
 * Splits `host:port`, `[::1]:port`, a bare host or a bare IPv6 address. A port that is no number stays in place, so that
 * the schema can say what is wrong with it.
 * @throws {AppError} usage, when a bracket is not closed
 */
export function endpointOf(target: string): { host: string; port?: number } {
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/.exec(target);
  if (bracketed) return withPort(bracketed[1] ?? '', bracketed[2]);
  if (target.startsWith('['))
    throw new AppError('usage', `expected [IPv6 address]:port, got ${JSON.stringify(target)}`);
  const colon = target.indexOf(':');
  const isBareIpv6 = colon !== target.lastIndexOf(':');
  if (colon < 0 || isBareIpv6) return { host: target };
  return withPort(target.slice(0, colon), target.slice(colon + 1));
}

function withPort(host: string, text: string | undefined): { host: string; port?: number } {
  return text === undefined ? { host } : { host, port: Number(text) };
}

export function formatEndpoint({ host, port: number }: { readonly host: string; readonly port: number }): string {
  return host.includes(':') ? `[${host}]:${number}` : `${host}:${number}`;
}

/** Whether only this machine can reach the address. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);
}
