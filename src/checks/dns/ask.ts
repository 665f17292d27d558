import { isIPv6 } from 'node:net';
import type { CheckContext, Measurement } from '../../core/check.ts';
import type { Clock } from '../../core/clock.ts';
import { socketOptionsOf } from '../../core/dial-options.ts';
import { formatDuration } from '../../core/duration.ts';
import { Failure } from '../../core/failure.ts';
import type { DnsServer, SecureConnection } from '../../core/network.ts';
import type { Oddities } from '../../core/oddities.ts';
import type { Reason } from '../../core/outcome.ts';
import { withDeadline } from '../../net/dial/deadline.ts';
import { askByHttps, askByTls } from '../../net/dns/ask-secure.ts';
import { askByTcp, askByUdpOrTcp, type Asking } from '../../net/dns/ask.ts';
import type { DnsQuery, DnsReply } from '../../net/dns/query.ts';
import { peerOf } from '../../net/dns/server.ts';
import { rcodeName } from '../../net/packets/dns/record-types.ts';
import { noteTls } from '../../net/tls/report.ts';
import type { Options } from './options.ts';

export interface Answered extends DnsReply {
  /** By which the answer came: TCP where it did not fit into a datagram. */
  readonly protocol: Options['protocol'];
  readonly queryMs: number;
}

export interface Asked {
  readonly server: DnsServer;
  /** The server as it was named: the name its certificate has to have. */
  readonly host: string;
  readonly query: DnsQuery;
  readonly options: Options;
}

interface Notes {
  readonly measurement: Measurement;
  readonly oddities: Oddities;
}

/** Failures that a healthy server may cause once, such as a lost datagram or a cut connection. */
const worthAnotherTry: ReadonlySet<Reason> = new Set(['timeout', 'reset', 'closed', 'protocol']);

/** Asks until an answer comes or the tries are used up; each try has its own time. @throws {Failure} of the last try */
export async function askWithRetries(asked: Asked, context: CheckContext, notes: Notes): Promise<Answered> {
  const { clock, signal } = context;
  const { wait: timeoutMs, retries } = asked.options;
  for (let tries = 1; ; tries++) {
    notes.measurement.metrics['tries'] = tries;
    try {
      return await withDeadline({ clock, timeoutMs, signal }, (limited) =>
        askOnce(asked, { ...context, signal: limited }, notes),
      );
    } catch (error) {
      const again = error instanceof Failure && worthAnotherTry.has(error.reason) && tries <= retries;
      if (!again || signal.aborted) throw error;
    }
  }
}

/** Answers of a server that may not understand EDNS (RFC 6891 section 7). */
const mayMeanNoEdns: ReadonlySet<string> = new Set(['FORMERR', 'NOTIMP', 'SERVFAIL', 'BADVERS']);
/** Failures by which a server may react to a query that it does not understand. */
const mayMeanCrash: ReadonlySet<Reason> = new Set(['reset', 'closed', 'protocol']);

/**
 * Asks with EDNS and, where that fails or half the time has passed in silence, once more without it. After silence the
 * answer to the first query still counts if it comes first.
 */
async function askOnce(asked: Asked, context: CheckContext, notes: Notes): Promise<Answered> {
  const { query, options } = asked;
  const first = ask(asked, context, notes);
  if (!query.edns || needsEdns(options)) return await first;
  const early = await untilHalfTime(first, context.clock, options);
  const trouble = troubleWith(early, options);
  if (trouble === undefined) return await first;
  const { edns: _, ...plain } = query;
  const second = ask({ ...asked, query: plain }, context, notes);
  // The answer without EDNS is kept if it is a better one.
  const isBetter = second.then((answer) => {
    if (isRefusal(answer)) throw new Failure('protocol', `got ${rcodeName(answer.message.rcode)}`);
    notes.oddities.note(`${trouble}, and was answered without EDNS.`);
    return answer;
  });
  return await (early === undefined ? Promise.any([first, isBetter]) : isBetter).catch(() => first);
}

/** An answer without EDNS could not hold what is asked for. */
function needsEdns({ dnssec, nsid, expect }: Options): boolean {
  return dnssec || nsid || expect.nsid !== undefined || expect.extendedError !== undefined;
}

/** The answer or failure within half the time of the try; undefined if there is neither. */
function untilHalfTime(
  answer: Promise<Answered>,
  clock: Clock,
  { wait }: Options,
): Promise<Answered | Failure | undefined> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(wait / 2, () => resolve(undefined));
    answer.then(resolve, (error: unknown) => (error instanceof Failure ? resolve(error) : reject(error as Error)));
    answer.then(cancel, cancel);
  });
}

/** Why a query is asked again without EDNS; undefined if it is not. */
function troubleWith(early: Answered | Failure | undefined, { expect, wait, strict }: Options): string | undefined {
  const query = 'The server did not answer a query with EDNS';
  // Strict, a lost datagram must not pass for a server that drops such queries.
  if (early === undefined) return strict ? undefined : `${query} within ${formatDuration(wait / 2)}`;
  if (early instanceof Failure) return mayMeanCrash.has(early.reason) ? `${query} (${early.reason})` : undefined;
  const rcode = rcodeName(early.message.rcode);
  if (!isRefusal(early) || expect.rcode.includes(rcode)) return undefined;
  return `The server answered ${rcode} to a query with EDNS`;
}

function isRefusal({ message }: Answered): boolean {
  return mayMeanNoEdns.has(rcodeName(message.rcode));
}

async function ask(asked: Asked, context: CheckContext, notes: Notes): Promise<Answered> {
  const { clock } = context;
  const { protocol } = asked.options;
  const startedMs = clock.monotonic();
  const reply =
    protocol === 'udp'
      ? await askByUdpOrTcp(context.net, asked.query, askingOf(asked, context))
      : await askOnConnection(asked, context, notes);
  return { protocol, ...reply, queryMs: clock.monotonic() - startedMs };
}

function askingOf({ server, options }: Asked, { signal }: CheckContext): Asking {
  const { source, dscp } = socketOptionsOf(options);
  return { server, signal, source, dscp };
}

function askOnConnection(asked: Asked, context: CheckContext, { measurement }: Notes): Promise<DnsReply> {
  const { server, host, query, options } = asked;
  const { net, clock } = context;
  const { protocol, path } = options;
  const asking = askingOf(asked, context);
  if (protocol === 'tcp') return askByTcp(net, query, asking);
  const tls = { resume: false, ...options.tls, serverName: options.tls.serverName ?? host };
  const onSecure = (secure: SecureConnection): void => {
    // Each try has a handshake of its own: the last one is shown.
    measurement.metrics['tlsMs'] = 0;
    noteTls(measurement, secure, { nowMs: clock.now(), where: peerOf(server) });
  };
  const securely = { ...asking, tls, onSecure };
  if (protocol === 'tls') return askByTls(net, query, securely);
  return askByHttps(net, query, { ...securely, clock, host: authorityOf(tls.serverName, server.port), path });
}

/** The `host` header: an IPv6 address in brackets and without its zone (RFC 9110 section 4.2.3), the port if it is not the usual one. */
function authorityOf(host: string, port: number): string {
  const name = isIPv6(host) ? `[${host.replace(/%.*/, '')}]` : host.replace(/\.$/, '');
  return port === 443 ? name : `${name}:${port}`;
}
