import type { Measurement } from '../../core/check.ts';
import { Failure } from '../../core/failure.ts';
import type { CertificateFacts, ChainCertificate, SecureConnection } from '../../core/network.ts';
import { Oddities } from '../../core/oddities.ts';
import type { JsonObject } from '../../core/outcome.ts';
import { isoTime } from './certificate.ts';

const dayMs = 86_400_000;
const maxNames = 50;

interface Setting {
  readonly nowMs: number;
  /** The server, as `example.test:443`. */
  readonly where: string;
}

/**
 * Writes down what a handshake showed. After several handshakes of one run the times add up, the last server's certificates
 * are shown, and of all the first to expire counts.
 */
export function noteTls(measurement: Measurement, secure: SecureConnection, { nowMs, where }: Setting): void {
  const { metrics, detail } = measurement;
  const { protocol, cipher, group, resumed, ocsp, faults, oddities, expiresFirst } = secure;
  metrics['tlsMs'] = (metrics['tlsMs'] ?? 0) + secure.handshakeMs;
  detail['tls'] = { protocol, cipher, ...(group && { group }), resumed, ocsp, ...(faults.length > 0 && { faults }) };
  Object.assign(detail, certificatesDetail(secure));
  for (const oddity of oddities) new Oddities(measurement).note(oddity);
  if (!expiresFirst) return;
  const daysLeft = (expiresFirst.validToMs - nowMs) / dayMs;
  if (daysLeft >= (metrics['certificateDaysLeft'] ?? Infinity)) return;
  metrics['certificateDaysLeft'] = daysLeft;
  const { subject } = expiresFirst;
  detail['expiresFirst'] = { server: where, subject, validTo: expiryOf(expiresFirst) };
}

const expiries = new WeakMap<CertificateFacts, string>();

/** Written once for each certificate, as its row is. */
function expiryOf(facts: CertificateFacts): string {
  return expiries.getOrInsertComputed(facts, ({ validToMs }) => isoTime(validToMs));
}

const rows = new WeakMap<readonly ChainCertificate[], JsonObject>();

/** Each certificate as an object, for an outcome's detail; made once for each server. */
export function certificatesDetail(chain: Pick<SecureConnection, 'certificates'>): JsonObject {
  const { certificates } = chain;
  return rows.getOrInsertComputed(certificates, () =>
    certificates.length === 0 ? {} : { certificates: certificates.map(rowOf) },
  );
}

function rowOf({ role, sent, ...facts }: ChainCertificate): JsonObject {
  const { subject, issuer, validFromMs, validToMs, names, ...rest } = facts;
  return {
    role,
    sent,
    subject,
    validTo: isoTime(validToMs),
    validFrom: isoTime(validFromMs),
    issuer,
    ...(names.length > 0 && { names: namesRow(names) }),
    ...rest,
  };
}

function namesRow(names: readonly string[]): readonly string[] {
  if (names.length <= maxNames) return names;
  return [...names.slice(0, maxNames), `and ${names.length - maxNames} more`];
}

/** Fails if a certificate has fewer than `expiryDays` days left; 0 never fails. @throws {Failure} threshold */
export function assertNotExpiring(measurement: Measurement, { expiryDays }: { readonly expiryDays: number }): void {
  const { certificateDaysLeft = Infinity } = measurement.metrics;
  if (expiryDays === 0 || certificateDaysLeft >= expiryDays) return;
  // Written beside the metric, by `noteTls`.
  const { server, subject } = measurement.detail['expiresFirst'] as {
    readonly server: string;
    readonly subject: string;
  };
  const got = `${certificateDaysLeft.toFixed(1)} days left on "${subject}" of ${server}`;
  throw new Failure('threshold', `Expected certificates with at least ${expiryDays} days left, got ${got}.`);
}
