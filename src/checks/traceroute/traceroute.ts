import { createHash } from 'node:crypto';
import { defineCheck, type Measurement } from '../../core/check.ts';
import { Failure, isDeadline } from '../../core/failure.ts';
import { metricOf } from '../../core/metrics.ts';
import { up, type Outcome } from '../../core/outcome.ts';
import { describeHop, HopReport } from './hop-report.ts';
import { options } from './options.ts';
import { fallbackOf, openProbeChannel } from './probe-channel.ts';
import type { Hop, Trace } from './trace.ts';
import { Walk } from './walk.ts';

export const traceroute = defineCheck({
  type: 'traceroute',
  title: 'Traceroute',
  summary: 'Finds the routers on the way to a host, with loss and round trips for each.',
  options,
  metrics: [
    metricOf.resolve,
    { name: 'hops', unit: 'hops', meaning: 'distance of the target, or of the last router that answered' },
    { name: 'rttMs', unit: 'ms', meaning: 'mean round trip to the target' },
    { name: 'lossPercent', unit: 'percent', meaning: 'packets to the target without an answer' },
  ],
  defaultTimeoutMs: 10_000,
  plannedMs: ({ firstHop, maxHops, queries, parallel, wait }) =>
    Math.ceil(((maxHops - firstHop + 1) * queries) / parallel) * wait,
  // Each run sends dozens of packets, and routers limit their answers per second.
  maxAtOnce: 50,
  asks: ['host'],
  targetSyntax: 'HOST',
  fromTarget: (host) => ({ host }),
  targetOf: ({ host }) => host,
  async run(options, context, measurement) {
    const { host } = options;
    const { signal } = context;
    const report = new HopReport(context, options);
    // No answer can come before the walk has sent a packet.
    using channel = await openProbeChannel(options, context, (answer) => walk.hear(answer));
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

/** A hash of the addresses that answered, by distance: equal for equal paths. Round trips and loss do not count. */
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
  // A packet that this machine refuses to send says nothing about the target.
  const as = reportedBy === null ? ({ status: 'unknown', source: 'agent' } as const) : {};
  throw new Failure('unreachable', `${who} reports ${host}: ${error}.`, { detail: { reportedBy, error }, as });
}

/** The failure for a path without an error: it went silent, or the deadline came first. */
function notReached(trace: Trace, host: string, deadline?: DOMException): Failure {
  const last = trace.hops().findLast(({ addresses }) => addresses.length > 0);
  const where = last ? `The last to answer was hop ${last.hop}, ${last.addresses.join(', ')}.` : 'No hop answered.';
  const what = deadline?.message ?? `${host} was not reached in ${trace.hops().at(-1)?.hop} hops.`;
  return new Failure('timeout', `${what} ${where}`, { cause: deadline, as: { source: 'path' } });
}
