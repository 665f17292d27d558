import type { X509Certificate } from 'node:crypto';
import { BoundedMap } from '../../core/bounded-map.ts';
import type { CertificateFacts, CertificateRole, ChainCertificate } from '../../core/network.ts';
import { certificateOf, type Certificate } from './certificate.ts';
import { buildPath, wholePath, type CertificatePath } from './path.ts';
import { TrustedCertificates } from './trusted.ts';

/** The certificates that a server sends, and the way from its own to a trusted one. */
export interface ServerChain {
  readonly sent: readonly Certificate[];
  readonly path: CertificatePath;
  readonly certificates: readonly ChainCertificate[];
  readonly expiresFirst: CertificateFacts | undefined;
}

interface KnownChain {
  readonly chain: ServerChain;
  readonly builtMs: number;
}

const maxSent = 100;
const maxChains = 5000;
/** A path is built anew after this time: a certificate on it may have expired where another way is open. */
const rebuildMs = 3_600_000;

/** Chains of the servers so far, by the fingerprints of the certificates that they sent. */
export class ServerChains {
  readonly #trusted: TrustedCertificates;
  readonly #known = new BoundedMap<string, KnownChain>(maxChains);

  constructor(trusted: TrustedCertificates) {
    this.#trusted = trusted;
  }

  /** Under the certificates that Node trusts unless told otherwise. */
  static readonly usual = new ServerChains(TrustedCertificates.usual);

  /** `own` as Node gives it right after the handshake: the others that were sent hang on it as issuers, in their order. */
  of(own: X509Certificate, nowMs: number): ServerChain {
    const certificates: X509Certificate[] = [];
    for (let next: X509Certificate | undefined = own; next && certificates.length < maxSent;)
      [, next] = [certificates.push(next), next.issuerCertificate];
    const id = certificates.map(({ fingerprint256 }) => fingerprint256).join(' ');
    const before = this.#known.get(id);
    if (before && Math.abs(nowMs - before.builtMs) < rebuildMs) return before.chain;
    const chain = describeChain([...new Set(certificates.map(certificateOf))], this.#trusted, nowMs);
    this.#known.set(id, { chain, builtMs: nowMs });
    return chain;
  }
}

function describeChain(sent: readonly Certificate[], trusted: TrustedCertificates, nowMs: number): ServerChain {
  const path = buildPath(sent, trusted, nowMs);
  const { certificates, anchor } = path;
  const onPath = wholePath(path);
  const unused = sent.filter((certificate) => !onPath.includes(certificate));
  const row = (certificate: Certificate, role: CertificateRole): ChainCertificate => ({
    ...certificate.facts,
    role,
    sent: sent.includes(certificate),
  });
  return {
    sent,
    path,
    certificates: [
      ...certificates.map((certificate, index) => row(certificate, index === 0 ? 'server' : 'issuer')),
      ...(anchor ? [row(anchor, 'anchor')] : []),
      ...unused.map((certificate) => row(certificate, 'unused')),
    ],
    expiresFirst: earliest(certificates.map(({ facts }) => facts)),
  };
}

/** Certificates with an invalid date do not count. */
function earliest(facts: readonly CertificateFacts[]): CertificateFacts | undefined {
  const [first] = facts
    .filter(({ validToMs }) => Number.isFinite(validToMs))
    .toSorted((one, other) => one.validToMs - other.validToMs);
  return first;
}
