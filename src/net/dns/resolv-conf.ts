import { isIP } from 'node:net';
import type { DnsServer } from '../../core/network.ts';
import { dnsPort } from './server.ts';

/** How this machine looks names up (resolv.conf(5)). */
export interface ResolverSettings {
  readonly servers: readonly DnsServer[];
  /** Domains to try after a name that is not complete. */
  readonly search: readonly string[];
  /** A name with at least this many dots is tried as it is before the search domains. */
  readonly ndots: number;
  readonly timeoutMs: number;
  /** How often each server is asked. */
  readonly attempts: number;
  /** Begin with another server each time. */
  readonly rotate: boolean;
  /** Ask for IPv4 and IPv6 one after the other: some firewalls lose one of two questions from one port. */
  readonly singleRequest: boolean;
  /** Ask by TCP only. */
  readonly useTcp: boolean;
}

/** The limits of the C library; its timeout of 5 s would outlast most checks, so ours is shorter unless the file says one. */
const maxServers = 3;
const maxSearchDomains = 32;
const defaults = { ndots: 1, timeout: 2, attempts: 2 };
const limits = { ndots: 15, timeout: 30, attempts: 5 };

export function parseResolvConf(text: string): ResolverSettings {
  const servers: DnsServer[] = [];
  const options = { ...defaults };
  const flags = new Set<string>();
  let search: readonly string[] = [];
  for (const line of text.split('\n')) {
    const [keyword, ...words] = line
      .replace(/[#;].*/, '')
      .trim()
      .split(/\s+/);
    if (keyword === 'nameserver') servers.push(...serverOf(words[0] ?? ''));
    if (keyword === 'search' || keyword === 'domain') search = words.map((domain) => domain.toLowerCase());
    if (keyword !== 'options') continue;
    for (const word of words) {
      flags.add(word);
      readOption(options, word);
    }
  }
  return {
    servers: servers.length > 0 ? servers.slice(0, maxServers) : serverOf('127.0.0.1'),
    search: search.filter((domain) => domain !== '.').slice(0, maxSearchDomains),
    ndots: options.ndots,
    timeoutMs: options.timeout * 1000,
    attempts: options.attempts,
    rotate: flags.has('rotate'),
    singleRequest: flags.has('single-request') || flags.has('single-request-reopen'),
    useTcp: flags.has('use-vc'),
  };
}

function serverOf(ip: string): readonly DnsServer[] {
  const family = isIP(ip);
  return family === 4 || family === 6 ? [{ address: { ip, family }, port: dnsPort }] : [];
}

function readOption(options: typeof defaults, word: string): void {
  const [, name = '', value] = /^(ndots|timeout|attempts):(\d{1,3})$/.exec(word) ?? [];
  // The pattern admits only these names.
  const option = name as keyof typeof defaults | '';
  if (option === '') return;
  const smallest = option === 'ndots' ? 0 : 1;
  options[option] = Math.max(smallest, Math.min(Number(value), limits[option]));
}
