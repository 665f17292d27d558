import { z } from 'zod';
import { socketFields } from '../../core/dial-options.ts';
import { duration } from '../../core/duration.ts';
import { wholeNumber } from '../../core/numbers.ts';
import { pingLimits } from '../../core/round-trips.ts';
import { hostname } from '../../core/target.ts';

/** Linux takes 3 s to find out that a neighbour does not answer, and then says so. */
const defaultWaitMs = 4000;

export const options = z.strictObject({
  host: hostname.meta({ description: 'Name or address to ping' }),
  ...socketFields,
  count: wholeNumber(0, 65_536).default(1).meta({ description: 'Packets to send; 0 goes on until Ctrl-C' }),
  interval: duration({ min: 10, max: 60_000, default: 1000 }).meta({ description: 'Time between packets' }),
  wait: duration({ min: 10, max: 60_000, default: defaultWaitMs }).meta({
    description: 'How long to wait for answers after the last packet',
  }),
  size: wholeNumber(0, 65_507).default(56).meta({ description: 'Payload bytes of each packet' }),
  ttl: wholeNumber(1, 255).optional().meta({ description: 'Hops a packet may go' }),
  dontFragment: z.boolean().default(false).meta({ description: 'Forbid routers to fragment the packets' }),
  degraded: pingLimits('degraded').default({}).meta({ description: 'Degraded from' }),
  down: pingLimits('down').default({}).meta({ description: 'Down from' }),
});

export type IcmpOptions = z.output<typeof options>;
