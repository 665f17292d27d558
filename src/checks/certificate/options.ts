import { z } from 'zod';
import { hexBytes } from '../../core/bytes.ts';
import { dialFields } from '../../core/dial-options.ts';
import { latencyLimit } from '../../core/limits.ts';
import { decimalNumber } from '../../core/numbers.ts';
import { strictOption } from '../../core/oddities.ts';
import { hostname, port } from '../../core/target.ts';
import { startTlsProtocols } from '../../net/dialogue/starttls.ts';
import { checkTlsOptions, tlsFields } from '../../net/tls/options.ts';

const maxEntries = 100;
const { serverName, verify, minVersion, ca, certificate: own, key, ocsp } = tlsFields;
const fingerprint = hexBytes(32).refine(({ length }) => length === 64, 'expected a SHA-256 fingerprint of 64 digits');
const days = decimalNumber(0, 3650);
const daysMeaning = { description: 'this many days left of the first certificate to expire; 0: never' };

export const options = z.strictObject({
  host: hostname.meta({ description: 'Name or address of the server' }),
  port: port.default(443).meta({ description: 'Port of the server' }),
  starttls: z
    .enum(startTlsProtocols)
    .optional()
    .meta({ description: 'Protocol in which to ask for TLS after connecting' }),
  names: z
    .array(hostname)
    .max(maxEntries)
    .default([])
    .meta({ description: 'Names that the certificate must be for, beside that of the server' }),
  fingerprints: z
    .array(fingerprint)
    .max(maxEntries)
    .default([])
    .meta({ description: "SHA-256 fingerprints: the server's certificate must have one of them" }),
  issuer: z
    .string()
    .min(1)
    .max(500)
    .optional()
    .meta({ description: 'Text that the name of an issuer on the way to the trusted one must contain' }),
  tls: z
    .strictObject({ serverName, verify, minVersion, ca, certificate: own, key, ocsp })
    .superRefine(checkTlsOptions)
    .prefault({}),
  degraded: z
    .strictObject({
      days: days.default(14).meta(daysMeaning),
      latency: latencyLimit.optional().meta({ description: 'time for connecting and the handshake' }),
    })
    .prefault({})
    .meta({ description: 'Degraded from' }),
  down: z
    .strictObject({ days: days.default(0).meta(daysMeaning) })
    .prefault({})
    .meta({ description: 'Down from' }),
  strict: strictOption,
  ...dialFields,
});

export type CertificateOptions = z.output<typeof options>;
