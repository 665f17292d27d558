import { defineCheck, type CheckContext, type Progress } from '../../core/check.ts';
import { nextTurn, sleep } from '../../core/clock.ts';
import { socketOptionsOf } from '../../core/dial-options.ts';
import type { Milliseconds } from '../../core/duration.ts';
import { Failure, isDeadline } from '../../core/failure.ts';
import { metricOf } from '../../core/metrics.ts';
import type { QueryAnswer, QueryChannel } from '../../core/network.ts';
import { roundTripMetrics } from '../../core/round-trips.ts';
import { pingVerdict } from './ping-verdict.ts';
import { options, type IcmpOptions } from './options.ts';
import { EchoTally } from './tally.ts';

export const icmp = defineCheck({
  type: 'icmp',
  title: 'ICMP',
  summary: 'Pings a host and measures round trips, loss and jitter.',
  options,
  metrics: [
    metricOf.resolve,
    { name: 'sent', unit: 'count', meaning: 'packets sent' },
    { name: 'received', unit: 'count', meaning: 'packets answered' },
    { name: 'lossPercent', unit: 'percent', meaning: 'packets without an answer' },
    ...roundTripMetrics,
    { name: 'reordered', unit: 'count', meaning: 'answers that a later packet overtook' },
    { name: 'duplicates', unit: 'count', meaning: 'answers that came more than once' },
    { name: 'ttl', unit: 'hops', meaning: 'hops the last answer could still have gone' },
  ],
  defaultTimeoutMs: 10_000,
  sendingMs: (options) => sendingMs(options),
  plannedMs: (options) => sendingMs(options) + options.wait,
  asks: ['host'],
  targetSyntax: 'HOST',
  fromTarget: (host) => ({ host }),
  targetOf: ({ host }) => host,
  async run(options, context, measurement) {
    const tally = new EchoTally();
    const complete = new AbortController();
    const onAnswer = (answer: QueryAnswer): void => {
      tally.countAnswer(answer);
      context.onProgress?.(progressOf(answer, options.count));
      if (tally.sent === options.count && tally.isSettled) complete.abort();
    };
    const { host, size, ttl, dontFragment } = options;
    const { signal } = context;
    using channel = await context.net.openQueries(
      { protocol: 'icmp', host },
      { ...socketOptionsOf(options), size, ttl, dontFragment, signal, onAnswer },
    );
    Object.assign(measurement.detail, { address: channel.address.ip, via: channel.via });
    try {
      await exchange(channel, { ...options, tally, complete: complete.signal }, context);
    } catch (error) {
      if (options.count > 0 && isDeadline(signal.reason)) throw cutShort(tally, options, signal.reason);
      // Ctrl-C, or the end of the time for an endless ping: the answers so far count.
      await nextTurn();
      tally.withdrawUnsettled();
      if (!signal.aborted || tally.sent === 0) throw error;
    } finally {
      measurement.metrics = { resolveMs: channel.resolveMs, ...tally.metrics() };
      measurement.latencyMs = measurement.metrics['rttAvgMs'];
      Object.assign(measurement.detail, tally.detail(context));
    }
    return pingVerdict(tally, options, { address: channel.address.ip, measured: measurement });
  },
});

/** From the first packet to the last. */
function sendingMs({ count, interval }: Pick<IcmpOptions, 'count' | 'interval'>): Milliseconds {
  return count === 0 ? Infinity : (count - 1) * interval;
}

interface Exchange extends Pick<IcmpOptions, 'count' | 'interval' | 'wait'> {
  readonly tally: EchoTally;
  /** Aborts when every packet has had its answer. */
  readonly complete: AbortSignal;
}

/** Sends the packets in their rhythm and waits for the answers. */
async function exchange(channel: QueryChannel, run: Exchange, { clock, signal }: CheckContext): Promise<void> {
  for (let sequence = 0; run.count === 0 || sequence < run.count; sequence++) {
    if (sequence > 0) await sleep(clock, run.interval, signal);
    run.tally.countSent();
    channel.send(sequence);
  }
  // The wait ends by the first of: time, the last answer, the end of the run. Only the last is an error.
  await sleep(clock, run.wait, AbortSignal.any([signal, run.complete])).catch(() => signal.throwIfAborted());
  await nextTurn();
}

/** The deadline came before the last packet had its time. */
function cutShort({ sent, received }: EchoTally, { count }: IcmpOptions, cause: DOMException): Failure {
  const answered = `${received} of ${sent} packets were answered`;
  const missing = sent < count ? `; ${count - sent} more could not be sent in time` : '';
  return new Failure('timeout', `${cause.message} ${answered}${missing}.`, { cause });
}

function progressOf(answer: QueryAnswer, count: number): Progress {
  const { sequence } = answer;
  const place = count === 0 ? String(sequence + 1) : `${sequence + 1} of ${count}`;
  if (answer.kind === 'unsent') return { text: `${place}: ${answer.error.message}`, detail: { sequence } };
  const { from = 'this machine', rttMs } = answer;
  if (answer.kind === 'error') {
    return {
      text: `${place}: ${from} says ${answer.error.text}`,
      detail: { sequence, from, error: answer.error.text },
    };
  }
  const { ttl = null, duplicate } = answer;
  const text = `${place}: ${rttMs.toFixed(2)} ms from ${from}${ttl === null ? '' : `, TTL ${ttl}`}`;
  return { text: duplicate ? `${text}, again` : text, detail: { sequence, from, rttMs, ttl, duplicate } };
}
