import { z } from 'zod';
import { decimalNumber } from './numbers.ts';
import type { Measured } from './outcome.ts';
import { assertBelow, latencyLimit, limitReached, type Severity } from './limits.ts';
import type { Metric } from './metrics.ts';

const description = 'share lost, in percent';
const loss = decimalNumber(0, 100);

/** Limits of a check type that sends several packets or messages and times the way of each. */
export const roundTripLimits = z.strictObject({
  loss: loss.optional().meta({ description }),
  latency: latencyLimit.optional().meta({ description: 'mean round trip' }),
  jitter: latencyLimit.optional().meta({ description: 'jitter' }),
});

/** The same with a default limit of loss. */
export const lossyRoundTripLimits = roundTripLimits.extend({ loss: loss.default(1).meta({ description }) });

type RoundTripLimits = z.output<typeof roundTripLimits>;

export const roundTripMetrics = [
  { name: 'rttMinMs', unit: 'ms', meaning: 'shortest round trip' },
  { name: 'rttAvgMs', unit: 'ms', meaning: 'mean round trip' },
  { name: 'rttMaxMs', unit: 'ms', meaning: 'longest round trip' },
  { name: 'rttStddevMs', unit: 'ms', meaning: 'standard deviation of the round trips' },
  { name: 'jitterMs', unit: 'ms', meaning: 'smoothed difference between neighbouring round trips (RFC 3550)' },
] as const satisfies readonly Metric[];

/** Statistics of round trips in the order of their replies; empty without a reply, and without jitter for a single one. */
export function measureRoundTrips(rttsMs: readonly number[]): Partial<Record<string, number>> {
  if (rttsMs.length === 0) return {};
  const averageMs = average(rttsMs);
  return {
    rttMinMs: microseconds(Math.min(...rttsMs)),
    rttAvgMs: microseconds(averageMs),
    rttMaxMs: microseconds(Math.max(...rttsMs)),
    rttStddevMs: microseconds(Math.sqrt(average(rttsMs.map((rttMs) => (rttMs - averageMs) ** 2)))),
    ...(rttsMs.length > 1 && { jitterMs: microseconds(jitterOf(rttsMs)) }),
  };
}

/** Smoothed difference between neighbours (RFC 3550, section 6.4.1), over round trips. */
function jitterOf(rttsMs: readonly number[]): number {
  let jitterMs = 0;
  let beforeMs: number | undefined;
  for (const rttMs of rttsMs) {
    if (beforeMs !== undefined) jitterMs += (Math.abs(rttMs - beforeMs) - jitterMs) / 16;
    beforeMs = rttMs;
  }
  return jitterMs;
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function microseconds(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

/** Judges what was measured; `what` travelled: packets, messages. @throws {Failure} loss, threshold */
export function assertRoundTrips(
  { metrics = {} }: Measured,
  options: Readonly<Record<Severity, RoundTripLimits>>,
  what: string,
): void {
  const { sent = 0, received = 0, lossPercent = 0, rttAvgMs = 0, jitterMs = 0 } = metrics;
  for (const status of ['down', 'degraded'] as const) {
    const { loss = Infinity, latency, jitter } = options[status];
    if (received < sent && lossPercent >= loss) {
      const figure = `${sent - received} of ${sent} ${what} were lost, ${Math.round(lossPercent)} %`;
      throw limitReached(figure, { status, limit: `${loss} %`, reason: 'loss' });
    }
    const times = [
      ['The mean round trip took', rttAvgMs, latency],
      ['Jitter was', jitterMs, jitter],
    ] as const;
    assertBelow(times, status);
  }
}
