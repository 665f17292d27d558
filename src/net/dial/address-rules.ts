import { BlockList, isIP } from 'node:net';
import { AppError } from '../../core/errors.ts';
import type { Address, Family } from '../../core/network.ts';

const listFamily = { 4: 'ipv4', 6: 'ipv6' } as const;
const prefixBits = { 4: 32, 6: 128 } as const;

interface Rule {
  readonly network: string;
  readonly family: Family;
  readonly prefix: number;
  /** Undefined is every port. */
  readonly port: number | undefined;
}

/** A list of ranges like `10.0.0.0/8`, `192.0.2.7`, `10.0.0.0/8:5432`, `fd00::/8` or `[fd00::/8]:5432`. */
export class AddressRules {
  /** By family and port. One family's ranges must not meet the other's: to Node `::/0` covers IPv4 too. */
  readonly #lists = new Map<string, BlockList>();

  /** `name` is where the ranges are written, for the message. @throws {AppError} invalid-config */
  constructor(ranges: readonly string[], name: string) {
    for (const range of ranges) this.#add(parseRule(range, name));
  }

  cover({ ip, family }: Address, port?: number): boolean {
    const covers = (key: string): boolean => this.#lists.get(key)?.check(ip, listFamily[family]) ?? false;
    return covers(keyOf(family)) || (port !== undefined && covers(keyOf(family, port)));
  }

  #add({ network, family, prefix, port }: Rule): void {
    const key = keyOf(family, port);
    const list = this.#lists.get(key) ?? new BlockList();
    list.addSubnet(network, prefix, listFamily[family]);
    this.#lists.set(key, list);
  }
}

function keyOf(family: Family, port?: number): string {
  return `${family} ${port ?? 'every port'}`;
}

function parseRule(text: string, name: string): Rule {
  const [range, portText] = splitPort(text.trim());
  const [network = '', prefixText, extra] = range.split('/');
  const family = network.includes('%') ? 0 : isIP(network);
  const port = portText === undefined ? undefined : numberUpTo(65_535, portText);
  const isPortRight = portText === undefined || (port !== undefined && port > 0);
  if ((family === 4 || family === 6) && extra === undefined && isPortRight) {
    const prefix = prefixText === undefined ? prefixBits[family] : numberUpTo(prefixBits[family], prefixText);
    if (prefix !== undefined) return { network, family, prefix, port };
  }
  const expected = 'a range like 10.0.0.0/8, fd00::/8 or [fd00::/8]:5432';
  throw new AppError('invalid-config', `${name}: expected ${expected}, got ${JSON.stringify(text)}.`);
}

/** The port of `10.0.0.0/8:5432` and `[fd00::/8]:5432`; an IPv6 range without brackets has none. */
function splitPort(text: string): readonly [range: string, port: string | undefined] {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|(\d+\.[\d./]*))(?::(.*))?$/.exec(text) ?? [];
  return [bracketed ?? plain ?? text, port];
}

function numberUpTo(max: number, digits: string): number | undefined {
  return /^\d{1,5}$/.test(digits) && Number(digits) <= max ? Number(digits) : undefined;
}
