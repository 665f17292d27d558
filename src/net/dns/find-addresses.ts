import type { Cancel, Clock } from '../../core/clock.ts';
import { Failure } from '../../core/failure.ts';
import type { Address, Family } from '../../core/network.ts';
import { labelsOf } from '../packets/dns/name.ts';
import type { Lookup } from './lookup.ts';
import type { ResolverSettings } from './resolv-conf.ts';

interface Search {
  /** Groups of IP versions: the next group is asked for only where a name exists and has no address of the group before. */
  readonly groups: readonly (readonly Family[])[];
  readonly settings: Pick<ResolverSettings, 'search' | 'ndots' | 'singleRequest'>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** @throws {Failure} resolver-failed; or the signal's reason */
  readonly lookUp: (name: string, type: 'A' | 'AAAA', signal: AbortSignal) => Promise<Lookup>;
}

/** The result for a host, or for one of the full names that it may stand for. */
export interface Found {
  readonly addresses: readonly Address[];
  /** Negative answers: `192.0.2.53:53 answered NXDOMAIN for web.example`. */
  readonly said: readonly string[];
  /** Lookups without an answer. */
  readonly failures: readonly Failure[];
  /** False if every server that answered said NXDOMAIN. */
  readonly exists: boolean;
}

const recordTypeOf = { 4: 'A', 6: 'AAAA' } as const;
/** How much longer to wait for the addresses of one IP version when those of the other are known (RFC 8305 section 3). */
const resolutionDelayMs = 50;
const tooSlow = new Failure('timeout', 'The addresses of the other IP version came first.');

/**
 * The addresses of a host by the DNS: of the first full name that has any. A server, a search domain or an IP version that
 * fails does not end the search. @throws the signal's reason
 */
export async function findAddresses(host: string, search: Search): Promise<Found> {
  const results: Found[] = [];
  for (const name of fullNames(host, search.settings)) {
    const ofGroups: Found[] = [];
    for (const families of search.groups) {
      const found = await findOneName(name, families, search);
      if (found.addresses.length > 0) return found;
      ofGroups.push(found);
      if (found.failures.length > 0 || !found.exists) break;
    }
    results.push(joined(ofGroups));
  }
  const [first] = results;
  // As in glibc: what the servers say of the name as it was written counts alone, if it was tried first.
  return first?.failures.length === 0 && isTriedFirst(host, search.settings.ndots) ? first : joined(results);
}

/** The full names that a host may stand for, in the order to try them (resolv.conf(5)). */
function fullNames(host: string, { search, ndots }: Search['settings']): readonly string[] {
  const completed = host.endsWith('.') ? [] : search.map((domain) => `${host}.${domain}`);
  const names = isTriedFirst(host, ndots) ? [host, ...completed] : [...completed, host];
  return names.filter((name) => labelsOf(name) !== undefined);
}

function isTriedFirst(host: string, ndots: number): boolean {
  return host.endsWith('.') || host.split('.').length > ndots;
}

async function findOneName(name: string, families: readonly Family[], search: Search): Promise<Found> {
  if (!search.settings.singleRequest) return await findSideBySide(name, families, search);
  const found: Found[] = [];
  for (const family of families) found.push(await findFamily(name, family, search));
  return joined(found);
}

async function findSideBySide(name: string, families: readonly Family[], search: Search): Promise<Found> {
  const enough = new AbortController();
  const signal = families.length > 1 ? AbortSignal.any([search.signal, enough.signal]) : search.signal;
  let cancel: Cancel | undefined;
  const lookups = families.map(async (family) => {
    const found = await findFamily(name, family, { ...search, signal });
    if (found.addresses.length > 0) cancel ??= search.clock.after(resolutionDelayMs, () => enough.abort(tooSlow));
    return found;
  });
  return joined(await Promise.all(lookups).finally(() => cancel?.()));
}

async function findFamily(name: string, family: Family, { lookUp, signal }: Search): Promise<Found> {
  try {
    const { data, said, nameExists } = await lookUp(name, recordTypeOf[family], signal);
    const addresses = data.map((ip): Address => ({ ip, family }));
    return { addresses, said: data.length > 0 ? [] : [`${said} for ${name}`], failures: [], exists: nameExists };
  } catch (error) {
    const isOver = signal.aborted && signal.reason !== tooSlow;
    if (isOver || !(error instanceof Failure)) throw error;
    return { addresses: [], said: [], failures: [error], exists: false };
  }
}

function joined(found: readonly Found[]): Found {
  return {
    addresses: found.flatMap(({ addresses }) => addresses),
    said: unique(found.flatMap(({ said }) => said)),
    failures: found.flatMap(({ failures }) => failures),
    exists: found.some(({ exists }) => exists),
  };
}

/** A host is not found only if every question about it was answered; otherwise the resolver has failed. */
export function notFound(what: string, { said, failures }: Found): Failure {
  const answers = said.length > 0 ? [said.join(', ')] : [];
  const [failure] = failures;
  if (!failure) return new Failure('name-not-found', `${[what, ...answers].join(': ')}.`);
  const complaints = unique(failures.map(({ message }) => message));
  return failure.with({ message: [...complaints, ...answers.map((answer) => `${answer}.`)].join(' ') });
}

export const nothingFound: Found = { addresses: [], said: [], failures: [], exists: false };

function unique<T>(items: readonly T[]): readonly T[] {
  return [...new Set(items)];
}
