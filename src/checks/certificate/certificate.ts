import type { Socket } from 'node:net';
import { defineCheck, type CheckContext, type Measurement } from '../../core/check.ts';
import { destinationOf, dialOptionsOf } from '../../core/dial-options.ts';
import { metricOf } from '../../core/metrics.ts';
import type { SecureConnection } from '../../core/network.ts';
import { endpointOf, formatEndpoint } from '../../core/target.ts';
import { addressDetail } from '../../core/tried.ts';
import { Conversation } from '../../net/dialogue/conversation.ts';
import { negotiateStartTls, type StartTlsProtocol } from '../../net/dialogue/starttls.ts';
import { noteTls } from '../../net/tls/report.ts';
import { judgeCertificates } from './judge-certificates.ts';
import { options, type CertificateOptions } from './options.ts';

/** The certificates of a TLS server (RFC 5280, 6066, 6960, 9525). */
export const certificate = defineCheck({
  type: 'certificate',
  title: 'Certificate',
  summary: 'Does a TLS handshake and checks the certificates: chain, names, days left, fingerprint, issuer.',
  options,
  metrics: [
    metricOf.resolve,
    metricOf.connect,
    { name: 'startTlsMs', unit: 'ms', meaning: 'asking for TLS in the protocol of the server' },
    metricOf.tls,
    metricOf.certificate,
    { name: 'certificates', unit: 'count', meaning: 'certificates that the server sent' },
  ],
  defaultTimeoutMs: 10_000,
  asks: ['host', 'port'],
  targetSyntax: 'HOST[:PORT]',
  fromTarget: (target) => endpointOf(target),
  targetOf: formatEndpoint,
  destinationOf,
  async run(options, context, measurement) {
    const dial = { ...dialOptionsOf(options), signal: context.signal };
    const { socket, resolveMs, connectMs, ...dialled } = await context.net.connect(options, dial);
    measurement.metrics = { resolveMs, connectMs };
    measurement.detail = addressDetail(dialled);
    const visit = { ...context, options, measurement };
    try {
      if (options.starttls) await askForTls(socket, options.starttls, visit);
      const secure = await secureSocket(socket, visit);
      secure.socket.destroy();
      return judgeCertificates(secure, options, measurement);
    } finally {
      socket.destroy();
    }
  },
});

interface Visit extends CheckContext {
  readonly options: CertificateOptions;
  readonly measurement: Measurement;
}

async function askForTls(socket: Socket, protocol: StartTlsProtocol, visit: Visit): Promise<void> {
  const { options, clock, signal, measurement } = visit;
  const startedMs = clock.monotonic();
  const conversation = new Conversation(socket, { signal, where: formatEndpoint(options) });
  try {
    await negotiateStartTls[protocol](conversation);
    conversation.handOver();
  } finally {
    measurement.metrics['startTlsMs'] = clock.monotonic() - startedMs;
    if (conversation.greeting !== undefined) measurement.detail['banner'] = conversation.greeting;
  }
}

async function secureSocket(socket: Socket, visit: Visit): Promise<SecureConnection> {
  const { options, net, clock, signal, measurement } = visit;
  const { host, tls } = options;
  const secure = await net.startTls(socket, { ...tls, serverName: tls.serverName ?? host, resume: false, signal });
  noteTls(measurement, secure, { nowMs: clock.now(), where: formatEndpoint(options) });
  measurement.metrics['certificates'] = secure.certificates.filter(({ sent }) => sent).length;
  return secure;
}
