import type { CertificateFields } from '../packets/x509.ts';
import { namedAddress } from './certificate.ts';

/** The first name of a certificate that its issuer's name constraints forbid (RFC 5280 section 4.2.1.10); undefined if none. */
export function forbiddenName(
  { names }: CertificateFields,
  { permitted, excluded }: CertificateFields,
): string | undefined {
  const dns = names.dns.find(
    (name) => excluded.dns.some((domain) => isWithin(name, domain)) || !isPermitted(name, permitted.dns, isWithin),
  );
  if (dns !== undefined) return dns;
  const ip = names.ip.find(
    (bytes) => excluded.ip.some((range) => isCovered(bytes, range)) || !isPermitted(bytes, permitted.ip, isCovered),
  );
  return ip && namedAddress(ip);
}

/** No entry of a kind permits every name of that kind. */
function isPermitted<Name>(name: Name, spaces: readonly Name[], covers: (name: Name, space: Name) => boolean): boolean {
  return spaces.length === 0 || spaces.some((space) => covers(name, space));
}

/** A domain covers itself and every name below it; a leading dot, which some issuers write, only those below. */
function isWithin(name: string, domain: string): boolean {
  const [lower, base] = [name.toLowerCase(), domain.toLowerCase()];
  if (base === '') return true;
  return lower === base || lower.endsWith(base.startsWith('.') ? base : `.${base}`);
}

/** `range` is an address and its mask, one after the other. */
function isCovered(address: Buffer, range: Buffer): boolean {
  if (range.length !== address.length * 2) return false;
  const mask = range.subarray(address.length);
  return address.every((byte, index) => (byte & (mask[index] ?? 0)) === ((range[index] ?? 0) & (mask[index] ?? 0)));
}
