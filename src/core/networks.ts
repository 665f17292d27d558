import { z } from 'zod';

/** An address or a network, without ports. */
const network = z
  .string()
  .refine(
    (text) => z.union([z.cidrv4(), z.cidrv6(), z.ipv4(), z.ipv6()]).safeParse(text).success,
    'expected an address or a network, like 192.168.0.7, 10.0.0.0/8 or fd00::/8',
  );

export const networks = z.array(network).max(1000).default([]);
