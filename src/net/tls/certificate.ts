import { X509Certificate, type KeyObject } from 'node:crypto';
import { isIP } from 'node:net';
import { BoundedMap } from '../../core/bounded-map.ts';
import type { CertificateFacts } from '../../core/network.ts';
import { DerError } from '../packets/der.ts';
import { ipv6Text } from '../packets/ipv6.ts';
import { readCertificate, type CertificateFields } from '../packets/x509.ts';

/** A certificate and all that is read of it, once. */
export interface Certificate {
  readonly x509: X509Certificate;
  readonly facts: CertificateFacts;
  /** Undefined where the bytes could not be read; Node reads more leniently. */
  readonly fields: CertificateFields | undefined;
  readonly key: KeyObject | undefined;
}

const known = new BoundedMap<string, Certificate>(5000);

/** All that is known of a certificate; read once for each fingerprint. */
export function certificateOf(x509: X509Certificate): Certificate {
  const id = x509.fingerprint256;
  const before = known.get(id);
  if (before) return before;
  const key = attempt(() => x509.publicKey);
  const fields = fieldsOfCertificate(x509.raw);
  const certificate = { x509, key, fields, facts: factsOf(x509, { key, fields }) };
  known.set(id, certificate);
  return certificate;
}

/** Every certificate in a PEM text. @throws what OpenSSL throws for one that is none */
export function certificatesIn(pem: string): readonly Certificate[] {
  const texts = pem.match(/-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[^-]*-----END [^-]*-----/g) ?? [];
  return texts.map((text) => certificateOf(new X509Certificate(text)));
}

/** A certificate may hold a kind of key that OpenSSL does not know. */
function attempt<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function fieldsOfCertificate(der: Buffer): CertificateFields | undefined {
  try {
    return readCertificate(der);
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
}

function factsOf(x509: X509Certificate, { key, fields }: Pick<Certificate, 'key' | 'fields'>): CertificateFacts {
  return {
    subject: oneLine(x509.subject),
    issuer: oneLine(x509.issuer),
    validFromMs: x509.validFromDate.getTime(),
    validToMs: x509.validToDate.getTime(),
    serial: x509.serialNumber.slice(0, 100),
    fingerprint: x509.fingerprint256.replaceAll(':', '').toLowerCase(),
    ...keyFacts(key),
    signature: x509.signatureAlgorithm ?? 'unknown',
    names: fields ? [...fields.names.dns.map(hostText), ...fields.names.ip.map(namedAddress)] : [],
  };
}

/** OpenSSL puts each part of a name on its own line; a certificate may lack a name altogether. */
function oneLine(name: string | undefined): string {
  return (name ?? '').replaceAll('\n', ', ').slice(0, 500);
}

const curves: Readonly<Record<string, readonly [name: string, bits: number]>> = {
  prime256v1: ['P-256', 256],
  secp384r1: ['P-384', 384],
  secp521r1: ['P-521', 521],
  secp224r1: ['P-224', 224],
  prime192v1: ['P-192', 192],
};

function keyFacts(key: KeyObject | undefined): Pick<CertificateFacts, 'keyType' | 'keyBits'> {
  const { asymmetricKeyType: type = 'unknown', asymmetricKeyDetails: details = {} } = key ?? {};
  const { modulusLength = 0, namedCurve = '' } = details;
  if (type === 'ec') {
    const [name, bits] = curves[namedCurve] ?? [namedCurve, Number(/\d{3}/.exec(namedCurve)?.[0] ?? 0)];
    return { keyType: `EC ${name}`, keyBits: bits };
  }
  if (type.startsWith('ed')) return { keyType: `Ed${type.slice(2)}`, keyBits: type === 'ed448' ? 456 : 256 };
  return { keyType: type.toUpperCase(), keyBits: modulusLength };
}

/** An address that is listed as a host is good for nothing (RFC 9525 section 6.1), and marked. */
function hostText(name: string): string {
  return isIP(name) === 0 ? name : `DNS:${name}`;
}

/** An address of a certificate's names, for people; hexadecimal where the bytes are no address. */
export function namedAddress(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.');
  return bytes.length === 16 ? ipv6Text(bytes) : bytes.toString('hex');
}

const maxNamesChecked = 100;
const namesChecked = new WeakMap<Certificate, BoundedMap<string, boolean>>();

/** The name check of RFC 9525: subject alternative names only, wildcards only as a whole label. */
export function isIssuedFor(certificate: Certificate, serverName: string): boolean {
  const checked = namesChecked.getOrInsertComputed(certificate, () => new BoundedMap(maxNamesChecked));
  const known = checked.get(serverName);
  if (known !== undefined) return known;
  const isCovered = covers(certificate, serverName);
  checked.set(serverName, isCovered);
  return isCovered;
}

function covers({ x509 }: Certificate, serverName: string): boolean {
  // A zone says on which link an address is meant, and is no part of it.
  const [address = ''] = serverName.split('%');
  if (isIP(address) !== 0) return x509.checkIP(address) !== undefined;
  // OpenSSL takes a name with a leading dot for any name below it.
  if (serverName.startsWith('.')) return false;
  return x509.checkHost(withoutFinalDot(serverName), { subject: 'never', partialWildcards: false }) !== undefined;
}

/** The same check for names that were read already. */
export function isNameCovered(names: readonly string[], wanted: string): boolean {
  const name = withoutFinalDot(wanted).toLowerCase();
  const [label, ...parents] = name.split('.');
  // RFC 9525 section 6.3: a wildcard stands for one whole label, never for a part of an address.
  const patterns = label === '' || isIP(name) !== 0 ? [name] : [name, `*.${parents.join('.')}`];
  return names.some((listed) => patterns.includes(listed.toLowerCase()));
}

/** In TLS a name is written without the dot of the DNS root (RFC 6066 section 3). */
export function withoutFinalDot(name: string): string {
  return name.endsWith('.') ? name.slice(0, -1) : name;
}

/** Whether `issuer` has signed `certificate`, by its names, its key identifiers and the signature itself. */
export function isSignedBy({ x509 }: Certificate, issuer: Certificate): boolean {
  return namesAsIssuer(x509, issuer) && issuer.key !== undefined && x509.verify(issuer.key);
}

/** Whether `issuer` has the name that a certificate gives its issuer; the signature is not looked at. */
export function namesAsIssuer(x509: X509Certificate, issuer: Certificate): boolean {
  return x509.checkIssued(issuer.x509);
}

export function isSelfSigned(certificate: Certificate): boolean {
  return isSignedBy(certificate, certificate);
}

/** ISO 8601, or `unknown`: a certificate may hold an invalid date. */
export function isoTime(timeMs: number): string {
  return Number.isFinite(timeMs) ? new Date(timeMs).toISOString() : 'unknown';
}
