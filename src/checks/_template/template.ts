import { z } from 'zod';
import { defineCheck } from '../../core/check.ts';
import { Failure } from '../../core/failure.ts';
import { assertFast, degradedByLatency } from '../../core/limits.ts';
import { destinationOf, dialFields, dialOptionsOf } from '../../core/dial-options.ts';
import { metricOf } from '../../core/metrics.ts';
import { up } from '../../core/outcome.ts';
import { endpointOf, formatEndpoint, hostname, port } from '../../core/target.ts';
import { addressDetail } from '../../core/tried.ts';
import { Incoming } from '../../net/dialogue/incoming.ts';

const maxGreetingBytes = 4096;

const options = z.strictObject({
  host: hostname.meta({ description: 'Name or address of the server' }),
  port: port.meta({ description: 'Port of the server' }),
  contains: z.string().max(1000).default('').meta({ description: 'Text that the greeting must contain' }),
  degraded: degradedByLatency('time for connecting and the greeting'),
  ...dialFields,
});

/** The specification it follows: RFC 0000, section 0. */
export const template = defineCheck({
  type: 'template',
  title: 'Template',
  summary: 'Connects and reads the line with which the server greets.',
  options,
  metrics: [
    metricOf.resolve,
    metricOf.connect,
    { name: 'greetingMs', unit: 'ms', meaning: 'from connected to the end of the greeting' },
  ],
  defaultTimeoutMs: 10_000,
  asks: ['host', 'port'],
  targetSyntax: 'HOST:PORT',
  fromTarget: (target) => endpointOf(target),
  targetOf: formatEndpoint,
  destinationOf,
  async run(options, { clock, net, signal }, measurement) {
    const { contains } = options;
    const dial = { ...dialOptionsOf(options), signal };
    const { socket, resolveMs, connectMs, ...dialled } = await net.connect(options, dial);
    // These values are kept however the run ends.
    measurement.metrics = { resolveMs, connectMs };
    measurement.detail = addressDetail(dialled);
    try {
      const connectedMs = clock.monotonic();
      const incoming = new Incoming(socket, maxGreetingBytes);
      const doing = `Waiting for the greeting of ${formatEndpoint(options)}`;
      const greeting = await incoming.until(firstLine, { signal, doing });
      const greetingMs = clock.monotonic() - connectedMs;
      measurement.latencyMs = connectMs + greetingMs;
      measurement.metrics['greetingMs'] = greetingMs;
      measurement.detail['greeting'] = greeting;
      if (!greeting.includes(contains))
        throw new Failure(
          'assertion',
          `Expected a greeting with ${JSON.stringify(contains)}, got ${JSON.stringify(greeting)}.`,
        );
      assertFast('Connecting and the greeting', measurement.latencyMs, options);
      return up(greeting, measurement);
    } finally {
      socket.destroy();
    }
  },
});

/** Undefined until the whole line is there. */
function firstLine(bytes: Buffer): string | undefined {
  const end = bytes.indexOf('\n');
  return end < 0 ? undefined : bytes.toString('utf8', 0, end).trimEnd();
}
