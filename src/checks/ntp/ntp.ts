import type { Socket } from 'node:dgram';
import { z } from 'zod';
import { defineCheck, type CheckContext, type Measurement } from '../../core/check.ts';
import { sleep } from '../../core/clock.ts';
import { socketFields, socketOptionsOf } from '../../core/dial-options.ts';
import { duration, formatDuration } from '../../core/duration.ts';
import { Failure, isDeadline } from '../../core/failure.ts';
import { assertBelow, latencyLimit, latencyLimitOr, limitReached, type Severity } from '../../core/limits.ts';
import { metricOf } from '../../core/metrics.ts';
import { wholeNumber } from '../../core/numbers.ts';
import { up } from '../../core/outcome.ts';
import { formatSpan } from '../../core/span.ts';
import { endpointOf, formatEndpoint, hostname, port } from '../../core/target.ts';
import { addressDetail } from '../../core/tried.ts';
import { showReferenceId } from '../../net/packets/ntp.ts';
import { KissOfDeath, precisionMsOf, takeSample, type Sample } from './sample.ts';

const ntpPort = 123;
const waitLimits = { min: 10, max: 60_000 } as const;

const rootDistance = { description: 'how wrong the time may be, all the way from the reference clock' };
const limits = z.strictObject({
  latency: latencyLimit.optional().meta({ description: 'round trip' }),
  offset: latencyLimit.optional().meta({ description: 'how far the clocks are apart' }),
  rootDistance: latencyLimit.optional().meta(rootDistance),
  stratum: wholeNumber(1, 15).optional().meta({ description: 'stratum' }),
});

/** ntpd rejects a server with a root distance above 1.5 s (tos maxdist). */
const degraded = limits.extend({
  rootDistance: latencyLimitOr(1500).meta(rootDistance),
});

const options = z.strictObject({
  host: hostname.meta({ description: 'Name or address of the NTP server' }),
  port: port.default(ntpPort).meta({ description: 'Port of the NTP server' }),
  samples: wholeNumber(1, 8).default(1).meta({ description: 'How often to ask; the fastest answer counts' }),
  spacing: duration({ ...waitLimits, default: 500 }).meta({ description: 'Time between two samples' }),
  wait: duration({ ...waitLimits, default: 2000 }).meta({ description: 'How long to wait for each answer' }),
  degraded: degraded.prefault({}).meta({ description: 'Degraded from' }),
  down: limits.default({}).meta({ description: 'Down from' }),
  ...socketFields,
});

type Options = z.output<typeof options>;

/** NTPv4 in client mode: RFC 5905. A server that is not synchronised, or refuses, is down: its time is of no use. */
export const ntp = defineCheck({
  type: 'ntp',
  title: 'NTP',
  summary: 'Asks an NTP server for the time and compares it with the clock of this machine.',
  options,
  metrics: [
    metricOf.resolve,
    { name: 'offsetMs', unit: 'ms', meaning: "how far the server's clock is ahead of ours" },
    { name: 'delayMs', unit: 'ms', meaning: 'round trip, without the time the server took' },
    { name: 'stratum', unit: 'count', meaning: 'steps from a reference clock' },
    { name: 'rootDelayMs', unit: 'ms', meaning: 'round trip from the server to the reference clock' },
    { name: 'rootDispersionMs', unit: 'ms', meaning: 'error that the server has gathered' },
    { name: 'rootDistanceMs', unit: 'ms', meaning: 'how wrong the time may be at most' },
    { name: 'precisionMs', unit: 'ms', meaning: "resolution of the server's clock" },
    { name: 'sent', unit: 'count', meaning: 'questions' },
    { name: 'received', unit: 'count', meaning: 'answers' },
  ],
  defaultTimeoutMs: 10_000,
  sendingMs: ({ samples, spacing }) => (samples - 1) * spacing,
  plannedMs: ({ samples, spacing, wait }) => samples * wait + (samples - 1) * spacing,
  asks: ['host'],
  targetSyntax: 'HOST[:PORT]',
  fromTarget: (target) => endpointOf(target),
  targetOf: ({ host, port }) => (port === ntpPort ? host : formatEndpoint({ host, port })),
  async run(options, context, measurement) {
    const { host, port } = options;
    const { socket, resolveMs, ...dialled } = await context.net.openUdp(
      { host, port },
      { ...socketOptionsOf(options), signal: context.signal },
    );
    measurement.metrics = { resolveMs };
    measurement.detail = addressDetail(dialled);
    try {
      const best = await bestSample(socket, options, { context, measurement });
      record(best, measurement);
      assertWithin(options.down, 'down', measurement);
      assertWithin(options.degraded, 'degraded', measurement);
      return up(`Time: ${showTime(best.serverTimeMs)}, ${showOffset(best.offsetMs)}`, measurement);
    } finally {
      socket.close();
    }
  },
});

