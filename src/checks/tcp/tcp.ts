import type { Socket } from 'node:net';
import { z } from 'zod';
import { defineCheck, type CheckContext, type Measurement } from '../../core/check.ts';
import { destinationOf, dialFields, dialOptionsOf } from '../../core/dial-options.ts';
import { assertFast, degradedByLatency } from '../../core/limits.ts';
import { Oddities, strictOption } from '../../core/oddities.ts';
import { up } from '../../core/outcome.ts';
import { endpointOf, formatEndpoint, hostname, port } from '../../core/target.ts';
import { addressDetail } from '../../core/tried.ts';
import { checkTlsOptions, tlsFields } from '../../net/tls/options.ts';
import { assertNotExpiring, noteTls } from '../../net/tls/report.ts';
import { Dialogue, step, type Step } from '../../net/dialogue/dialogue.ts';
import { startTlsProtocols, startTlsSteps } from '../../net/dialogue/starttls.ts';

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

const options = z.strictObject({
  host: hostname.meta({ description: 'Name or address to connect to' }),
  port: port.meta({ description: 'Port to connect to' }),
  starttls: z
    .enum(startTlsProtocols)
    .optional()
    .meta({ description: 'Protocol in which to ask for TLS after connecting' }),
  tls,
  dialogue: z
    .array(step)
    .max(maxSteps)
    .default([])
    .meta({ description: 'Steps of {send, expect, reject}: text to send, what to wait for, and what means no' }),
  degraded: degradedByLatency('time for connecting and all that follows'),
  strict: strictOption,
  ...dialFields,
});

type Options = z.output<typeof options>;

export const tcp = defineCheck({
  type: 'tcp',
  title: 'TCP',
  summary: 'Opens a TCP connection; on request goes on in TLS, or talks with the server.',
  options,
  metrics: [
    { name: 'resolveMs', unit: 'ms', meaning: 'looking the name up' },
    { name: 'connectMs', unit: 'ms', meaning: 'TCP handshake' },
    { name: 'tlsMs', unit: 'ms', meaning: 'TLS handshake' },
    { name: 'dialogueMs', unit: 'ms', meaning: 'sending and waiting for what was expected, with STARTTLS' },
    { name: 'certificateDaysLeft', unit: 'days', meaning: 'until the first certificate expires' },
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
    try {
      await converse(socket, options, { ...context, measurement });
      assertWithin(options, measurement);
      return up(summary(options, measurement), measurement);
    } finally {
      socket.destroy();
    }
  },
});

interface Visit extends CheckContext {
  readonly measurement: Measurement;
}

/** Everything after connecting that the options ask for. */
async function converse(socket: Socket, options: Options, visit: Visit): Promise<void> {
  const { starttls, tls, dialogue } = options;
  if (starttls) (await talk(socket, startTlsSteps[starttls], { options, visit })).handOver();
  if (!starttls && !tls.enabled) return void (await talk(socket, dialogue, { options, visit }));
  const secured = await secure(socket, options, visit);
  try {
    await talk(secured, dialogue, { options, visit });
  } finally {
    secured.destroy();
  }
}

/** Follows the steps, and writes down how long that took and what was said first. */
async function talk(
  socket: Socket,
  steps: readonly Step[],
  { options, visit }: { readonly options: Options; readonly visit: Visit },
): Promise<Dialogue> {
  const { clock, signal, measurement } = visit;
  const dialogue = new Dialogue(socket, { signal, where: formatEndpoint(options) });
  const startedMs = clock.monotonic();
  try {
    await dialogue.follow(steps);
    return dialogue;
  } finally {
    if (steps.length > 0) add(measurement, 'dialogueMs', clock.monotonic() - startedMs);
    if (dialogue.greeting !== undefined) measurement.detail['banner'] ??= dialogue.greeting;
  }
}

async function secure(socket: Socket, options: Options, visit: Visit): Promise<Socket> {
  const { net, clock, signal, measurement } = visit;
  const { host, tls } = options;
  const secured = await net.startTls(socket, { ...tls, serverName: tls.serverName ?? host, signal });
  noteTls(measurement, secured, { nowMs: clock.now(), where: formatEndpoint(options) });
  return secured.socket;
}

function add({ metrics }: Measurement, name: string, value: number): void {
  metrics[name] = (metrics[name] ?? 0) + value;
}

/** @throws {Failure} threshold, protocol */
function assertWithin(options: Options, measurement: Measurement): void {
  const { connectMs = 0, tlsMs = 0, dialogueMs = 0 } = measurement.metrics;
  measurement.latencyMs = connectMs + tlsMs + dialogueMs;
  new Oddities(measurement).assertNone(options);
  assertNotExpiring(measurement, options.tls);
  assertFast('Connecting and all that followed', measurement.latencyMs, options);
}

function summary({ host, port, starttls, tls }: Options, { detail }: Measurement): string {
  const speaks = starttls || tls.enabled ? ' and speaks TLS' : '';
  const said = detail['banner'] === undefined ? '.' : `: ${JSON.stringify(detail['banner'])}`;
  return `Port ${port} on ${host} is open${speaks}${said}`;
}
