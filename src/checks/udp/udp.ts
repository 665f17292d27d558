import { z } from 'zod';
import { BoundedMap } from '../../core/bounded-map.ts';
import { defineCheck } from '../../core/check.ts';
import { destinationOf, dialFields, dialOptionsOf } from '../../core/dial-options.ts';
import { hexBytes, showBytes } from '../../core/bytes.ts';
import { Failure, isDeadline } from '../../core/failure.ts';
import { assertFast, degradedByLatency } from '../../core/limits.ts';
import { metricOf } from '../../core/metrics.ts';
import { failed, up, type Outcome } from '../../core/outcome.ts';
import { compilePattern, pattern } from '../../core/pattern.ts';
import { endpointOf, formatEndpoint, hostname, port } from '../../core/target.ts';
import { addressDetail, type Tried } from '../../core/tried.ts';

/** The most that fits in one Ethernet frame over IPv6, so that no check depends on fragments. */
const maxPayloadBytes = 1432;

const options = z.strictObject({
  host: hostname.meta({ description: 'Name or address to send to' }),
  port: port.meta({ description: 'Port to send to' }),
  payload: z
    .string()
    .max(maxPayloadBytes)
    .default('')
    .meta({ description: 'Text to send; empty sends an empty datagram' }),
  payloadHex: hexBytes(maxPayloadBytes).optional().meta({ description: 'Bytes to send instead, in hexadecimal' }),
  expect: pattern.optional().meta({ description: 'Regular expression (RE2) that the reply must match' }),
  expectHex: hexBytes(maxPayloadBytes).optional().meta({ description: 'Bytes that the reply must begin with' }),
  degraded: degradedByLatency('time from the datagram to its reply'),
  silence: z.enum(['up', 'unknown', 'down']).optional().meta({
    description: 'Status without a reply; if not set: up, and down for what was answered before or is expected',
  }),
  ...dialFields,
});

type Options = z.output<typeof options>;

/** Sends one datagram. Silence is no proof that a UDP port is closed, so it is only down where a reply is expected. */
export const udp = defineCheck({
  type: 'udp',
  title: 'UDP',
  summary: 'Sends a datagram and listens for the reply, or for the news that nothing listens there.',
  options,
  metrics: [
    metricOf.resolve,
    { name: 'replyMs', unit: 'ms', meaning: 'from the datagram to its reply' },
    { name: 'replyBytes', unit: 'bytes', meaning: 'length of the reply' },
  ],
  defaultTimeoutMs: 3000,
  asks: ['host', 'port'],
  asksTimeout: true,
  targetSyntax: 'HOST:PORT',
  fromTarget: (target) => endpointOf(target),
  targetOf: formatEndpoint,
  destinationOf,
  async run(options, { net, signal }, measurement) {
    const { host, port } = options;
    const payload = payloadOf(options);
    const conversation = `${host} ${port} ${payload.toString('base64')}`;
    measurement.detail['response'] = false;
    try {
      const { reply, replyMs, resolveMs, ...dialled } = await net.askUdp(options, {
        ...dialOptionsOf(options),
        payload,
        signal,
      });
      answered.set(conversation, true);
      measurement.latencyMs = replyMs;
      Object.assign(measurement.metrics, { resolveMs, replyMs, replyBytes: reply.length });
      Object.assign(measurement.detail, { ...addressDetail(dialled), response: true, reply: showBytes(reply) });
      assertExpected(reply, options);
      assertFast('The reply', replyMs, options);
      return up(`Port ${port} on ${host} answered: ${JSON.stringify(showBytes(reply, 60))}`, measurement);
    } catch (error) {
      if (!isSilence(error, signal)) throw error;
      return silent(error.toOutcome(measurement), { options, wasAnswered: answered.get(conversation) ?? false });
    }
  },
});

/** Targets that have answered before, by host, port and payload: silence of one of them is a change. */
const answered = new BoundedMap<string, boolean>(10_000);

function payloadOf({ payload, payloadHex }: Options): Buffer {
  return payloadHex === undefined ? Buffer.from(payload) : Buffer.from(payloadHex, 'hex');
}

/** Whether the time is over and nobody has answered or objected; of several addresses, at least one. */
function isSilence(error: unknown, signal: AbortSignal): error is Failure {
  if (!(error instanceof Failure) || !isDeadline(signal.reason) || error.cause !== signal.reason) return false;
  const { tried } = error.toOutcome().detail;
  // Only the network writes it.
  return error.reason === 'timeout' || ((tried ?? []) as readonly Tried[]).some(({ reason }) => reason === 'timeout');
}

/** Silence proves nothing of a UDP port, unless a reply is expected. */
function silent(
  outcome: Outcome,
  { options, wasAnswered }: { readonly options: Options; readonly wasAnswered: boolean },
): Outcome {
  const { host, port, silence, expect, expectHex } = options;
  const { metrics, detail, message } = outcome;
  if (expect !== undefined || expectHex !== undefined) return outcome;
  const status = silence ?? (wasAnswered ? 'down' : 'up');
  if (status === 'up') return up(`Port ${port} on ${host} is open or no response received.`, { metrics, detail });
  const why = silence === undefined ? `${message} This was answered before.` : message;
  return failed('timeout', why, { metrics, detail, as: { status } });
}

function assertExpected(reply: Buffer, { expect, expectHex }: Options): void {
  if (expectHex !== undefined && !reply.toString('hex').startsWith(expectHex)) {
    throw new Failure('assertion', `Expected a reply that begins with ${expectHex}, got ${showHex(reply)}.`);
  }
  if (expect !== undefined && !compilePattern(expect).matcher(reply).find()) {
    throw new Failure(
      'assertion',
      `Expected a reply that matches /${expect}/, got ${JSON.stringify(showBytes(reply))}.`,
    );
  }
}

function showHex(reply: Buffer): string {
  return reply.length === 0 ? 'an empty one' : reply.subarray(0, 100).toString('hex');
}
