import type { Clock } from '../../core/clock.ts';
import { Failure } from '../../core/failure.ts';
import type { DnsServer } from '../../core/network.ts';
import { withDeadline } from '../dial/deadline.ts';
import type { DnsMessage, DnsQuestion, DnsRecord } from '../packets/dns/message.ts';
import { rcodeName } from '../packets/dns/record-types.ts';
import type { ResolverSettings } from './resolv-conf.ts';
import { askByTcp, askByUdpOrTcp, type DnsNetwork } from './ask.ts';
import { followAliases } from './follow-aliases.ts';
import { peerOf } from './server.ts';

/** The records of a name and a type; `data` is empty if there are none. */
export interface Lookup {
  readonly data: readonly string[];
  /** How long it may be believed. */
  readonly ttlMs: number;
  readonly nameExists: boolean;
  /** The server that answered, for messages. */
  readonly said: string;
}

interface LookupParts {
  readonly net: DnsNetwork;
  readonly settings: ResolverSettings;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

const maxTtlMs = 3_600_000;
/** RFC 2308 section 5 allows hours; a monitor must see soon that a name has appeared. */
const maxNegativeTtlMs = 60_000;

/** Asks each server in turn until one says what there is, or that there is nothing. @throws {Failure} resolver-failed */
export async function lookUp(question: DnsQuestion, { net, settings, clock, signal }: LookupParts): Promise<Lookup> {
  const { servers, attempts, timeoutMs, useTcp } = settings;
  const ask = useTcp ? askByTcp : askByUdpOrTcp;
  const query = { question, recursionDesired: true };
  const complaints = new Set<string>();
  for (const server of Array.from({ length: attempts }, () => servers).flat()) {
    try {
      const asking = (limited: AbortSignal) => ask(net, query, { server, signal: limited });
      const { message } = await withDeadline({ clock, timeoutMs, signal }, asking);
      const lookup = readLookup(question, message, server);
      if (lookup) return lookup;
      complaints.add(`${peerOf(server)} answered ${uselessAnswer(message)}.`);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof Failure)) throw error;
      complaints.add(error.message);
    }
  }
  throw new Failure('resolver-failed', `Looking ${question.name} up failed. ${[...complaints].join(' ')}`);
}

/** Undefined if the server could not say. */
function readLookup(question: DnsQuestion, message: DnsMessage, server: DnsServer): Lookup | undefined {
  const rcode = rcodeName(message.rcode);
  if ((rcode !== 'NOERROR' && rcode !== 'NXDOMAIN') || isLame(message)) return undefined;
  const chain = followAliases(question, message.answers).filter(({ flaw }) => flaw === undefined);
  const data = chain.filter(({ type }) => type === question.type).map((record) => record.data);
  if (data.length > 0) {
    const ttlMs = Math.min(maxTtlMs, ...chain.map(({ ttlSeconds }) => ttlSeconds * 1000));
    return { data, ttlMs, nameExists: true, said: `${peerOf(server)} answered ${data.length} records` };
  }
  if (isUnreadable(message)) return undefined;
  const nameExists = rcode === 'NOERROR';
  const said = `${peerOf(server)} answered ${nameExists ? `no ${question.type} record` : rcode}`;
  return { data, ttlMs: negativeTtlMs(message.authorities), nameExists, said };
}

/** An answer that cannot be used, in words. */
function uselessAnswer(message: DnsMessage): string {
  if (isLame(message)) return 'that it does not look names up';
  return isUnreadable(message) ? 'with records that cannot be read' : rcodeName(message.rcode);
}

/** Records that cannot be read are not the same as none. */
function isUnreadable({ flaws = [] }: DnsMessage): boolean {
  return flaws.some(({ section }) => section === 'answer');
}

/** A server that neither looks names up nor is in charge of this one, and so has nothing to say: its answer is no "no". */
function isLame({ rcode, flags, answers }: DnsMessage): boolean {
  return rcode === 0 && answers.length === 0 && !flags.includes('ra') && !flags.includes('aa');
}

/** RFC 2308 section 5: the lesser of the SOA's TTL and its last field; without an SOA nothing may be kept. */
function negativeTtlMs(authorities: readonly DnsRecord[]): number {
  const soa = authorities.find(({ type }) => type === 'SOA');
  if (!soa) return 0;
  const minimumSeconds = Number(soa.data.slice(soa.data.lastIndexOf(' ') + 1));
  return Math.min(maxNegativeTtlMs, soa.ttlSeconds * 1000, minimumSeconds * 1000);
}
