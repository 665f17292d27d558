import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { defineCheck, type CheckContext, type Measurement } from '../../core/check.ts';
import { duration } from '../../core/duration.ts';
import { familyChoices } from '../../core/network.ts';
import { lossyRoundTripLimits, roundTripLimits, roundTripMetrics } from '../../core/round-trips.ts';
import { endpointOf, formatEndpoint, hostname, port } from '../../core/target.ts';
import { exchangeOverTcp, exchangeOverUdp } from './exchange.ts';
import { defaultEchoPort } from './responder.ts';
import { EchoTally } from './tally.ts';
import { record, verdict } from './verdict.ts';

const maxMessages = 1000;
/** The longest payload of a UDP datagram over IPv4. */
const maxBytes = 65_507;

const options = z.strictObject({
  host: hostname.default('localhost').meta({ description: 'Name or address of the echo server' }),
  port: port.default(defaultEchoPort).meta({ description: 'Port of the echo server' }),
  message: z.string().min(1).max(1000).default('Hello!').meta({ description: 'Message to send' }),
  protocol: z.enum(['tcp', 'udp']).default('tcp').meta({ description: 'How to send it' }),
  count: z.coerce.number().int().min(1).max(maxMessages).default(1).meta({ description: 'Messages to send' }),
  interval: duration({ min: 0, max: 60_000 })
    .default(100)
    .meta({ description: 'Time between two messages', default: '100ms' }),
  size: z.coerce
    .number()
    .int()
    .min(0)
    .max(maxBytes)
    .default(0)
    .meta({ description: 'Bytes to fill each message up to' }),
  wait: duration({ min: 10, max: 60_000 })
    .default(2000)
    .meta({ description: 'How long to wait for UDP replies after the last message', default: '2s' }),
  degraded: lossyRoundTripLimits.prefault({}).meta({ description: 'Degraded from' }),
  down: roundTripLimits.default({}).meta({ description: 'Down from' }),
  family: z.enum(familyChoices).default('auto').meta({ description: 'IPv4 or IPv6' }),
});

export type EchoOptions = z.output<typeof options>;

/** RFC 862 over TCP or UDP. */
export const echo = defineCheck({
  type: 'echo',
  title: 'Echo',
  summary: 'Sends messages to an echo server and compares what comes back.',
  options,
  metrics: [
    { name: 'resolveMs', unit: 'ms', meaning: 'looking the name up' },
    { name: 'connectMs', unit: 'ms', meaning: 'TCP handshake' },
    { name: 'sent', unit: 'count', meaning: 'messages sent' },
    { name: 'received', unit: 'count', meaning: 'messages that came back unchanged' },
    { name: 'lossPercent', unit: 'percent', meaning: 'messages that did not come back' },
    { name: 'duplicates', unit: 'count', meaning: 'replies that came again' },
    { name: 'reordered', unit: 'count', meaning: 'replies that a later one had overtaken' },
    { name: 'corrupted', unit: 'count', meaning: 'replies that are no message we sent' },
    ...roundTripMetrics,
  ],
  defaultTimeoutMs: 10_000,
  plannedMs: ({ count, interval }) => (count - 1) * interval,
  asks: ['host', 'port', 'message'],
  targetSyntax: 'HOST[:PORT]',
  fromTarget: (target) => endpointOf(target),
  targetOf: formatEndpoint,
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
  const { host, port, family, interval: intervalMs, wait: waitMs } = options;
  const plan = { messages, intervalMs, waitMs, clock, signal, tally, where: formatEndpoint(options) };
  if (options.protocol === 'udp') {
    const { socket, address, resolveMs } = await net.openUdp({ host, port }, { family, signal });
    measurement.metrics = { resolveMs };
    measurement.detail = { address: address.ip };
    return await exchangeOverUdp(socket, plan).finally(() => socket.close());
  }
  const { socket, address, resolveMs, connectMs } = await net.connect({ host, port }, { family, signal });
  measurement.metrics = { resolveMs, connectMs };
  measurement.detail = { address: address.ip };
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
