import { once } from 'node:events';
import { z } from 'zod';
import { defineCheck } from '../../core/check.ts';
import { Failure } from '../../core/failure.ts';
import { familyChoices } from '../../core/network.ts';
import { up } from '../../core/outcome.ts';
import { endpointOf, formatEndpoint, hostname, port } from '../../core/target.ts';

const options = z.strictObject({
  host: hostname.meta({ description: 'Name or address of the server' }),
  port: port.meta({ description: 'Port of the server' }),
  family: z.enum(familyChoices).default('auto').meta({ description: 'IPv4 or IPv6' }),
});

/** The specification it follows: RFC 0000, section 0. */
export const template = defineCheck({
  type: 'template',
  title: 'Template',
  summary: 'Connects and waits for the first bytes that the server sends.',
  options,
  metrics: [
    { name: 'resolveMs', unit: 'ms', meaning: 'looking the name up' },
    { name: 'connectMs', unit: 'ms', meaning: 'TCP handshake' },
    { name: 'firstByteMs', unit: 'ms', meaning: 'from connected to the first byte' },
  ],
  defaultTimeoutMs: 10_000,
  asks: ['host', 'port'],
  targetSyntax: 'HOST:PORT',
  fromTarget: (target) => endpointOf(target),
  targetOf: formatEndpoint,
  async run({ host, port, family }, { clock, net, signal }, { metrics, detail }) {
    const { socket, address, resolveMs, connectMs } = await net.connect({ host, port }, { family, signal });
    try {
      Object.assign(metrics, { resolveMs, connectMs });
      detail['address'] = address.ip;
      const connectedMs = clock.monotonic();
      // `once` rejects when the signal aborts and when the socket fails; `defineCheck` turns the first into an outcome.
      const [first] = (await once(socket, 'data', { signal })) as [Buffer];
      if (first.length === 0) throw new Failure('protocol', `expected a greeting from ${host}, got nothing`);
      metrics['firstByteMs'] = clock.monotonic() - connectedMs;
      return up(`${host} answered.`, { latencyMs: metrics['firstByteMs'], metrics, detail });
    } finally {
      socket.destroy();
    }
  },
});
