import { z } from 'zod';
import { duration } from '../../core/duration.ts';
import { familyChoices } from '../../core/network.ts';
import { wholeNumber } from '../../core/numbers.ts';
import { roundTripLimits } from '../../core/round-trips.ts';
import { hostname } from '../../core/target.ts';

export const options = z.strictObject({
  host: hostname.meta({ description: 'Name or address to ping' }),
  family: z.enum(familyChoices).default('auto').meta({ description: 'IPv4 or IPv6' }),
  count: wholeNumber(1, 100).default(1).meta({ description: 'Packets to send' }),
  interval: duration({ min: 10, max: 60_000, default: 1000 }).meta({ description: 'Time between packets' }),
  wait: duration({ min: 10, max: 60_000, default: 3000 }).meta({
    description: 'How long to wait for answers after the last packet',
  }),
  size: wholeNumber(0, 65_507).default(56).meta({ description: 'Payload bytes of each packet' }),
  ttl: wholeNumber(1, 255).optional().meta({ description: 'Hops a packet may go' }),
  dontFragment: z.boolean().default(false).meta({ description: 'Forbid routers to fragment the packets' }),
  degraded: roundTripLimits.default({}).meta({ description: 'Degraded from' }),
  down: roundTripLimits.default({}).meta({ description: 'Down from' }),
});

export type IcmpOptions = z.output<typeof options>;
