import { createHash } from 'node:crypto';
import { z } from 'zod';
import { defineCheck, type CheckContext, type Measurement } from '../../core/check.ts';
import { duration } from '../../core/duration.ts';
import { Failure, isDeadline } from '../../core/failure.ts';
import {
  familyChoices,
  queryProtocols,
  type QueryAnswer,
  type QueryChannel,
  type QueryProtocol,
} from '../../core/network.ts';
import { wholeNumber } from '../../core/numbers.ts';
import { up, type Outcome } from '../../core/outcome.ts';
import { hostname, port } from '../../core/target.ts';
import { describeHop, HopReport } from './hop-report.ts';
import type { Hop, Trace } from './trace.ts';
import { Walk } from './walk.ts';

const payloadBytes = 32;

/** Where nothing listens as a rule, so that the target says so (traceroute's custom); and the web. */
const usualPort = { icmp: undefined, udp: 33_434, tcp: 80 } as const;

const options = z
  .strictObject({
    host: hostname.meta({ description: 'Name or address to trace the path to' }),
    family: z.enum(familyChoices).default('auto').meta({ description: 'IPv4 or IPv6' }),
    protocol: z
      .enum(['auto', ...queryProtocols])
      .default('auto')
      .meta({ description: 'What to send; auto is ICMP, or UDP where this user may open no ICMP socket' }),
    port: port.optional().meta({ description: 'Port for UDP (usually 33434) and TCP (usually 80)' }),
    firstHop: wholeNumber(1, 255).default(1).meta({ description: 'Hop to begin with' }),
    maxHops: wholeNumber(1, 255).default(30).meta({ description: 'Hop to give up after' }),
    queries: wholeNumber(1, 10).default(3).meta({ description: 'Packets to each hop' }),
    wait: duration({ min: 10, max: 60_000, default: 1000 }).meta({
      description: 'How long to wait for an answer to each packet',
    }),
    parallel: wholeNumber(1, 64).default(16).meta({ description: 'Packets on their way at once' }),
    names: z.boolean().default(false).meta({ description: 'Look up the names of the hops' }),
  })
  .refine(({ firstHop, maxHops }) => firstHop <= maxHops, {
    path: ['firstHop'],
    message: 'expected firstHop to be at most maxHops',
  });

export const traceroute = defineCheck({
  type: 'traceroute',
  title: 'Traceroute',
  summary: 'Finds the routers on the way to a host, with loss and round trips for each.',
  options,
  metrics: [
    { name: 'resolveMs', unit: 'ms', meaning: 'looking the name up' },
    { name: 'hops', unit: 'hops', meaning: 'distance of the target, or of the last router that answered' },
    { name: 'rttMs', unit: 'ms', meaning: 'mean round trip to the target' },
    { name: 'lossPercent', unit: 'percent', meaning: 'packets to the target without an answer' },
  ],
  defaultTimeoutMs: 10_000,
  plannedMs: ({ firstHop, maxHops, queries, parallel, wait }) =>
    Math.ceil(((maxHops - firstHop + 1) * queries) / parallel) * wait,
  // Each sends dozens of packets, and routers answer only so many a second.
  maxAtOnce: 50,
  asks: ['host'],
  targetSyntax: 'HOST',
  fromTarget: (host) => ({ host }),
  targetOf: ({ host }) => host,
  async run(options, context, measurement) {
    const { host } = options;
    const { signal } = context;
    const report = new HopReport(context, options);
    // Nothing can answer before the walk has sent something.
    using channel = await openChannel(options, context, (answer) => walk.hear(answer));
    const fallback = fallbackOf(options, channel);
    measurement.detail = { address: channel.address.ip, via: channel.via, ...(fallback && { fallback }) };
    measurement.metrics = { resolveMs: channel.resolveMs };
    const walk = new Walk(channel, options, { ...context, onHop: (hop) => report.show(hop) });
    try {
      await walk.toTheEnd();
    } catch (error) {
      throw isDeadline(signal.reason) ? notReached(walk.trace, host, signal.reason) : error;
    } finally {
      await report.finish();
      await measure(walk.trace, report, measurement);
    }
    const outcome = conclude(walk.trace, host, measurement);
    return fallback ? { ...outcome, message: `${outcome.message} (${fallback})` } : outcome;
  },
});

