import type { Socket } from 'node:dgram';
import { z } from 'zod';
import { defineCheck } from '../../core/check.ts';
import { hexBytes, showBytes } from '../../core/bytes.ts';
import { Failure, isDeadline } from '../../core/failure.ts';
import { assertFast, degradedByLatency } from '../../core/limits.ts';
import { familyChoices } from '../../core/network.ts';
import { up } from '../../core/outcome.ts';
import { compilePattern, pattern } from '../../core/pattern.ts';
import { endpointOf, formatEndpoint, hostname, port } from '../../core/target.ts';
import { addressDetail } from '../../core/tried.ts';
import { nextDatagram } from '../../net/dial/dial.ts';

/** What fits in one Ethernet frame over IPv6, so that no check depends on fragments. */
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
  family: z.enum(familyChoices).default('auto').meta({ description: 'IPv4 or IPv6' }),
});

type Options = z.output<typeof options>;

/** Sends one datagram. Silence is no proof that a UDP port is closed, so it is only down where a reply is expected. */
export const udp = defineCheck({
  type: 'udp',
  title: 'UDP',
  summary: 'Sends a datagram and listens for the reply, or for the news that nothing listens there.',
  options,
  metrics: [
    { name: 'resolveMs', unit: 'ms', meaning: 'looking the name up' },
    { name: 'replyMs', unit: 'ms', meaning: 'from the datagram to its reply' },
    { name: 'replyBytes', unit: 'bytes', meaning: 'length of the reply' },
  ],
  defaultTimeoutMs: 3000,
  asks: ['host', 'port'],
  asksTimeout: true,
  targetSyntax: 'HOST:PORT',
  fromTarget: (target) => endpointOf(target),
  targetOf: formatEndpoint,
  async run(options, { clock, net, signal }, measurement) {
    const { host, port, family } = options;
    const { socket, resolveMs, ...dialled } = await net.openUdp({ host, port }, { family, signal });
    measurement.metrics = { resolveMs };
    measurement.detail = { ...addressDetail(dialled), response: false };
    try {
      const startedMs = clock.monotonic();
      socket.send(payloadOf(options));
      const reply = await replyOrSilence(socket, options, signal);
      if (!reply) return up(`Port ${port} on ${host} is open or no response received.`, measurement);
      measurement.latencyMs = clock.monotonic() - startedMs;
      Object.assign(measurement.metrics, { replyMs: measurement.latencyMs, replyBytes: reply.length });
      Object.assign(measurement.detail, { response: true, reply: showBytes(reply) });
      assertExpected(reply, options);
      assertFast('The reply', measurement.latencyMs, options);
      return up(`Port ${port} on ${host} answered: ${JSON.stringify(showBytes(reply, 60))}`, measurement);
    } finally {
      socket.close();
    }
  },
});

function payloadOf({ payload, payloadHex }: Options): Buffer {
  return payloadHex === undefined ? Buffer.from(payload) : Buffer.from(payloadHex, 'hex');
}

/** The reply; undefined when the deadline passed in silence and silence is no failure. */
async function replyOrSilence(socket: Socket, options: Options, signal: AbortSignal): Promise<Buffer | undefined> {
  const expectsReply = options.expect !== undefined || options.expectHex !== undefined;
  try {
    return await nextDatagram(socket, signal, `Waiting for a reply from ${formatEndpoint(options)}`);
  } catch (error) {
    if (expectsReply || !isDeadline(signal.reason)) throw error;
    return undefined;
  }
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
