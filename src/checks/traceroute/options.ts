import { z } from 'zod';
import { socketFields } from '../../core/dial-options.ts';
import { duration } from '../../core/duration.ts';
import { queryProtocols } from '../../core/network.ts';
import { wholeNumber } from '../../core/numbers.ts';
import { hostname, port } from '../../core/target.ts';

export const options = z
  .strictObject({
    host: hostname.meta({ description: 'Name or address to trace the path to' }),
    ...socketFields,
    protocol: z
      .enum(['auto', ...queryProtocols])
      .default('auto')
      .meta({ description: 'What to send; auto is ICMP, or UDP where this user may open no ICMP socket' }),
    port: port.optional().meta({ description: 'Port for UDP (usually 33434) and TCP (usually 80)' }),
    firstHop: wholeNumber(1, 255).default(1).meta({ description: 'Hop to begin with' }),
    maxHops: wholeNumber(1, 255).default(30).meta({ description: 'Hop to give up after' }),
    queries: wholeNumber(1, 10).default(3).meta({ description: 'Packets to each hop' }),
    wait: duration({ min: 10, max: 60_000, default: 1000 }).meta({
      description: 'How long to wait for an answer to each packet',
    }),
    parallel: wholeNumber(1, 64).default(16).meta({ description: 'Packets on their way at once' }),
    names: z.boolean().default(false).meta({ description: 'Look up the names of the hops' }),
  })
  .refine(({ firstHop, maxHops }) => firstHop <= maxHops, {
    path: ['firstHop'],
    message: 'expected firstHop to be at most maxHops',
  });

export type TracerouteOptions = z.output<typeof options>;
