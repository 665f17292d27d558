import { z } from 'zod';
import { decimalNumber } from './numbers.ts';
import type { Measured } from './outcome.ts';
import { assertBelow, latencyLimit, limitReached, type Severity } from './limits.ts';
import type { Metric } from './metrics.ts';

const description = 'share lost, in percent';
const loss = decimalNumber(0, 100);

/**
 * Loss from which a run is degraded or down when nobody sets a limit. Of a few packets one is already a large share: there
 * the limits are those of check_icmp.
 */
const usualLoss = { few: { degraded: 40, down: 80 }, many: { degraded: 5, down: 50 }, manyFrom: 20 } as const;

/** Limits of a check type that sends several packets or messages and times the way of each. */
export const roundTripLimits = limitsWith(description);

/** The same where loss has a usual limit; see `withUsualLoss`. */
export function pingLimits(severity: Severity) {
  const { few, many, manyFrom } = usualLoss;
  return limitsWith(`${description} (usually ${few[severity]}, with ${manyFrom} packets or more ${many[severity]})`);
}

function limitsWith(lossDescription: string) {
  return z.strictObject({
    loss: loss.optional().meta({ description: lossDescription }),
    latency: latencyLimit.optional().meta({ description: 'mean round trip' }),
    jitter: latencyLimit.optional().meta({ description: 'jitter' }),
  });
}

/** The same with a default limit of loss. */
export const lossyRoundTripLimits = roundTripLimits.extend({ loss: loss.default(1).meta({ description }) });

type RoundTripLimits = z.output<typeof roundTripLimits>;
type Limits = Readonly<Record<Severity, RoundTripLimits>>;

/** The limits, with the default limits for loss where none are set. A default never overrules a limit that is set. */
export function withUsualLoss({ degraded, down }: Limits, packets: number): Limits {
  const usual = packets < usualLoss.manyFrom ? usualLoss.few : usualLoss.many;
  const usualDown = (degraded.loss ?? 0) < usual.down ? usual.down : undefined;
  return {
    degraded: { ...degraded, loss: degraded.loss ?? usual.degraded },
    down: { ...down, loss: down.loss ?? usualDown },
  };
}

export const roundTripMetrics = [
  { name: 'rttMinMs', unit: 'ms', meaning: 'shortest round trip' },
  { name: 'rttAvgMs', unit: 'ms', meaning: 'mean round trip' },
  { name: 'rttMaxMs', unit: 'ms', meaning: 'longest round trip' },
  { name: 'rttStddevMs', unit: 'ms', meaning: 'standard deviation of the round trips' },
  { name: 'jitterMs', unit: 'ms', meaning: 'smoothed difference between neighbouring round trips (RFC 3550)' },
] as const satisfies readonly Metric[];

export interface RoundTripFigures {
  readonly lastMs: number;
  readonly meanMs: number;
  readonly minMs: number;
  readonly maxMs: number;
  readonly stddevMs: number;
}

/** Statistics of round trips in the order of their replies; the round trips themselves are not kept. */
export class RoundTrips {
  #count = 0;
  #minMs = Infinity;
  #maxMs = 0;
  #meanMs = 0;
  /** Sum of squared distances from the mean (Welford). */
  #squares = 0;
  #lastMs: number | undefined;
  #jitterMs = 0;

  get count(): number {
    return this.#count;
  }

  add(rttMs: number): void {
    this.#count++;
    this.#minMs = Math.min(this.#minMs, rttMs);
    this.#maxMs = Math.max(this.#maxMs, rttMs);
    const distance = rttMs - this.#meanMs;
    this.#meanMs += distance / this.#count;
    this.#squares += distance * (rttMs - this.#meanMs);
    // Smoothed difference between neighbours (RFC 3550, section 6.4.1), over round trips.
    if (this.#lastMs !== undefined) this.#jitterMs += (Math.abs(rttMs - this.#lastMs) - this.#jitterMs) / 16;
    this.#lastMs = rttMs;
  }

  /** Exact, for a table that is redrawn; undefined without a reply. The deviation is that of a sample, as mtr shows it. */
  figures(): RoundTripFigures | undefined {
    const lastMs = this.#lastMs;
    if (lastMs === undefined) return undefined;
    const stddevMs = this.#count > 1 ? Math.sqrt(this.#squares / (this.#count - 1)) : 0;
    return { lastMs, meanMs: this.#meanMs, minMs: this.#minMs, maxMs: this.#maxMs, stddevMs };
  }

  /** None without a reply, and no jitter with a single one. */
  metrics(): Partial<Record<string, number>> {
    if (this.#count === 0) return {};
    return {
      rttMinMs: microseconds(this.#minMs),
      rttAvgMs: microseconds(this.#meanMs),
      rttMaxMs: microseconds(this.#maxMs),
      rttStddevMs: microseconds(Math.sqrt(this.#squares / this.#count)),
      ...(this.#count > 1 && { jitterMs: microseconds(this.#jitterMs) }),
    };
  }
}

/** Statistics of round trips in the order of their replies. */
export function measureRoundTrips(rttsMs: readonly number[]): Partial<Record<string, number>> {
  const roundTrips = new RoundTrips();
  for (const rttMs of rttsMs) roundTrips.add(rttMs);
  return roundTrips.metrics();
}

function microseconds(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

/** Compares the measurement with the limits; `what` names the units that travelled: packets, messages. @throws {Failure} loss, threshold */
export function assertRoundTrips({ metrics = {} }: Measured, options: Limits, what: string): void {
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
