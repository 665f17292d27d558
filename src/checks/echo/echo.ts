import { randomBytes } from 'node:crypto';
import { defineCheck, type CheckContext, type Measurement } from '../../core/check.ts';
import { destinationOf, dialOptionsOf } from '../../core/dial-options.ts';
import { metricOf } from '../../core/metrics.ts';
import { roundTripMetrics } from '../../core/round-trips.ts';
import { endpointOf, formatEndpoint } from '../../core/target.ts';
import { addressDetail } from '../../core/tried.ts';
import { exchangeOverTcp, exchangeOverUdp } from './exchange.ts';
import { options, type EchoOptions } from './options.ts';
import { EchoTally } from './tally.ts';
import { record, verdict } from './verdict.ts';

/** RFC 862 over TCP or UDP. */
export const echo = defineCheck({
  type: 'echo',
  title: 'Echo',
  summary: 'Sends messages to an echo server and compares what comes back.',
  options,
  metrics: [
    metricOf.resolve,
    metricOf.connect,
    { name: 'sent', unit: 'count', meaning: 'messages sent' },
    { name: 'received', unit: 'count', meaning: 'messages that came back unchanged' },
    { name: 'lossPercent', unit: 'percent', meaning: 'messages that did not come back' },
    { name: 'duplicates', unit: 'count', meaning: 'replies that came again' },
    { name: 'reordered', unit: 'count', meaning: 'replies that a later one had overtaken' },
    { name: 'corrupted', unit: 'count', meaning: 'replies that are no message we sent' },
    ...roundTripMetrics,
  ],
  defaultTimeoutMs: 10_000,
  sendingMs: ({ count, interval }) => (count - 1) * interval,
  plannedMs: ({ protocol, count, interval, wait }) => (count - 1) * interval + (protocol === 'udp' ? wait : 0),
  asks: ['host', 'port', 'message'],
  targetSyntax: 'HOST[:PORT]',
  fromTarget: (target) => endpointOf(target),
  targetOf: formatEndpoint,
  destinationOf,
  async run(options, context, measurement) {
    const messages = messagesOf(options);
    const tally = new EchoTally();
    try {
      await exchange(options, context, { messages, tally, measurement });
    } finally {
      record(tally.result(), measurement);
    }
    return verdict(options, tally.result(), measurement);
  },
});

interface Parts {
  readonly messages: readonly Buffer[];
  readonly tally: EchoTally;
  readonly measurement: Measurement;
}

async function exchange(options: EchoOptions, context: CheckContext, parts: Parts): Promise<void> {
  const { net, signal, clock } = context;
  const { messages, tally, measurement } = parts;
  const { interval: intervalMs, wait: waitMs } = options;
  const dial = { ...dialOptionsOf(options), signal };
  const plan = { messages, intervalMs, waitMs, clock, signal, tally, where: formatEndpoint(options) };
  if (options.protocol === 'udp') {
    const { socket, resolveMs, ...dialled } = await net.openUdp(options, dial);
    measurement.metrics = { resolveMs };
    measurement.detail = addressDetail(dialled);
    return await exchangeOverUdp(socket, plan).finally(() => socket.close());
  }
  const { socket, resolveMs, connectMs, ...dialled } = await net.connect(options, dial);
  measurement.metrics = { resolveMs, connectMs };
  measurement.detail = addressDetail(dialled);
  await exchangeOverTcp(socket, plan).finally(() => socket.destroy());
}

/** A single message goes out as it was typed; several carry a number, so that each reply tells whose it is. */
function messagesOf({ message, count, size }: EchoOptions): Buffer[] {
  const run = randomBytes(4).toString('hex');
  const texts = count === 1 ? [message] : Array.from({ length: count }, (_, index) => `${message} ${run}-${index + 1}`);
  return texts.map((text) => filledUp(Buffer.from(text), size));
}

function filledUp(message: Buffer, size: number): Buffer {
  return message.length >= size ? message : Buffer.concat([message, Buffer.alloc(size - message.length, '.')]);
}
