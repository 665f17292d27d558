import type { CheckContext, Measurement } from '../../core/check.ts';
import { Failure } from '../../core/failure.ts';
import type { DnsServer } from '../../core/network.ts';
import type { Reason } from '../../core/outcome.ts';
import { withDeadline } from '../../net/dial/deadline.ts';
import { askByHttps, askByTls } from '../../net/dns/ask-secure.ts';
import { askByTcp, askByUdp, type DnsReply } from '../../net/dns/ask.ts';
import type { DnsQuery } from '../../net/dns/query.ts';
import { rcodeName } from '../../net/packets/dns/record-types.ts';
import type { Options } from './options.ts';

export interface Answered extends DnsReply {
  /** By which the answer came. */
  readonly protocol: Options['protocol'];
  /** It did not fit into a datagram, so that it was asked for again by TCP. */
  readonly truncated: boolean;
  readonly queryMs: number;
}

export interface Asked {
  readonly server: DnsServer;
  /** The server as it was named: the name its certificate has to have. */
  readonly host: string;
  readonly query: DnsQuery;
  readonly options: Options;
}

/** What a server that is well may do once: a lost datagram, a connection that was cut. */
const worthAnotherTry: ReadonlySet<Reason> = new Set(['timeout', 'reset', 'closed', 'protocol']);

/** Asks until an answer comes or the tries are used up; each try has its own time. @throws {Failure} of the last try */
export async function askWithRetries(asked: Asked, context: CheckContext, { metrics }: Measurement): Promise<Answered> {
  const { clock, signal } = context;
  const { wait: timeoutMs, retries } = asked.options;
  for (let tries = 1; ; tries++) {
    metrics['tries'] = tries;
    const startedMs = clock.monotonic();
    try {
      const answer = await withDeadline({ clock, timeoutMs, signal }, (limited) =>
        askOnce(asked, { ...context, signal: limited }),
      );
      return { ...answer, queryMs: clock.monotonic() - startedMs };
    } catch (error) {
      const again = error instanceof Failure && worthAnotherTry.has(error.reason) && tries <= retries;
      if (!again || signal.aborted) throw error;
    }
  }
}

type Once = Omit<Answered, 'queryMs'>;

/** A server from before EDNS may not understand a query that has it, and is asked again without (RFC 6891, section 7). */
async function askOnce(asked: Asked, context: CheckContext): Promise<Once> {
  const answer = await askByProtocol(asked, context);
  const { dnssec } = asked.options;
  if (rcodeName(answer.message.rcode) !== 'FORMERR' || dnssec) return answer;
  const { edns: _, ...query } = asked.query;
  return await askByProtocol({ ...asked, query }, context);
}

async function askByProtocol(asked: Asked, context: CheckContext): Promise<Once> {
  const { protocol } = asked.options;
  if (protocol === 'udp') return await askByUdpThenTcp(asked, context);
  return { ...(await askOnConnection(asked, context)), protocol, truncated: false };
}

async function askByUdpThenTcp({ server, query }: Asked, { net, signal }: CheckContext): Promise<Once> {
  const reply = await askByUdp(net, query, { server, signal });
  const truncated = reply.message.flags.includes('tc');
  if (!truncated) return { ...reply, protocol: 'udp', truncated };
  return { ...(await askByTcp(net, query, { server, signal })), protocol: 'tcp', truncated };
}

function askOnConnection(
  { server, host, query, options }: Asked,
  { net, clock, signal }: CheckContext,
): Promise<DnsReply> {
  const { protocol, path } = options;
  if (protocol === 'tcp') return askByTcp(net, query, { server, signal });
  const tls = { resume: false, ...options.tls, serverName: options.tls.serverName ?? host };
  if (protocol === 'tls') return askByTls(net, query, { server, signal, tls });
  return askByHttps(net, query, { server, signal, tls, clock, host: tls.serverName, path });
}
