import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import type { CertificateFacts } from '../../core/network.ts';

export function factsOf(certificate: X509Certificate): CertificateFacts {
  return {
    subject: oneLine(certificate.subject),
    issuer: oneLine(certificate.issuer),
    validFromMs: certificate.validFromDate.getTime(),
    validToMs: certificate.validToDate.getTime(),
  };
}

/** OpenSSL puts each part of a name on its own line; a certificate may lack a name altogether. */
function oneLine(name: string | undefined): string {
  return (name ?? '').replaceAll('\n', ', ').slice(0, 500);
}

/** The name check of RFC 9525: subject alternative names only, wildcards only as a whole label. */
export function isIssuedFor(certificate: X509Certificate, serverName: string): boolean {
  if (isIP(serverName) !== 0) return certificate.checkIP(serverName) !== undefined;
  // OpenSSL takes a name with a leading dot for any name below it.
  if (serverName.startsWith('.')) return false;
  const name = serverName.endsWith('.') ? serverName.slice(0, -1) : serverName;
  return certificate.checkHost(name, { subject: 'never', partialWildcards: false }) !== undefined;
}

/** For an outcome's detail. */
export function certificateDetail(certificate: CertificateFacts | undefined): Readonly<Record<string, string>> {
  if (!certificate) return {};
  const { subject, issuer, validFromMs, validToMs } = certificate;
  return { subject, issuer, validFrom: isoTime(validFromMs), validTo: isoTime(validToMs) };
}

/** ISO 8601, or `unknown`: a certificate may hold a date that is none. */
export function isoTime(timeMs: number): string {
  return Number.isFinite(timeMs) ? new Date(timeMs).toISOString() : 'unknown';
}
