import { z } from 'zod';
import { defineCheck } from '../../core/check.ts';
import { destinationOf, dialFields, dialOptionsOf } from '../../core/dial-options.ts';
import { Failure } from '../../core/failure.ts';
import { assertFast, degradedByLatency } from '../../core/limits.ts';
import { metricOf } from '../../core/metrics.ts';
import { Oddities, strictOption } from '../../core/oddities.ts';
import { up } from '../../core/outcome.ts';
import { compilePattern, pattern } from '../../core/pattern.ts';
import { quoted } from '../../core/quoted.ts';
import { endpointOf, formatEndpoint, hostname, port } from '../../core/target.ts';
import { addressDetail } from '../../core/tried.ts';
import { readOrTell } from '../../net/dialogue/commands.ts';
import { Conversation } from '../../net/dialogue/conversation.ts';
import { identificationReader, type Identification } from './identification.ts';

const sshPort = 22;

const options = z.strictObject({
  host: hostname.meta({ description: 'Name or address of the SSH server' }),
  port: port.default(sshPort).meta({ description: 'Port of the SSH server' }),
  software: pattern.optional().meta({ description: 'Regular expression (RE2) for software and comments: ^OpenSSH_9' }),
  degraded: degradedByLatency('time for connecting and the identification'),
  strict: strictOption,
  ...dialFields,
});

/** The identification of RFC 4253 section 4.2; no keys are exchanged. */
export const ssh = defineCheck({
  type: 'ssh',
  title: 'SSH',
  summary: 'Connects to an SSH server and reads which protocol and software it has. It does not log in.',
  options,
  metrics: [
    metricOf.resolve,
    metricOf.connect,
    { name: 'bannerMs', unit: 'ms', meaning: 'from connected to the end of the identification' },
  ],
  defaultTimeoutMs: 10_000,
  asks: ['host', 'port'],
  targetSyntax: 'HOST[:PORT]',
  fromTarget: (target) => endpointOf(target),
  targetOf: ({ host, port }) => (port === sshPort ? host : formatEndpoint({ host, port })),
  destinationOf,
  async run(options, { clock, net, signal }, measurement) {
    const where = formatEndpoint(options);
    const dial = { ...dialOptionsOf(options), signal };
    const { socket, resolveMs, connectMs, ...dialled } = await net.connect(options, dial);
    measurement.metrics = { resolveMs, connectMs };
    measurement.detail = addressDetail(dialled);
    using conversation = new Conversation(socket, { signal, where });
    const connectedMs = clock.monotonic();
    // Each side says who it is without waiting for the other.
    conversation.write('SSH-2.0-Watchkeeper\r\n');
    const identification = await readOrTell(
      conversation,
      identificationReader(),
      `Waiting for the identification of ${where}`,
    );
    const bannerMs = clock.monotonic() - connectedMs;
    measurement.metrics['bannerMs'] = bannerMs;
    measurement.latencyMs = connectMs + bannerMs;
    const { banner, protocol, software, comments, oddities } = identification;
    Object.assign(measurement.detail, { banner, protocol, software, ...(comments !== '' && { comments }) });
    const noted = new Oddities(measurement);
    for (const oddity of oddities) noted.note(oddity);
    assertGood(identification, options.software);
    noted.assertNone(options);
    assertFast('Connecting and the identification', measurement.latencyMs, options);
    return up(`${where} answers: ${quoted(banner)}`, measurement);
  },
});

/** @throws {Failure} protocol, assertion */
function assertGood({ banner, protocol, software, comments }: Identification, wanted: string | undefined): void {
  // As OpenSSH's client reads it. RFC 4253 section 5.1: 1.99 is a server that speaks 2.0 and older versions.
  if (!/^(?:0*2\.\d+|0*1\.0*99)$/.test(protocol))
    throw new Failure('protocol', `Expected SSH 2.0, got version ${quoted(protocol)}: ${quoted(banner)}.`);
  if (software === '' && comments === '')
    throw new Failure('protocol', `Expected SSH-2.0- and a software, got ${quoted(banner)}.`);
  const text = comments === '' ? software : `${software} ${comments}`;
  if (wanted !== undefined && !compilePattern(wanted).matcher(text).find())
    throw new Failure('assertion', `Expected software like /${wanted}/, got ${quoted(text)}.`);
}