interface Parts {
  readonly context: CheckContext;
  readonly measurement: Measurement;
}

/**
 * The sample with the shortest delay has the smallest error (RFC 5905, section 10). One that failed is no failure if another
 * came; after a kiss of death the server is not asked again.
 */
async function bestSample(socket: Socket, options: Options, { context, measurement }: Parts): Promise<Sample> {
  const { clock, signal } = context;
  const asking = { clock, signal, timeoutMs: options.wait, where: options.host };
  const samples: Sample[] = [];
  const failures: Failure[] = [];
  for (let number = 1; number <= options.samples && !(failures.at(-1) instanceof KissOfDeath); number++) {
    try {
      if (number > 1) await sleep(clock, options.spacing, signal);
      samples.push(await takeSample(socket, asking));
    } catch (error) {
      if (samples.length > 0 && isDeadline(signal.reason)) break;
      if (signal.aborted || !(error instanceof Failure)) throw error;
      failures.push(error);
    } finally {
      Object.assign(measurement.metrics, { sent: number, received: samples.length });
    }
  }
  const [best] = samples.toSorted((one, other) => one.delayMs - other.delayMs);
  // No sample at all means that each failed; what the server said tells more than silence.
  if (!best) throw failures.find(({ reason }) => reason !== 'timeout') ?? failures[0]!;
  if (failures.length > 0) measurement.detail['failedSamples'] = failures.map(({ message }) => message);
  return best;
}

const leapNames = ['none', 'insert', 'delete'] as const;

function record({ packet, offsetMs, delayMs, serverTimeMs }: Sample, measurement: Measurement): void {
  const { stratum, rootDelayMs, rootDispersionMs, leap, referenceId } = packet;
  // RFC 5905, section 11.1: half of both delays, and every dispersion.
  const rootDistanceMs = (rootDelayMs + delayMs) / 2 + rootDispersionMs;
  const precisionMs = precisionMsOf(packet);
  measurement.latencyMs = delayMs;
  const accuracy = { rootDelayMs, rootDispersionMs, rootDistanceMs, precisionMs };
  Object.assign(measurement.metrics, { offsetMs, delayMs, stratum, ...accuracy });
  Object.assign(measurement.detail, {
    serverTime: new Date(serverTimeMs).toISOString(),
    leap: leapNames[leap] ?? 'unsynchronised',
    referenceId: showReferenceId(referenceId, stratum),
  });
}

/** @throws {Failure} threshold */
function assertWithin(limits: Options['down'], status: Severity, { metrics }: Measurement): void {
  const { offsetMs = 0, delayMs = 0, stratum = 0, rootDistanceMs = 0 } = metrics;
  const apartMs = Math.abs(offsetMs);
  assertBelow([['The round trip took', delayMs, limits.latency]], status);
  if (apartMs >= (limits.offset ?? Infinity))
    throw limitReached(`The clocks are apart by ${formatSpan(apartMs)}`, {
      status,
      limit: formatDuration(limits.offset ?? 0),
    });
  assertBelow([['The root distance is', rootDistanceMs, limits.rootDistance]], status);
  if (stratum >= (limits.stratum ?? Infinity))
    throw limitReached(`The stratum is ${stratum}`, { status, limit: String(limits.stratum) });
}

/** As `date` writes it, in the zone of this machine: `Sun Jan 28 16:28:36 2024`. */
function showTime(epochMs: number): string {
  const [weekday, month, day, year, time] = new Date(epochMs).toString().split(' ');
  return `${weekday} ${month} ${day} ${time} ${year}`;
}

function showOffset(offsetMs: number): string {
  return `offset ${offsetMs < 0 ? '' : '+'}${formatSpan(offsetMs)}`;
}
