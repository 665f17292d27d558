import type { X509Certificate } from 'node:crypto';
import { Failure } from '../../core/failure.ts';
import type { CertificateFacts } from '../../core/network.ts';
import type { Reason } from '../../core/outcome.ts';
import { socketFailure } from '../dial/dial.ts';
import { certificateDetail, isIssuedFor, isoTime } from './certificate.ts';

type Explain = (certificate: CertificateFacts) => readonly [Reason, string];

const day = (timeMs: number): string => isoTime(timeMs).slice(0, 10);

const unknownIssuer: Explain = (certificate) => [
  'tls-untrusted',
  `it is signed by "${certificate.issuer}", which is not trusted here, or the server left out an intermediate certificate; give a CA as tls.ca to trust it`,
];
const selfSigned: Explain = () => [
  'tls-untrusted',
  'it is self-signed, not signed by a trusted CA; give it as tls.ca to trust it',
];

/** OpenSSL's verdicts on a chain, by the codes Node gives them. */
const verdicts: Readonly<Record<string, Explain>> = {
  // OpenSSL may mean any certificate of the chain.
  CERT_HAS_EXPIRED: ({ validToMs }) => [
    'tls-expired',
    validToMs < Date.now() ? `it expired on ${day(validToMs)}` : 'a certificate it is signed by has expired',
  ],
  CERT_NOT_YET_VALID: ({ validFromMs }) => [
    'tls-not-yet-valid',
    validFromMs > Date.now()
      ? `it is valid only from ${day(validFromMs)} on; today is ${day(Date.now())}`
      : 'a certificate it is signed by is not valid yet',
  ],
  DEPTH_ZERO_SELF_SIGNED_CERT: selfSigned,
  SELF_SIGNED_CERT_IN_CHAIN: unknownIssuer,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownIssuer,
  UNABLE_TO_GET_ISSUER_CERT: unknownIssuer,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownIssuer,
  // Node has no code for these; the commonest is a key of 1024 bits.
  UNSPECIFIED: () => ['tls-untrusted', 'its key or its signature is too weak, or it breaks another rule of OpenSSL'],
  CERT_REVOKED: () => ['tls-revoked', 'its issuer has revoked it'],
};

interface Presented {
  readonly serverName: string;
  readonly certificate: X509Certificate | undefined;
  readonly facts: CertificateFacts | undefined;
  /** OpenSSL's verdict on the chain; empty if it is good. */
  readonly verdict: string;
}

/** What is wrong with the certificate of a finished handshake; undefined if it is good for `serverName`. */
export function certificateFailure({ serverName, certificate, facts, verdict }: Presented): Failure | undefined {
  if (!certificate || !facts) return new Failure('tls-untrusted', `Expected a certificate of ${serverName}, got none.`);
  const about = `The certificate of ${serverName} is not good`;
  const detail = { tls: certificateDetail(facts) };
  if (verdict !== '') {
    const [reason, words] = verdicts[verdict]?.(facts) ?? (['tls-untrusted', `OpenSSL says ${verdict}`] as const);
    return new Failure(reason, `${about}: ${words}.`, { detail });
  }
  if (isIssuedFor(certificate, serverName)) return undefined;
  const names = (certificate.subjectAltName ?? 'no name').slice(0, 200);
  const message = `${about}: expected one for ${serverName}, got one for ${names}.`;
  return new Failure('tls-wrong-name', message, { detail });
}

/** What ends a handshake, or with TLS 1.3 the connection right after it, by the end of OpenSSL's code. */
const alerts: readonly (readonly [pattern: RegExp, reason: Reason, meaning: string])[] = [
  [
    /ALERT_CERTIFICATE_REQUIRED$/,
    'tls-client-certificate',
    'the server asks for a client certificate (tls.certificate and tls.key)',
  ],
  [
    /ALERT_(BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_\w+|UNKNOWN_CA|ACCESS_DENIED|DECRYPT_ERROR)$/,
    'tls-client-certificate',
    'the server does not accept our client certificate',
  ],
  [
    /ALERT_PROTOCOL_VERSION$|UNSUPPORTED_PROTOCOL$/,
    'tls-handshake',
    'the server speaks no TLS version that is at least tls.minVersion',
  ],
  [
    /ALERT_HANDSHAKE_FAILURE$/,
    'tls-handshake',
    'the server refused; it shares no cipher with us, or wants a client certificate',
  ],
  [
    /WRONG_VERSION_NUMBER$|PACKET_LENGTH_TOO_LONG$/,
    'tls-handshake',
    'what came is not TLS; does the port speak plain text, as in http://?',
  ],
  [/UNRECOGNIZED_NAME$/, 'tls-wrong-name', 'the server knows no such name'],
  [/NO_APPLICATION_PROTOCOL$/, 'tls-handshake', 'the server offers none of the protocols we asked for'],
];

/** What the error of a TCP or TLS socket says about the target. `doing` begins the sentence: `TLS with example.test`. */
export function streamFailure(error: Error, doing: string): Error {
  // OpenSSL's own words are in `reason`; its message also names its source file.
  const { code = '', syscall, reason: words = error.message } = error as NodeJS.ErrnoException & { reason?: string };
  // Node calls the end of the stream in mid-handshake a reset too; a real one comes from a system call.
  if (code === 'ECONNRESET' && syscall === undefined)
    return new Failure('closed', `${doing}: the server closed the connection during the handshake.`, { cause: error });
  if (!code.startsWith('ERR_SSL_')) return socketFailure(error, doing);
  const [, reason, meaning] = alerts.find(([pattern]) => pattern.test(code)) ?? [code, 'tls-handshake', words];
  return new Failure(reason, `${doing}: ${meaning} (${code}).`, { cause: error });
}
