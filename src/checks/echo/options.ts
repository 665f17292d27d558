import { z } from 'zod';
import { dialFields } from '../../core/dial-options.ts';
import { duration } from '../../core/duration.ts';
import { wholeNumber } from '../../core/numbers.ts';
import { defaultEchoPort } from '../../core/ports.ts';
import { lossyRoundTripLimits, roundTripLimits } from '../../core/round-trips.ts';
import { hostname, port } from '../../core/target.ts';

const maxMessages = 1000;
/** The longest payload of a UDP datagram over IPv4. */
const maxBytes = 65_507;

export const options = z.strictObject({
  host: hostname.default('localhost').meta({ description: 'Name or address of the echo server' }),
  port: port.default(defaultEchoPort).meta({ description: 'Port of the echo server' }),
  message: z.string().min(1).max(1000).default('Hello!').meta({ description: 'Message to send' }),
  protocol: z.enum(['tcp', 'udp']).default('tcp').meta({ description: 'How to send it' }),
  count: wholeNumber(1, maxMessages).default(1).meta({ description: 'Messages to send' }),
  interval: duration({ min: 0, max: 60_000, default: 100 }).meta({ description: 'Time between two messages' }),
  size: wholeNumber(0, maxBytes).default(0).meta({ description: 'Bytes to fill each message up to' }),
  wait: duration({ min: 10, max: 60_000, default: 2000 }).meta({
    description: 'How long to wait for UDP replies after the last message',
  }),
  degraded: lossyRoundTripLimits.prefault({}).meta({ description: 'Degraded from' }),
  down: roundTripLimits.default({}).meta({ description: 'Down from' }),
  ...dialFields,
});

export type EchoOptions = z.output<typeof options>;
