import { isIP } from 'node:net';
import { z } from 'zod';
import type { Destination } from './each-address.ts';
import {
  familyChoices,
  type AddressOverride,
  type DialOptions,
  type Endpoint,
  type FamilyChoice,
  type SocketSettings,
} from './network.ts';
import { canonicalHost, parseUrl } from './target.ts';

/** `first`: the first address of the name; `any`: the first one that answers; `all`: every one, degraded if some fail. */
const addressChoices = ['first', 'any', 'all'] as const;

const maxOverrides = 32;

/** Names for code points by RFC 2474, 2597, 3246, 5865 and 8622. */
const codePoints: ReadonlyMap<string, number> = new Map([
  ...Array.from({ length: 8 }, (_, index) => [`cs${index}`, index * 8] as const),
  ...[1, 2, 3, 4].flatMap((group) => [1, 2, 3].map((drop) => [`af${group}${drop}`, group * 8 + drop * 2] as const)),
  ['voice-admit', 44],
  ['ef', 46],
  ['le', 1],
]);

/** The options of every check that sends packets: by which IP version, from where, and how marked. */
export const socketFields = {
  family: z.enum(familyChoices).default('auto').meta({ description: 'IPv4 or IPv6' }),
  source: z
    .string()
    .refine(isSource, 'expected an address or a network interface of this machine')
    .optional()
    .meta({ description: 'Address or network interface of this machine to send from' }),
  dscp: z
    .string()
    .refine(
      (text) => codePointOf(text) !== undefined,
      'expected a code point from 0 to 63, or a name like ef, af41 or cs1',
    )
    .optional()
    .meta({ description: 'Differentiated services code point of the packets' }),
};

/** The options of every check that connects to a host, which may have several addresses. */
export const dialFields = {
  addresses: z
    .enum(addressChoices)
    .default('any')
    .meta({ description: 'Which addresses of a name must answer: the first, any, or all (degraded if some fail)' }),
  ...socketFields,
  resolve: z
    .array(
      z
        .string()
        .refine(
          (text) => overrideOf(text) !== undefined,
          'expected HOST:PORT:ADDRESS or HOST:ADDRESS, IPv6 in brackets',
        ),
    )
    .max(maxOverrides)
    .default([])
    .meta({ description: 'Address to use for a host instead of looking it up, as HOST:PORT:ADDRESS' }),
};

interface SocketFields {
  readonly family: FamilyChoice;
  readonly source?: string | undefined;
  readonly dscp?: string | undefined;
}

interface DialFields extends SocketFields {
  readonly addresses: (typeof addressChoices)[number];
  readonly resolve: readonly string[];
}

/** `socketFields` as the network takes them. */
export function socketOptionsOf({ family, source, dscp }: SocketFields): SocketSettings & { family: FamilyChoice } {
  return { family, source, dscp: dscp === undefined ? undefined : codePointOf(dscp) };
}

/** `dialFields` as the network takes them. */
export function dialOptionsOf({ addresses, resolve, ...socket }: DialFields): Omit<DialOptions, 'signal'> {
  return {
    // With `all`, each run is about one address.
    addresses: addresses === 'first' ? 'first' : 'any',
    ...socketOptionsOf(socket),
    overrides: resolve.flatMap((text) => overrideOf(text) ?? []),
  };
}

/** Where a check with `host` and `port` connects to, and how. */
export function destinationOf({ host, port, ...options }: DialFields & Endpoint): Destination {
  return { host, port, ...dialOptionsOf(options) };
}

/** The same of a check with a URL, whose zone (`http://[fe80::1%25eth0]/`) goes with every connection to that address. */
export function dialOptionsOfUrl(options: DialFields & { readonly url: string }): Omit<DialOptions, 'signal'> {
  const dial = dialOptionsOf(options);
  const { url, zoned } = parseUrl(options.url);
  if (zoned === undefined) return dial;
  const override: AddressOverride = { host: url.hostname.slice(1, -1), address: { ip: zoned, family: 6 } };
  return { ...dial, overrides: [override, ...(dial.overrides ?? [])] };
}

/** Linux has names of at most 15 bytes for its interfaces, without blanks and slashes. */
function isSource(text: string): boolean {
  return isIP(text) !== 0 || /^[^\s/:]{1,15}$/.test(text);
}

function codePointOf(text: string): number | undefined {
  const value = codePoints.get(text.trim().toLowerCase()) ?? (/^\d{1,2}$/.test(text.trim()) ? Number(text) : 64);
  return value < 64 ? value : undefined;
}

/** `example.org:443:192.0.2.1`, `example.org:443:[2001:db8::1]`, or without the port, for every port. */
function overrideOf(text: string): AddressOverride | undefined {
  const [, host = '', port, bracketed, bare = ''] =
    /^([^:\s]+):(?:(\d{1,5}):)?(?:\[([^\]]*)\]|([\d.]+))$/.exec(text.trim()) ?? [];
  const ip = bracketed ?? bare;
  const family = isIP(ip);
  if ((family !== 4 && family !== 6) || Number(port ?? 1) > 65_535) return undefined;
  return { host: canonicalHost(host), ...(port !== undefined && { port: Number(port) }), address: { ip, family } };
}
