import { z } from 'zod';
import { dialFields } from '../../core/dial-options.ts';
import { degradedByLatency } from '../../core/limits.ts';
import { strictOption } from '../../core/oddities.ts';
import { hostname, port } from '../../core/target.ts';
import { checkTlsOptions, tlsFields } from '../tls/options.ts';

const maxCredentialLength = 1000;
const maxCapabilities = 50;

// A line end would be the begin of another command.
const credential = z
  .string()
  .min(1)
  .max(maxCredentialLength)
  .refine((text) => !/[\r\n\0]/.test(text), 'expected a text without line ends');

/** The options of a check of a mail server. */
export const mailOptions = z
  .strictObject({
    host: hostname.meta({ description: 'Name or address of the mail server' }),
    port: port.optional().meta({ description: 'Port, if not the usual one of the protocol' }),
    security: z.enum(['auto', 'none', 'starttls', 'tls']).default('auto').meta({
      description:
        'TLS: from the start on its own port, else by STARTTLS if offered (auto); never; or one of these required',
    }),
    username: credential.optional().meta({ description: 'User to log in as; only in TLS' }),
    password: credential.optional().meta({ description: 'Password of the user', secret: true }),
    capabilities: z
      .array(z.string().trim().min(1).max(200))
      .max(maxCapabilities)
      .default([])
      .meta({ description: 'What the server must offer, like PIPELINING or AUTH PLAIN' }),
    tls: z.strictObject(tlsFields).superRefine(checkTlsOptions).prefault({}),
    degraded: degradedByLatency('time for connecting and all that follows'),
    strict: strictOption,
    ...dialFields,
  })
  .superRefine(({ username, password, security }, context) => {
    if ((username === undefined) !== (password === undefined))
      context.addIssue({ code: 'custom', message: 'expected username and password together', path: ['username'] });
    if (username !== undefined && security === 'none')
      context.addIssue({ code: 'custom', message: 'expected TLS for a login, got none', path: ['security'] });
  });

export type MailOptions = z.output<typeof mailOptions>;
