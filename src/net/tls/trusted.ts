import { getCACertificates } from 'node:tls';
import { certificatesIn, isSignedBy, type Certificate } from './certificate.ts';

/** The certificates that a chain may end at. OpenSSL keeps its own; this one is for finding the way to them. */
export class TrustedCertificates {
  readonly #read: () => readonly Certificate[];
  #bySubject: Map<string, Certificate[]> | undefined;

  private constructor(read: () => readonly Certificate[]) {
    this.#read = read;
  }

  /** Those of a PEM text. */
  static of(pem: string): TrustedCertificates {
    return new TrustedCertificates(() => certificatesIn(pem));
  }

  /** Those that Node trusts unless told otherwise; read when a chain is first looked at, which takes some 15 ms. */
  static readonly usual = new TrustedCertificates(() => getCACertificates('default').flatMap(certificatesIn));

  has({ x509, facts }: Certificate): boolean {
    return this.#called(x509.subject).some((trusted) => trusted.facts.fingerprint === facts.fingerprint);
  }

  issuersOf(certificate: Certificate): readonly Certificate[] {
    return this.#called(certificate.x509.issuer).filter((trusted) => isSignedBy(certificate, trusted));
  }

  #called(name: string | undefined): readonly Certificate[] {
    if (!this.#bySubject) {
      this.#bySubject = new Map();
      for (const certificate of this.#read())
        this.#bySubject.getOrInsertComputed(comparableName(certificate.x509.subject), () => []).push(certificate);
    }
    return this.#bySubject.get(comparableName(name)) ?? [];
  }
}

/** Names are compared without regard to case and to repeated blanks (RFC 5280 section 7.1). */
function comparableName(name: string | undefined): string {
  return (name ?? '').toLowerCase().replaceAll(/[^\S\n]+/g, ' ');
}
