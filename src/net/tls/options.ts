import { createPrivateKey, X509Certificate } from 'node:crypto';
import { z } from 'zod';
import { Failure } from '../../core/failure.ts';
import { decimalNumber } from '../../core/numbers.ts';
import type { Measured } from '../../core/outcome.ts';
import { parsedText } from '../../core/parsed-text.ts';
import { hostname } from '../../core/target.ts';

const certificatePem = parsedText((text) => new X509Certificate(text), 'a certificate as PEM text');
const keyPem = parsedText(createPrivateKey, 'an unencrypted private key as PEM text');

/** The options of every check that speaks TLS. */
export const tlsFields = {
  verify: z.boolean().default(true).meta({ description: 'Require a certificate that is valid and trusted' }),
  expiryDays: decimalNumber(0, 3650)
    .default(14)
    .meta({ description: 'Degraded when the certificate has fewer days left' }),
  minVersion: z.enum(['TLSv1.2', 'TLSv1.3']).default('TLSv1.2').meta({ description: 'Oldest TLS version to accept' }),
  serverName: hostname.optional().meta({ description: 'Name to ask for and to expect, instead of the host' }),
  ca: certificatePem
    .optional()
    .meta({ description: 'Certificate authority to trust instead of the usual ones (PEM text)' }),
  certificate: certificatePem.optional().meta({ description: 'Client certificate (PEM text)' }),
  key: keyPem.optional().meta({ description: 'Key of the client certificate (PEM text)', secret: true }),
  resume: z
    .boolean()
    .default(false)
    .meta({ description: 'Resume earlier TLS sessions instead of a full handshake each' }),
};

/** Numbers of a certificate that expires soon. @throws {Failure} threshold */
export function assertNotExpiring({ metrics = {} }: Measured, { expiryDays }: { readonly expiryDays: number }): void {
  const { certificateDaysLeft = Infinity } = metrics;
  if (certificateDaysLeft >= expiryDays) return;
  const left = `${certificateDaysLeft.toFixed(1)} days left`;
  throw new Failure('threshold', `Expected a certificate with at least ${expiryDays} days left, got ${left}.`);
}

interface KeyPair {
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
}

export function hasBothOrNeither({ certificate, key }: KeyPair): boolean {
  return (certificate === undefined) === (key === undefined);
}

export const bothOrNeither = 'expected certificate and key together';
