import { z } from 'zod';

/** Without ports, because only the first packet of a peer is looked at. */
const network = z
  .string()
  .refine(
    (text) => z.union([z.cidrv4(), z.cidrv6(), z.ipv4(), z.ipv6()]).safeParse(text).success,
    'expected an address or a network, like 192.168.0.7, 10.0.0.0/8 or fd00::/8',
  );
const networks = z.array(network).max(1000).default([]);

export const nameChoices = ['all', 'intranet', 'none'] as const;

export const trafficOptions = z.strictObject({
  names: z
    .enum(nameChoices)
    .default('all')
    .describe('Peers whose names are recorded, as DNS answers and TLS greetings on this machine tell them'),
  networks: networks.describe(
    'Networks that are intranet as well; those of the interfaces and the private ranges always are',
  ),
  allow: networks.describe(
    'Intranet peers that may be met without a notice; the default gateway, DNS servers and the server always may',
  ),
  forbid: networks.describe('Peers whose first packet is a notice of its own, wherever they are'),
});
export type TrafficOptions = z.output<typeof trafficOptions>;
