import { z } from 'zod';
import { degradedByLatency } from '../../core/limits.ts';
import { dialFields } from '../../core/dial-options.ts';
import { strictOption } from '../../core/oddities.ts';
import { pattern } from '../../core/pattern.ts';
import { requestHeaders, url } from '../../net/http/request-options.ts';
import { checkTlsOptions, tlsFields } from '../../net/tls/options.ts';

/** A token of RFC 9110 section 5.6.2. */
const token = z.string().regex(/^[!#$%&'*+.^`|~\w-]{1,100}$/, 'expected a name without spaces and commas');

export const options = z.strictObject({
  url: url(['ws:', 'wss:'], { mayHaveUser: false }).meta({ description: 'Full URL, ws or wss' }),
  headers: requestHeaders
    .refine(
      (given) => !Object.keys(given).some((name) => name.startsWith('sec-websocket-')),
      'the headers Sec-WebSocket-… are set by Watchkeeper itself; for a subprotocol there is an option',
    )
    .meta({ description: 'Request headers by name', secret: true }),
  subprotocols: z
    .array(token)
    .max(20)
    .default([])
    .meta({ description: 'Subprotocols to offer; the server must choose one of them' }),
  send: z.string().max(65_536).optional().meta({ description: 'Text message to send' }),
  expect: pattern.optional().meta({ description: 'Regular expression (RE2) that a message must match' }),
  ping: z.boolean().default(true).meta({ description: 'Require a pong to a ping' }),
  tls: z.strictObject(tlsFields).superRefine(checkTlsOptions).prefault({}),
  strict: strictOption,
  ...dialFields,
  degraded: degradedByLatency('time from connecting to the last answer'),
});

export type WebSocketOptions = z.output<typeof options>;
