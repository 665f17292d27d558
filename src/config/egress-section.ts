import { z } from 'zod';
import type { WrittenFile } from './mistake.ts';
import { readSection } from './section.ts';

const network = z.union([z.cidrv4(), z.cidrv6(), z.ipv4(), z.ipv6()]);

/** `10.0.0.0/8`, `192.0.2.7:5432`, `fd00::/8`, `[fd00::/8]:5432`; what a range covers is the egress policy's business. */
const range = z.string().refine((text) => {
  const [, bracketed, plain, port = '1'] = /^(?:\[(.+)\]|([\d./]+))(?::(\d{1,5}))?$/.exec(text.trim()) ?? [];
  return network.safeParse(bracketed ?? plain ?? text.trim()).success && Number(port) >= 1 && Number(port) <= 65_535;
}, 'expected an address or a range, like 10.0.0.0/8, fd00::/8 or [fd00::/8]:5432');

export const egressSchema = z.strictObject({
  allow: z.array(range).default([]).meta({
    description: 'Addresses that checks may reach although they are denied by default; a port may follow',
    example: '[169.254.10.0/24, "[fd00::/8]:5432"]',
  }),
  deny: z.array(range).default([]).meta({
    description: 'Addresses that checks may not reach; wins over `allow`',
    example: '[10.0.0.0/8]',
  }),
  proxies: z.array(range).optional().meta({
    description:
      'Addresses of HTTP proxies that checks may ask for names: what a name stands for behind a proxy is the word of that proxy, which this policy cannot judge. None for an agent, and with `allow` or `deny`',
    example: '["10.0.0.5:3128"]',
  }),
});

export type EgressSection = z.output<typeof egressSchema>;

/** Undefined if there is a mistake in it, which is then reported. */
export function readEgress(written: unknown, file: WrittenFile): EgressSection | undefined {
  return readSection(egressSchema, written ?? {}, file);
}
