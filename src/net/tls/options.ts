import { createPrivateKey, X509Certificate } from 'node:crypto';
import { z } from 'zod';
import { decimalNumber } from '../../core/numbers.ts';
import { parsedText } from '../../core/parsed-text.ts';
import { hostname } from '../../core/target.ts';

/** The certificates of all public authorities, as systems have them in one file, take 230 KiB. */
const maxCaLength = 524_288;
const caPem = parsedText(parseCertificates, 'certificates as PEM text', maxCaLength);
const certificatePem = parsedText(parseCertificates, 'certificates as PEM text');
const keyPem = parsedText(parseKey, 'an unencrypted private key as PEM text');

/** Each certificate of a PEM text. @throws {Error} */
function parseCertificates(pem: string): void {
  const blocks = pem.match(/-----BEGIN [^-\n]*CERTIFICATE-----[^-]*-----END [^-\n]*CERTIFICATE-----/g);
  if (!blocks) throw new Error('it has no "-----BEGIN CERTIFICATE-----" and "-----END CERTIFICATE-----"');
  for (const [index, block] of blocks.entries()) {
    readOrThrow(() => new X509Certificate(block), `number ${index + 1} in it cannot be read`);
  }
}

/** @throws {Error} */
function parseKey(pem: string): void {
  if (/ENCRYPTED/.test(pem)) throw new Error('it is encrypted');
  readOrThrow(() => createPrivateKey(pem), 'it cannot be read');
}

/** OpenSSL's own words say nothing to people. @throws {Error} with this message */
function readOrThrow(read: () => unknown, message: string): void {
  try {
    read();
  } catch (error) {
    throw new Error(message, { cause: error });
  }
}

/** The options of every check that speaks TLS. */
export const tlsFields = {
  verify: z.boolean().default(true).meta({ description: 'Require a certificate that is valid and trusted' }),
  expiryDays: decimalNumber(0, 3650).default(14).meta({
    description: 'Degraded when a certificate on the way to the trusted one has fewer days left; 0: never',
  }),
  minVersion: z.enum(['TLSv1.2', 'TLSv1.3']).default('TLSv1.2').meta({ description: 'Oldest TLS version to accept' }),
  serverName: hostname.optional().meta({ description: 'Name to ask for and to expect, instead of the host' }),
  ca: caPem.optional().meta({
    description:
      "Certificates to trust instead of the usual ones: authorities, or the server's own (PEM text, at most 512 KiB)",
    file: true,
  }),
  certificate: certificatePem.optional().meta({ description: 'Client certificate (PEM text)', file: true }),
  key: keyPem.optional().meta({ description: 'Key of the client certificate (PEM text)', secret: true, file: true }),
  ocsp: z.enum(['staple', 'require']).default('staple').meta({
    description: 'Read the OCSP response that comes with the certificate, or require one that says good',
  }),
  resume: z
    .boolean()
    .default(false)
    .meta({ description: 'Resume earlier TLS sessions instead of a full handshake each' }),
};

interface Chosen {
  readonly verify: boolean;
  readonly ocsp: 'staple' | 'require';
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
}

/** Options of TLS that do not go together; for `superRefine`. */
export function checkTlsOptions(chosen: Chosen, context: z.RefinementCtx): void {
  const mistake = mistakeOf(chosen);
  if (mistake) context.addIssue({ code: 'custom', message: mistake });
}

function mistakeOf({ verify, ocsp, certificate, key }: Chosen): string | undefined {
  if (!verify && ocsp === 'require') return 'expected verify: true with ocsp: require';
  if ((certificate === undefined) !== (key === undefined)) return 'expected certificate and key together';
  if (certificate === undefined || key === undefined || fits(certificate, key)) return undefined;
  return 'expected the key that belongs to the certificate, got another';
}

function fits(certificate: string, key: string): boolean {
  try {
    return new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key));
  } catch {
    // One of them cannot be read, which its own option says.
    return true;
  }
}
