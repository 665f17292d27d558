import { showBytes } from '../../core/bytes.ts';
import type { Measurement } from '../../core/check.ts';
import { formatDuration } from '../../core/duration.ts';
import { Failure } from '../../core/failure.ts';
import { up, type Outcome } from '../../core/outcome.ts';
import type { EchoOptions } from './echo.ts';
import type { Tally } from './tally.ts';

/** Writes what was counted into the measurement: also for a run that fails. */
export function record(tally: Tally, measurement: Measurement): void {
  const { sent, received, lossPercent, duplicates, reordered, corrupted, rttsMs } = tally;
  if (sent === 0) return;
  Object.assign(measurement.metrics, { sent, received, lossPercent, duplicates, reordered, corrupted });
  if (rttsMs.length === 0) return;
  measurement.latencyMs = average(rttsMs);
  const rtts = { rttMinMs: Math.min(...rttsMs), rttAvgMs: measurement.latencyMs, rttMaxMs: Math.max(...rttsMs) };
  Object.assign(measurement.metrics, rtts);
  if (rttsMs.length > 1) measurement.metrics['jitterMs'] = average(changes(rttsMs));
}

/** @throws {Failure} assertion, timeout, loss, threshold */
export function verdict(options: EchoOptions, tally: Tally, measurement: Measurement): Outcome {
  const { message, count, wait } = options;
  const { sent, received, corruptedReply } = tally;
  if (corruptedReply) {
    throw new Failure('assertion', `Expected ${quoted(Buffer.from(message))} back, got ${quoted(corruptedReply)}.`);
  }
  if (received === 0)
    throw new Failure('timeout', `No reply within ${formatDuration(wait)} to ${plural(sent, 'message')}.`);
  assertWithin(options.down, 'down', tally);
  assertWithin(options.degraded, 'degraded', tally);
  return up(count === 1 ? message : `${message} came back ${received} of ${count} times.`, measurement);
}

function assertWithin(limits: EchoOptions['down'], status: 'degraded' | 'down', tally: Tally): void {
  const { sent, lost, lossPercent, rttsMs } = tally;
  if (lost > 0 && lossPercent >= (limits.lossPercent ?? Infinity)) {
    const share = `${lost} of ${plural(sent, 'message')} did not come back (${Math.round(lossPercent)} %)`;
    throw new Failure('loss', `${share}, ${status} from ${limits.lossPercent} % on.`, { as: { status } });
  }
  const rttMs = average(rttsMs);
  const { latency = Infinity } = limits;
  if (rttMs > latency) {
    const message = `Expected the echo within ${formatDuration(latency)}, it took ${rttMs.toFixed(1)} ms.`;
    throw new Failure('threshold', message, { as: { status } });
  }
}

function quoted(bytes: Buffer): string {
  return JSON.stringify(showBytes(bytes, 60));
}

function plural(count: number, noun: string): string {
  return count === 1 ? `1 ${noun}` : `${count} ${noun}s`;
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** How much each value differs from the one before. */
function changes(values: readonly number[]): number[] {
  return values.slice(1).map((value, index) => Math.abs(value - (values[index] ?? value)));
}
