import type { Socket } from 'node:net';
import { z } from 'zod';
import { defineCheck, type CheckContext, type Measurement } from '../../core/check.ts';
import { duration, type Milliseconds } from '../../core/duration.ts';
import { Failure } from '../../core/failure.ts';
import { assertFast, degradedByLatency } from '../../core/limits.ts';
import { destinationOf, dialFields, dialOptionsOf } from '../../core/dial-options.ts';
import { metricOf } from '../../core/metrics.ts';
import { Oddities, strictOption } from '../../core/oddities.ts';
import { up } from '../../core/outcome.ts';
import { quoted } from '../../core/quoted.ts';
import { endpointOf, formatEndpoint, hostname, port } from '../../core/target.ts';
import { addressDetail } from '../../core/tried.ts';
import { withDeadline } from '../../net/dial/deadline.ts';
import { exchangeHttp2 } from '../../net/http/http2.ts';
import { requestHeaders } from '../../net/http/request-options.ts';
import { encodeHealthRequest, healthMethod } from '../../net/packets/grpc.ts';
import { checkTlsOptions, tlsFields } from '../../net/tls/options.ts';
import { assertNotExpiring, noteTls } from '../../net/tls/report.ts';
import { servingStatusOf } from './answer.ts';

/** A health response has two bytes; more room for a server that answers as something else. */
const maxBodyBytes = 65_536;

const tls = z
  .strictObject({
    enabled: z.boolean().default(false).meta({ description: 'Speak TLS; otherwise HTTP/2 in plain text (h2c)' }),
    ...tlsFields,
  })
  .superRefine(checkTlsOptions)
  .prefault({});

const options = z.strictObject({
  host: hostname.meta({ description: 'Name or address of the server' }),
  port: port.meta({ description: 'Port of the server' }),
  service: z
    .string()
    .max(1000)
    .default('')
    .meta({ description: 'Service whose health is asked for; if left out, that of the whole server' }),
  deadline: duration({ min: 1, max: 600_000, default: 5000 }).meta({
    description: 'Time that the server has to answer; it is told (grpc-timeout)',
  }),
  headers: requestHeaders.meta({ description: 'Metadata to send, by name', secret: true }),
  tls,
  strict: strictOption,
  ...dialFields,
  degraded: degradedByLatency('time for connecting and the answer'),
});

type Options = z.output<typeof options>;

/** The health protocol of gRPC, grpc.health.v1 (grpc.io, GRPC Health Checking Protocol). */
export const grpc = defineCheck({
  type: 'grpc',
  title: 'gRPC',
  summary: 'Asks a gRPC server for the health of a service (grpc.health.v1).',
  options,
  metrics: [
    metricOf.resolve,
    metricOf.connect,
    metricOf.tls,
    { name: 'answerMs', unit: 'ms', meaning: 'request sent to the end of the answer' },
    { name: 'grpcStatus', unit: 'count', meaning: 'gRPC status code, 0 is OK' },
    metricOf.certificate,
  ],
  defaultTimeoutMs: 10_000,
  asks: ['host', 'port', 'service'],
  targetSyntax: 'HOST:PORT',
  fromTarget: (target) => endpointOf(target),
  targetOf: formatEndpoint,
  destinationOf,
  async run(options, context, measurement) {
    const { service } = options;
    const connection = await context.net.connect(options, { ...dialOptionsOf(options), signal: context.signal });
    const { resolveMs, connectMs } = connection;
    measurement.metrics = { resolveMs, connectMs };
    measurement.detail = { ...addressDetail(connection), service };
    const visit = { ...context, options, measurement };
    try {
      const socket = options.tls.enabled ? await secured(connection.socket, visit) : connection.socket;
      const servingStatus = await askHealth(socket, visit);
      measurement.detail['servingStatus'] = servingStatus;
      assertHealthy(servingStatus, visit);
    } finally {
      connection.socket.destroy();
    }
    return up(`${service === '' ? 'The server' : `Service ${quoted(service)}`} is SERVING.`, measurement);
  },
});

interface Visit extends CheckContext {
  readonly options: Options;
  readonly measurement: Measurement;
}

async function secured(socket: Socket, { net, options, signal, clock, measurement }: Visit): Promise<Socket> {
  const { serverName = options.host, ...tls } = options.tls;
  const where = formatEndpoint(options);
  const secure = await net.startTls(socket, { ...tls, serverName, alpn: ['h2'], signal });
  noteTls(measurement, secure, { nowMs: clock.now(), where });
  if (secure.alpn === 'h2') return secure.socket;
  secure.socket.destroy();
  throw new Failure('protocol', `Expected ${where} to speak HTTP/2, it chose ${secure.alpn ?? 'nothing'}.`);
}

async function askHealth(socket: Socket, visit: Visit): Promise<string> {
  const { options, measurement, clock, signal } = visit;
  const { deadline: timeoutMs } = options;
  const startedMs = clock.monotonic();
  try {
    const answer = await withDeadline({ clock, timeoutMs, signal }, (signal) =>
      exchangeHttp2(socket, requestOf(options), { signal, clock, peer: formatEndpoint(options), maxBodyBytes }),
    );
    return servingStatusOf(answer, measurement, options);
  } finally {
    const { connectMs = 0, tlsMs = 0 } = measurement.metrics;
    const answerMs = clock.monotonic() - startedMs;
    measurement.metrics['answerMs'] = answerMs;
    measurement.latencyMs = connectMs + tlsMs + answerMs;
    socket.destroy();
  }
}

function requestOf(options: Options): Parameters<typeof exchangeHttp2>[1] {
  return {
    method: 'POST',
    target: healthMethod,
    scheme: options.tls.enabled ? 'https' : 'http',
    headers: {
      host: formatEndpoint(options),
      'user-agent': 'watchkeeper',
      ...options.headers,
      'content-type': 'application/grpc',
      te: 'trailers',
      'grpc-timeout': grpcTimeout(options.deadline),
    },
    body: encodeHealthRequest(options.service),
  };
}

/** At most eight digits and a unit. */
function grpcTimeout(timeoutMs: Milliseconds): string {
  return `${timeoutMs}m`;
}

/** @throws {Failure} assertion, protocol, threshold */
function assertHealthy(servingStatus: string, { options, measurement }: Visit): void {
  const who = options.service === '' ? 'the server' : `service ${quoted(options.service)}`;
  if (servingStatus !== 'SERVING')
    throw new Failure('assertion', `Expected ${who} to be SERVING, it is ${servingStatus}.`);
  new Oddities(measurement).assertNone(options);
  assertNotExpiring(measurement, options.tls);
  assertFast('Connecting and the answer', measurement.latencyMs ?? 0, options);
}
