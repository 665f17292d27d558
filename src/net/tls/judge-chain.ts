import { Failure } from '../../core/failure.ts';
import type { OcspVerdict, SecureConnection, TlsOptions } from '../../core/network.ts';
import { isoTime } from './certificate.ts';
import {
  nameFaults,
  otherFault,
  timeFaults,
  trustAdvice,
  trustFaults,
  weaknesses,
  type CertificateFault,
} from './faults.ts';
import type { ServerChain } from './server-chain.ts';
import { certificatesDetail } from './report.ts';
import { readStaple, type Staple } from './staple.ts';

/** Certificates and OCSP response of a server, from a full handshake. */
export interface Shown {
  readonly chain: ServerChain;
  /** OpenSSL's verdict on the chain, as Node's code; empty if it is good. */
  readonly verdict: string;
  /** The OCSP response that came with the certificate. */
  readonly staple: Buffer | undefined;
}

export interface ChainVerdict extends Pick<SecureConnection, 'faults' | 'oddities'> {
  readonly ocsp: OcspVerdict;
  /** The failure to throw if the check verifies certificates. */
  readonly failure: Failure | undefined;
}

type Wanted = Pick<TlsOptions, 'serverName' | 'ocsp'>;

/** Everything that is wrong with a server's certificates, the gravest first: name, trust, revocation, time, weakness. */
export function judgeChain(shown: Shown, wanted: Wanted, nowMs: number): ChainVerdict {
  const { chain, verdict, staple: der } = shown;
  // A handshake that brings a certificate brings the server's own.
  const own = chain.sent[0]!;
  const issuer = chain.path.certificates[1] ?? chain.path.anchor;
  const staple = der ? readStaple(der, { certificate: own, issuer, nowMs }) : ({ verdict: 'none' } as const);
  const named = nameFaults(own, wanted.serverName);
  const revoked = revocationFaults(staple, wanted);
  const explained =
    verdict === ''
      ? { trust: [], rest: [] }
      : {
          trust: trustFaults(chain.path, chain.sent),
          rest: [...timeFaults(chain.path, nowMs), ...weaknesses(chain.path)],
        };
  const isUnexplained = verdict !== '' && explained.trust.length + explained.rest.length === 0;
  const other = isUnexplained ? [otherFault(verdict)] : [];
  const faults = [...named, ...explained.trust, ...other, ...revoked, ...explained.rest];
  return {
    ocsp: staple.verdict,
    faults: faults.map(({ text }) => text),
    oddities: odditiesOf(staple, own.fields?.mustStaple ?? false),
    failure: failureOf(faults, shown, wanted),
  };
}

function failureOf(faults: readonly CertificateFault[], { chain }: Shown, { serverName }: Wanted): Failure | undefined {
  const [gravest] = faults;
  if (!gravest) return undefined;
  const texts = faults.map(({ text }) => text).join('; ');
  const advice = chain.path.isTrusted || gravest.reason !== 'tls-untrusted' ? '' : trustAdvice;
  const message = `The certificate of ${serverName} is not accepted: ${texts}.${advice}`;
  return new Failure(gravest.reason, message, { detail: certificatesDetail(chain) });
}

function revocationFaults(staple: Staple, { ocsp }: Wanted): readonly CertificateFault[] {
  const { verdict, why, revokedAtMs = Number.NaN } = staple;
  const on = Number.isFinite(revokedAtMs) ? ` on ${isoTime(revokedAtMs).slice(0, 10)}` : '';
  if (verdict === 'revoked')
    return [{ reason: 'tls-revoked', text: `its issuer revoked it${on}, says the OCSP response that came with it` }];
  if (ocsp !== 'require' || verdict === 'good') return [];
  const got = {
    none: 'none came',
    unknown: 'the responder does not know it',
    invalid: `the one that came proves nothing: ${why}`,
  }[verdict];
  return [{ reason: 'tls-untrusted', text: `tls.ocsp requires an OCSP response that calls it good, ${got}` }];
}

function odditiesOf({ verdict, why }: Staple, mustStaple: boolean): readonly string[] {
  const first = {
    none: mustStaple ? ['The certificate says that an OCSP response comes with it (RFC 7633), none came.'] : [],
    unknown: ['The OCSP response that came with the certificate does not know it.'],
    invalid: [`The OCSP response that came with the certificate proves nothing: ${why}.`],
    good: [],
    revoked: [],
  };
  return first[verdict];
}