const noSocket =
  'A traceroute by ICMP needs an ICMP socket, which this user may not open. Use UDP or TCP (--protocol udp), or allow ' +
  'it: sysctl -w net.ipv4.ping_group_range="0 2147483647".';

type OpenOptions = Pick<z.output<typeof options>, 'host' | 'family' | 'protocol' | 'port'>;

/** @throws {Failure} unsupported, if only ICMP is wanted and this user may open no such socket; and as `openQueries` */
async function openChannel(
  options: OpenOptions,
  { net, signal }: CheckContext,
  onAnswer: (answer: QueryAnswer) => void,
): Promise<QueryChannel> {
  const { host, family, protocol } = options;
  const open = (by: QueryProtocol): Promise<QueryChannel> => {
    const { port = usualPort[by] } = options;
    const target = { protocol: by, host, ...(port !== undefined && { port }) };
    return net.openQueries(target, { family, size: payloadBytes, signal, onAnswer });
  };
  const channel = await open(protocol === 'auto' ? 'icmp' : protocol);
  if (channel.via !== 'ping') return channel;
  channel[Symbol.dispose]();
  if (protocol === 'auto') return await open('udp');
  throw new Failure('unsupported', noSocket);
}

/** Told where a trace goes by another protocol than usual. */
function fallbackOf({ protocol }: OpenOptions, { via }: QueryChannel): string | undefined {
  return protocol === 'auto' && via === 'udp' ? 'by UDP, because this user may open no ICMP socket' : undefined;
}

async function measure(trace: Trace, report: HopReport, measurement: Measurement): Promise<void> {
  const hops = trace.hops();
  const end = trace.end();
  const described = await Promise.all(hops.map(async (hop) => describeHop(hop, await report.namesOf(hop))));
  Object.assign(measurement.detail, { hops: described, pathHash: hashPath(hops) });
  const farthest = end.kind === 'silent' ? end.lastAnswered : end.hop;
  if (farthest) measurement.metrics['hops'] = farthest.hop;
  if (end.kind !== 'reached') return;
  const roundTrips = end.hop.rttsMs.filter((rttMs) => rttMs !== null);
  const rttMs = roundTrips.reduce((sum, rttMs) => sum + rttMs, 0) / roundTrips.length;
  const lossPercent = 100 * (1 - roundTrips.length / end.hop.rttsMs.length);
  measurement.latencyMs = microseconds(rttMs);
  Object.assign(measurement.metrics, { rttMs: microseconds(rttMs), lossPercent: microseconds(lossPercent) });
}

const microseconds = (ms: number): number => Math.round(ms * 1000) / 1000;

/** Equal for equal paths: which addresses answered at which distance. Round trips and loss do not count. */
function hashPath(hops: readonly Hop[]): string {
  const path = hops
    .filter(({ addresses }) => addresses.length > 0)
    .map(({ hop, addresses }) => [hop, addresses.toSorted()]);
  return createHash('sha256').update(JSON.stringify(path)).digest('hex').slice(0, 16);
}

function conclude(trace: Trace, host: string, measurement: Measurement): Outcome {
  const end = trace.end();
  if (end.kind === 'silent') throw notReached(trace, host);
  const { hop } = end.hop;
  if (end.kind === 'reached') {
    return up(
      `${host} reached in ${hop} ${hop === 1 ? 'hop' : 'hops'}: ${measurement.latencyMs?.toFixed(2)} ms`,
      measurement,
    );
  }
  const { error, reportedBy } = end;
  const who = reportedBy === null ? 'This machine' : `Hop ${hop} (${reportedBy})`;
  // What this machine itself refuses to send says nothing of the target.
  const as = reportedBy === null ? ({ status: 'unknown', source: 'agent' } as const) : {};
  throw new Failure('unreachable', `${who} reports ${host}: ${error}.`, { detail: { reportedBy, error }, as });
}

/** Nothing said why: the path went silent, or the deadline came first. */
function notReached(trace: Trace, host: string, deadline?: DOMException): Failure {
  const last = trace.hops().findLast(({ addresses }) => addresses.length > 0);
  const where = last ? `The last to answer was hop ${last.hop}, ${last.addresses.join(', ')}.` : 'No hop answered.';
  const what = deadline?.message ?? `${host} was not reached in ${trace.hops().at(-1)?.hop} hops.`;
  return new Failure('timeout', `${what} ${where}`, { cause: deadline, as: { source: 'path' } });
}
