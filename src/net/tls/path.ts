import { isSelfSigned, isSignedBy, namesAsIssuer, type Certificate } from './certificate.ts';
import type { TrustedCertificates } from './trusted.ts';

/** The way from the server's certificate to a trusted one (RFC 5280 section 6). */
export interface CertificatePath {
  /** The server's own first; the anchor is not among them, unless it is the server's own. */
  readonly certificates: readonly Certificate[];
  /** The trusted certificate at its end; undefined if the server's own is trusted, or none was reached. */
  readonly anchor: Certificate | undefined;
  readonly isTrusted: boolean;
}

/** All of it, the anchor last. */
export function wholePath({ certificates, anchor }: CertificatePath): readonly Certificate[] {
  return anchor ? [...certificates, anchor] : certificates;
}

interface Search {
  readonly sent: readonly Certificate[];
  readonly trusted: TrustedCertificates;
  readonly nowMs: number;
  /** Signatures that may still be verified: certificates that sign each other would have no end. */
  stepsLeft: number;
  /** The way that came farthest without reaching a trusted one. */
  longest: readonly Certificate[];
}

const maxSteps = 200;
/** OpenSSL refuses longer ones by default. */
const maxLength = 100;

/**
 * Builds the path as OpenSSL does: trusted issuers before sent ones, valid ones before expired ones; where that leads to no
 * trusted certificate, the next is tried. `sent` begins with the server's own.
 */
export function buildPath(sent: readonly Certificate[], trusted: TrustedCertificates, nowMs: number): CertificatePath {
  const [own] = sent;
  if (!own) return { certificates: [], anchor: undefined, isTrusted: false };
  if (trusted.has(own)) return { certificates: [own], anchor: undefined, isTrusted: true };
  const search: Search = { sent, trusted, nowMs, stepsLeft: maxSteps, longest: [own] };
  const found = extend([own], search);
  if (found) return found;
  const { longest } = search;
  const last = longest.at(-1);
  // A self-signed certificate at the end would be what to trust.
  const end = longest.length > 1 && last && isSelfSigned(last) ? last : undefined;
  return { certificates: end ? longest.slice(0, -1) : longest, anchor: end, isTrusted: false };
}

function extend(path: readonly Certificate[], search: Search): CertificatePath | undefined {
  // A path has at least the server's own.
  const last = path.at(-1)!;
  if (path.length > search.longest.length) search.longest = path;
  if (path.length > 1 && search.trusted.has(last))
    return { certificates: path.slice(0, -1), anchor: last, isTrusted: true };
  const [anchor] = validFirst(search.trusted.issuersOf(last), search.nowMs);
  if (anchor) return { certificates: path, anchor, isTrusted: true };
  if (path.length >= maxLength) return undefined;
  const issuers = search.sent.filter((issuer) => !path.includes(issuer) && namesAsIssuer(last.x509, issuer));
  for (const issuer of validFirst(issuers, search.nowMs)) {
    if (search.stepsLeft-- <= 0) return undefined;
    if (!isSignedBy(last, issuer)) continue;
    const found = extend([...path, issuer], search);
    if (found) return found;
  }
  return undefined;
}

/** Of several issuers with one name, the valid ones first, those that last longest before others. */
function validFirst(certificates: readonly Certificate[], nowMs: number): readonly Certificate[] {
  const isValid = ({ facts }: Certificate): boolean => facts.validFromMs <= nowMs && nowMs <= facts.validToMs;
  const latestFirst = certificates.toSorted((one, other) => other.facts.validToMs - one.facts.validToMs);
  return [...latestFirst.filter(isValid), ...latestFirst.filter((certificate) => !isValid(certificate))];
}
