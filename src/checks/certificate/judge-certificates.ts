import type { Measurement } from '../../core/check.ts';
import { Failure } from '../../core/failure.ts';
import { assertFast, limitReached, type Severity } from '../../core/limits.ts';
import type { ChainCertificate, SecureConnection } from '../../core/network.ts';
import { Oddities } from '../../core/oddities.ts';
import { up, type Outcome } from '../../core/outcome.ts';
import { quoted } from '../../core/quoted.ts';
import { isoTime, isNameCovered } from '../../net/tls/certificate.ts';
import type { CertificateOptions } from './options.ts';

/** Tests the certificate in this order: the right one, from the right issuer, valid for long enough. @throws {Failure} for the first mismatch */
export function judgeCertificates(
  secure: SecureConnection,
  options: CertificateOptions,
  measurement: Measurement,
): Outcome {
  const { connectMs = 0, startTlsMs = 0, tlsMs = 0 } = measurement.metrics;
  measurement.latencyMs = connectMs + startTlsMs + tlsMs;
  // A handshake without resumption brings the server's own certificate.
  const own = secure.certificates[0]!;
  assertNames(own, options);
  assertFingerprint(own, options);
  assertIssuer(secure.certificates, options);
  assertDaysLeft(secure, measurement, { status: 'down', days: options.down.days });
  new Oddities(measurement).assertNone(options);
  assertDaysLeft(secure, measurement, { status: 'degraded', days: options.degraded.days });
  assertFast('Connecting and the handshake', measurement.latencyMs, options);
  return up(`${describe(secure, measurement)}.`, measurement);
}

function assertNames({ names }: ChainCertificate, options: CertificateOptions): void {
  const missing = options.names.filter((name) => !isNameCovered(names, name));
  if (missing.length === 0) return;
  const got = names.length === 0 ? 'one for no name' : `one for ${names.slice(0, 10).join(', ')}`;
  throw new Failure('tls-wrong-name', `Expected a certificate also for ${missing.join(', ')}, got ${got}.`);
}

function assertFingerprint({ fingerprint, subject }: ChainCertificate, { fingerprints }: CertificateOptions): void {
  if (fingerprints.length === 0 || fingerprints.includes(fingerprint)) return;
  const expected = fingerprints.length === 1 ? fingerprints[0] : `one of ${fingerprints.length} fingerprints`;
  throw new Failure('assertion', `Expected a certificate with ${expected}, got ${fingerprint} (${quoted(subject)}).`);
}

function assertIssuer([own, ...others]: readonly ChainCertificate[], { issuer }: CertificateOptions): void {
  if (issuer === undefined || !own) return;
  const onPath = others.filter(({ role }) => role !== 'unused').map(({ subject }) => subject);
  const issuers = [...new Set([own.issuer, ...onPath])];
  if (issuers.some((name) => name.includes(issuer))) return;
  const got = issuers.map((name) => quoted(name)).join(', ');
  throw new Failure('assertion', `Expected an issuer with ${quoted(issuer)} in its name, got ${got}.`);
}

interface Limit {
  readonly status: Severity;
  readonly days: number;
}

function assertDaysLeft(secure: SecureConnection, measurement: Measurement, { status, days }: Limit): void {
  const { certificateDaysLeft = Infinity } = measurement.metrics;
  if (days === 0 || certificateDaysLeft > days) return;
  throw limitReached(describe(secure, measurement), { status, limit: `${days} days` });
}

/** `"CN=example.org" has 23.4 days left, until 2026-12-22`. */
function describe({ expiresFirst }: SecureConnection, { metrics }: Measurement): string {
  if (!expiresFirst) return 'No certificate has a date of expiry';
  const { subject, validToMs } = expiresFirst;
  const { certificateDaysLeft = 0 } = metrics;
  const day = isoTime(validToMs).slice(0, 10);
  if (certificateDaysLeft < 0) return `${quoted(subject)} expired on ${day}`;
  return `${quoted(subject)} has ${certificateDaysLeft.toFixed(1)} days left, until ${day}`;
}
