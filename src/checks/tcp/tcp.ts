import { z } from 'zod';
import { defineCheck, type CheckContext, type Measurement } from '../../core/check.ts';
import { destinationOf, dialFields, dialOptionsOf } from '../../core/dial-options.ts';
import { assertFast, degradedByLatency } from '../../core/limits.ts';
import { metricOf } from '../../core/metrics.ts';
import { Oddities, strictOption } from '../../core/oddities.ts';
import { up } from '../../core/outcome.ts';
import { endpointOf, formatEndpoint, hostname, port } from '../../core/target.ts';
import { addressDetail } from '../../core/tried.ts';
import { checkTlsOptions, tlsFields } from '../../net/tls/options.ts';
import { assertNotExpiring } from '../../net/tls/report.ts';
import { Conversation } from '../../net/dialogue/conversation.ts';
import { secureConversation } from '../../net/dialogue/secure-conversation.ts';
import { doStep, step } from '../../net/dialogue/steps.ts';
import { negotiateStartTls, startTlsProtocols } from '../../net/dialogue/starttls.ts';

const maxSteps = 32;

const tls = z
  .strictObject({
    enabled: z
      .boolean()
      .default(false)
      .meta({ description: 'Begin with a TLS handshake, instead of only after STARTTLS' }),
    ...tlsFields,
  })
  .superRefine(checkTlsOptions)
  .prefault({});

const options = z
  .strictObject({
    host: hostname.meta({ description: 'Name or address to connect to' }),
    port: port.meta({ description: 'Port to connect to' }),
    starttls: z
      .enum(startTlsProtocols)
      .optional()
      .meta({ description: 'Protocol in which to ask for TLS after connecting' }),
    tls,
    dialogue: z.array(step).max(maxSteps).default([]).meta({
      description:
        'Steps of {send or hex, expect or expectHex, reject}: what to send, what to wait for, what means no; or {startTls: true}',
    }),
    degraded: degradedByLatency('time for connecting and all that follows'),
    strict: strictOption,
    ...dialFields,
  })
  .superRefine(({ starttls, tls, dialogue }, context) => {
    const handshakes = dialogue.filter(({ startTls }) => startTls).length + (starttls || tls.enabled ? 1 : 0);
    if (handshakes > 1)
      context.addIssue({ code: 'custom', message: 'expected one TLS handshake at most', path: ['dialogue'] });
  });

type Options = z.output<typeof options>;

export const tcp = defineCheck({
  type: 'tcp',
  title: 'TCP',
  summary: 'Opens a TCP connection; on request goes on in TLS, or talks with the server.',
  options,
  metrics: [
    metricOf.resolve,
    metricOf.connect,
    metricOf.tls,
    { name: 'dialogueMs', unit: 'ms', meaning: 'sending and waiting for what was expected, with STARTTLS' },
    metricOf.certificate,
  ],
  defaultTimeoutMs: 10_000,
  asks: ['host', 'port'],
  targetSyntax: 'HOST:PORT',
  fromTarget: (target) => endpointOf(target),
  targetOf: formatEndpoint,
  destinationOf,
  async run(options, context, measurement) {
    const { signal } = context;
    const dial = { ...dialOptionsOf(options), signal };
    const { socket, resolveMs, connectMs, ...dialled } = await context.net.connect(options, dial);
    measurement.metrics = { resolveMs, connectMs };
    measurement.detail = addressDetail(dialled);
    using conversation = new Conversation(socket, { signal, where: formatEndpoint(options) });
    const visit = { options, context, conversation, measurement };
    try {
      await runDialogue(visit);
    } finally {
      if (conversation.greeting !== undefined) measurement.detail['banner'] = conversation.greeting;
    }
    assertWithin(options, measurement);
    return up(summary(options, measurement), measurement);
  },
});

interface Visit {
  readonly options: Options;
  readonly context: CheckContext;
  readonly conversation: Conversation;
  readonly measurement: Measurement;
}

/** Everything after connecting that the options ask for. */
async function runDialogue(visit: Visit): Promise<void> {
  const { options, conversation } = visit;
  const { starttls, tls, dialogue } = options;
  if (starttls) await timed(visit, () => negotiateStartTls[starttls](conversation));
  if (starttls || tls.enabled) await secureConversation(conversation, visit);
  for (const one of dialogue) {
    if (one.startTls) await secureConversation(conversation, visit);
    else await timed(visit, () => doStep(conversation, one));
  }
}

/** Adds up how long the dialogue takes, without the handshakes. */
async function timed({ context, measurement }: Visit, work: () => Promise<void>): Promise<void> {
  const startedMs = context.clock.monotonic();
  try {
    await work();
  } finally {
    const { metrics } = measurement;
    metrics['dialogueMs'] = (metrics['dialogueMs'] ?? 0) + context.clock.monotonic() - startedMs;
  }
}

/** @throws {Failure} threshold, protocol */
function assertWithin(options: Options, measurement: Measurement): void {
  const { connectMs = 0, tlsMs = 0, dialogueMs = 0 } = measurement.metrics;
  measurement.latencyMs = connectMs + tlsMs + dialogueMs;
  new Oddities(measurement).assertNone(options);
  assertNotExpiring(measurement, options.tls);
  assertFast('Connecting and all that followed', measurement.latencyMs, options);
}

function summary({ host, port }: Options, { detail }: Measurement): string {
  const speaks = detail['tls'] === undefined ? '' : ' and speaks TLS';
  const said = detail['banner'] === undefined ? '.' : `: ${JSON.stringify(detail['banner'])}`;
  return `Port ${port} on ${host} is open${speaks}${said}`;
}
