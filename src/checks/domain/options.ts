import { isIP } from 'node:net';
import { z } from 'zod';
import { dialFields } from '../../core/dial-options.ts';
import { latencyLimit } from '../../core/limits.ts';
import { decimalNumber } from '../../core/numbers.ts';
import { strictOption } from '../../core/oddities.ts';
import { hostname } from '../../core/target.ts';
import { url } from '../../net/http/request-options.ts';
import { withoutFinalDot } from '../../net/tls/certificate.ts';
import { checkTlsOptions, tlsFields } from '../../net/tls/options.ts';

const { verify, minVersion, ca, ocsp } = tlsFields;
const days = decimalNumber(0, 3650);
const daysMeaning = { description: 'this many days left until the registration expires; 0: never' };

/** A status as RDAP writes it (RFC 8056), also taken as registrars and WHOIS do: clientHold, client-hold. */
const status = z
  .string()
  .max(100)
  .regex(/^[A-Za-z][\w -]*$/, 'expected a status like "client hold"')
  .transform(plainStatus);

const maxEntries = 50;

/** `client hold` for `clientHold`. */
export function plainStatus(text: string): string {
  return text
    .replaceAll(/([a-z])([A-Z])/g, '$1 $2')
    .replaceAll(/[\s_-]+/g, ' ')
    .toLowerCase()
    .trim();
}

/** In these the name is not in the DNS, or about to be lost. */
const badStatuses = ['client hold', 'server hold', 'redemption period', 'pending delete'];

export const options = z.strictObject({
  name: hostname
    .refine((name) => isIP(name) === 0 && /[^.]\.[^.]/.test(name), 'expected a registered domain like example.org')
    .transform(withoutFinalDot)
    .meta({ description: 'Registered domain: example.org, not www.example.org' }),
  server: url(['https:', 'http:'], { mayHaveUser: false })
    .optional()
    .meta({ description: 'Base URL of the RDAP server, instead of the one that IANA lists for the top-level domain' }),
  expect: z
    .strictObject({
      registrar: z.string().min(1).max(500).optional().meta({ description: "Text that the registrar's name contains" }),
      nameservers: z
        .array(hostname.transform(withoutFinalDot))
        .max(maxEntries)
        .default([])
        .meta({ description: 'Name servers that the domain must have, exactly these' }),
      statuses: z
        .array(status)
        .max(maxEntries)
        .default([])
        .meta({ description: 'Statuses that the domain must have: client transfer prohibited' }),
    })
    .prefault({}),
  degraded: z
    .strictObject({
      days: days.default(30).meta(daysMeaning),
      latency: latencyLimit.optional().meta({ description: 'time for the whole answer, with redirects' }),
    })
    .prefault({})
    .meta({ description: 'Degraded from' }),
  down: z
    .strictObject({
      days: days.default(7).meta(daysMeaning),
      statuses: z
        .array(status)
        .max(maxEntries)
        .default(badStatuses)
        .meta({ description: 'one of these statuses of the domain' }),
    })
    .prefault({})
    .meta({ description: 'Down from' }),
  tls: z.strictObject({ verify, minVersion, ca, ocsp }).superRefine(checkTlsOptions).prefault({}),
  strict: strictOption,
  ...dialFields,
});

export type DomainOptions = z.output<typeof options>;
