import { z } from 'zod';
import { networks } from '../../core/networks.ts';

export const nameChoices = ['all', 'intranet', 'none'] as const;

/** The kernel allows 15 characters, none of them a slash or white space. */
const interfacePattern = z
  .string()
  .regex(
    /^!?[^\s/!]{1,15}$/,
    'expected the name of an interface, with * for any characters, like eth0, wl* or !docker*',
  );

export const trafficOptions = z.strictObject({
  names: z
    .enum(nameChoices)
    .default('all')
    .describe('Peers whose names are recorded, as the machine’s own DNS questions and TLS greetings tell them'),
  interfaces: z
    .array(interfacePattern)
    .max(100)
    .default([])
    .describe('Interfaces whose peers are recorded, like eth0 or wl*; !docker* leaves out; all if none is named'),
  networks: networks.describe(
    'Networks that are intranet as well; those of the interfaces and the private ranges always are',
  ),
  allow: networks.describe(
    'Peers that may be met without a notice; the server, and the gateway and DNS servers of the start always may',
  ),
  forbid: networks.describe(
    'Peers that raise an alarm; of allow and forbid the smaller network decides, so 0.0.0.0/0 and ::/0 here forbid all but those allowed',
  ),
});
export type TrafficOptions = z.output<typeof trafficOptions>;
