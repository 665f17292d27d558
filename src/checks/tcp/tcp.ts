import { z } from 'zod';
import { defineCheck } from '../../core/check.ts';
import { familyChoices } from '../../core/network.ts';
import { up } from '../../core/outcome.ts';
import { endpointOf, formatEndpoint, hostname, port } from '../../core/target.ts';

const options = z.strictObject({
  host: hostname.meta({ description: 'Name or address to connect to' }),
  port: port.meta({ description: 'Port to connect to' }),
  family: z.enum(familyChoices).default('auto').meta({ description: 'IPv4 or IPv6' }),
});

export const tcp = defineCheck({
  type: 'tcp',
  title: 'TCP',
  summary: 'Opens a TCP connection and measures how long that takes.',
  options,
  metrics: [
    { name: 'resolveMs', unit: 'ms', meaning: 'looking the name up' },
    { name: 'connectMs', unit: 'ms', meaning: 'TCP handshake' },
  ],
  defaultTimeoutMs: 10_000,
  asks: ['host', 'port'],
  targetSyntax: 'HOST:PORT',
  fromTarget: (target) => endpointOf(target),
  targetOf: formatEndpoint,
  async run({ host, port, family }, { net, signal }, measurement) {
    const { socket, address, resolveMs, connectMs } = await net.connect({ host, port }, { family, signal });
    socket.destroy();
    measurement.metrics = { resolveMs, connectMs };
    return up(`Port ${port} on ${host} is open.`, {
      latencyMs: connectMs,
      metrics: { resolveMs, connectMs },
      detail: { address: address.ip },
    });
  },
});
