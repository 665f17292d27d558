import { showBytes } from '../../core/bytes.ts';
import type { Measurement } from '../../core/check.ts';
import { formatDuration } from '../../core/duration.ts';
import { Failure } from '../../core/failure.ts';
import { up, type Outcome } from '../../core/outcome.ts';
import { quoted } from '../../core/quoted.ts';
import { assertRoundTrips, measureRoundTrips } from '../../core/round-trips.ts';
import type { EchoOptions } from './options.ts';
import type { Tally } from './tally.ts';

/** Writes the counts into the measurement, also for a run that fails. */
export function record(tally: Tally, measurement: Measurement): void {
  const { sent, received, lossPercent, duplicates, reordered, corrupted, rttsMs } = tally;
  if (sent === 0) return;
  Object.assign(measurement.metrics, { sent, received, lossPercent, duplicates, reordered, corrupted });
  Object.assign(measurement.metrics, measureRoundTrips(rttsMs));
  measurement.latencyMs = measurement.metrics['rttAvgMs'];
}

/** @throws {Failure} assertion, timeout, loss, threshold */
export function verdict(options: EchoOptions, tally: Tally, measurement: Measurement): Outcome {
  const { message, count, wait } = options;
  const { sent, received, corruptedReply } = tally;
  if (corruptedReply) {
    throw new Failure('assertion', `Expected ${shown(Buffer.from(message))} back, got ${shown(corruptedReply)}.`);
  }
  if (received === 0)
    throw new Failure('timeout', `No reply within ${formatDuration(wait)} to ${plural(sent, 'message')}.`);
  assertRoundTrips(measurement, options, 'messages');
  return up(count === 1 ? message : `${message} came back ${received} of ${count} times.`, measurement);
}

function shown(bytes: Buffer): string {
  return quoted(showBytes(bytes, 60));
}

function plural(count: number, noun: string): string {
  return count === 1 ? `1 ${noun}` : `${count} ${noun}s`;
}
