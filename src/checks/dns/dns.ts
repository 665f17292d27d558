import { defineCheck, type CheckContext } from '../../core/check.ts';
import { socketOptionsOf } from '../../core/dial-options.ts';
import { Failure } from '../../core/failure.ts';
import { metricOf } from '../../core/metrics.ts';
import type { Network } from '../../core/network.ts';
import { Oddities } from '../../core/oddities.ts';
import type { JsonObject } from '../../core/outcome.ts';
import { endpointOf } from '../../core/target.ts';
import type { DnsQuery } from '../../net/dns/query.ts';
import type { DnsQuestion } from '../../net/packets/dns/message.ts';
import { nsidRequest } from '../../net/packets/dns/edns-options.ts';
import { peerOf } from '../../net/dns/server.ts';
import { rcodeName } from '../../net/packets/dns/record-types.ts';
import { askWithRetries, type Answered, type Asked } from './ask.ts';
import { judge, noteOddities, wantedAnswers } from './judge.ts';
import { options, questionOf, type Options } from './options.ts';
import { sectionsDetail } from './sections.ts';

const defaultPorts = { udp: 53, tcp: 53, tls: 853, https: 443 } as const;
/** The size of datagrams that no network fragments (RFC 9715). */
const udpSize = 1232;

/** DNS as RFC 1035 has it, with EDNS (RFC 6891), over TCP (RFC 7766), TLS (RFC 7858) and HTTPS (RFC 8484). */
export const dns = defineCheck({
  type: 'dns',
  title: 'DNS',
  summary: 'Asks a DNS server for a name and compares the answer with what was expected.',
  options,
  metrics: [
    { name: 'resolveMs', unit: 'ms', meaning: "looking the server's own name up" },
    { name: 'queryMs', unit: 'ms', meaning: 'the try that was answered, with opening its connection' },
    metricOf.tls,
    { name: 'certificateDaysLeft', unit: 'days', meaning: 'until the first certificate of the server expires' },
    { name: 'tries', unit: 'count', meaning: 'tries it took' },
    { name: 'answers', unit: 'count', meaning: 'answers of the type that was asked for' },
    { name: 'minTtlSeconds', unit: 'seconds', meaning: 'shortest time that an answer is still valid for' },
    { name: 'responseBytes', unit: 'bytes', meaning: 'length of the answer' },
  ],
  defaultTimeoutMs: 4000,
  plannedMs: ({ wait, retries }) => wait * (retries + 1),
  asks: ['server', 'name', 'record'],
  targetSyntax: 'NAME',
  fromTarget: (target) => ({ name: target }),
  targetOf: ({ name }) => name,
  async run(options, context, measurement) {
    const { server, host, resolveMs } = await locate(options, context);
    measurement.metrics['resolveMs'] = resolveMs;
    measurement.detail['server'] = peerOf(server);
    measurement.detail['protocol'] = options.protocol;
    const oddities = new Oddities(measurement);
    const asked = questionOf(options);
    const query = queryOf(asked, options);
    const answered = await askWithRetries({ server, host, query, options }, context, { measurement, oddities });
    measurement.latencyMs = answered.queryMs;
    Object.assign(measurement.metrics, metricsOf(asked, answered));
    Object.assign(measurement.detail, detailOf(answered, options, context));
    noteOddities(answered.message, oddities);
    return judge({ asked, message: answered.message, oddities }, options, measurement);
  },
});

interface Located extends Pick<Asked, 'server' | 'host'> {
  readonly resolveMs: number;
}

async function locate(options: Options, { net, clock, signal }: CheckContext): Promise<Located> {
  const { protocol } = options;
  const startedMs = clock.monotonic();
  const { host, port = defaultPorts[protocol] } = endpointOf(options.server ?? systemServer(net, protocol));
  const [address] = await net.resolveAll({ host, port }, { ...socketOptionsOf(options), signal });
  // A name that has no address is a failure.
  return { server: { address: address!, port }, host, resolveMs: clock.monotonic() - startedMs };
}

/** The port it is set up with is the one for plain DNS. */
function systemServer(net: Network, protocol: Options['protocol']): string {
  const [first] = net.dnsServers();
  if (!first) throw new Failure('unsupported', 'This machine has no DNS server set: say which one to ask.');
  return protocol === 'udp' || protocol === 'tcp' ? peerOf(first) : first.address.ip;
}

function queryOf(question: DnsQuestion, { recursion, dnssec, edns, nsid, expect }: Options): DnsQuery {
  const options = nsid || expect.nsid !== undefined ? [nsidRequest] : [];
  return { question, recursionDesired: recursion, ...(edns && { edns: { udpSize, dnssec, options } }) };
}

function metricsOf(asked: DnsQuestion, { message, bytes, queryMs }: Answered): Record<string, number> {
  const answers = wantedAnswers(asked, message).filter(({ flaw }) => flaw === undefined);
  const ttls = answers.map(({ ttlSeconds }) => ttlSeconds);
  return {
    queryMs,
    answers: answers.length,
    ...(ttls.length > 0 && { minTtlSeconds: Math.min(...ttls) }),
    responseBytes: bytes,
  };
}

function detailOf(
  { message, protocol }: Answered,
  options: Options,
  { wantsFullDetail = false }: CheckContext,
): JsonObject {
  const { rcode, flags } = message;
  return {
    protocol,
    // UDP was chosen and TCP answered.
    truncated: protocol !== options.protocol,
    rcode: rcodeName(rcode),
    flags,
    ...sectionsDetail(wantsFullDetail ? message : { answers: message.answers }),
  };
}
