import type { Reason } from '../../core/outcome.ts';
import { isIssuedFor, isoTime, isSelfSigned, namesAsIssuer, type Certificate } from './certificate.ts';
import { forbiddenName } from './name-constraints.ts';
import { wholePath, type CertificatePath } from './path.ts';

/** A fault of a certificate, as the end of a sentence about it: `it expired on 2026-11-01`. */
export interface CertificateFault {
  readonly reason: Reason;
  readonly text: string;
}

const fault =
  (reason: Reason) =>
  (text: string): CertificateFault => ({ reason, text });
const untrusted = fault('tls-untrusted');
const day = (timeMs: number): string => isoTime(timeMs).slice(0, 10);
const maxNames = 5;

/** The name is not among those that the certificate lists. */
export function nameFaults(own: Certificate, serverName: string): readonly CertificateFault[] {
  if (isIssuedFor(own, serverName)) return [];
  const { names, subject } = own.facts;
  const wrong = fault('tls-wrong-name');
  if (names.length === 0) {
    const commonName = /(?:^|, )CN=([^,]{1,100})/.exec(subject)?.[1];
    return [wrong(`it names no host (none in a subjectAltName${commonName ? `; its CN is ${commonName}` : ''})`)];
  }
  const more = names.length > maxNames ? ` and ${names.length - maxNames} more` : '';
  return [wrong(`it is for ${names.slice(0, maxNames).join(', ').slice(0, 300)}${more}, not for ${serverName}`)];
}

/** Where the path ends without a trusted certificate, and rules that it breaks. */
export function trustFaults(path: CertificatePath, sent: readonly Certificate[]): readonly CertificateFault[] {
  return [...anchorFaults(path, sent), ...ruleFaults(path)];
}

export const trustAdvice = ' To trust it, pass --tls-ca FILE (tls.ca in a configuration).';

function anchorFaults(path: CertificatePath, sent: readonly Certificate[]): readonly CertificateFault[] {
  if (path.isTrusted) return [];
  const last = path.certificates.at(-1);
  if (!last) return [];
  if (path.anchor) return [untrusted(`its chain ends at "${path.anchor.facts.subject}", which is not trusted here`)];
  if (isSelfSigned(last)) return [untrusted('it is self-signed, not signed by a trusted CA')];
  const { subject, issuer } = last.facts;
  const whose = path.certificates.length === 1 ? 'it' : `"${subject}", which its chain needs,`;
  // An issuer of that name is there, yet its key did not make the signature.
  const isForged = sent.some((certificate) => certificate !== last && namesAsIssuer(last.x509, certificate));
  const why = isForged
    ? `the signature of "${issuer}" on it does not verify`
    : `${whose} is signed by "${issuer}", which is not trusted here, or the server left out an intermediate certificate`;
  return [untrusted(why)];
}

const serverPurposes = ['1.3.6.1.5.5.7.3.1', '2.5.29.37.0'];

/** Rules of RFC 5280 for the certificates of a path. */
function ruleFaults(path: CertificatePath): readonly CertificateFault[] {
  const all = wholePath(path);
  return all.flatMap((certificate, index) => {
    const { fields } = certificate;
    if (!fields) return [untrusted(`${nameOf(all, index)} cannot be read`)];
    const { purposes, unknownCritical } = fields;
    const texts: string[] = [];
    if (purposes && !serverPurposes.some((purpose) => purposes.includes(purpose)))
      texts.push(`${nameOf(all, index)} is not meant for TLS servers (extended key usage)`);
    if (unknownCritical.length > 0)
      texts.push(
        `${nameOf(all, index)} has critical extensions that are not known: ${unknownCritical.slice(0, 5).join(', ')}`,
      );
    // A certificate that is trusted as such need not call itself an authority.
    if (index > 0 && certificate !== path.anchor && !fields.isAuthority)
      texts.push(`${nameOf(all, index)} is no certificate authority (basic constraints)`);
    if (index > 0) texts.push(...limitTexts(all, index));
    return texts.map(untrusted);
  });
}

/** Limits that a certificate of the path sets for those below it, and that they break. */
function limitTexts(all: readonly Certificate[], index: number): readonly string[] {
  const { fields, facts } = all[index] ?? {};
  if (!fields || !facts) return [];
  const { maxAuthoritiesBelow = Infinity } = fields;
  const texts: string[] = [];
  if (index - 1 > maxAuthoritiesBelow)
    texts.push(`"${facts.subject}" allows ${maxAuthoritiesBelow} authorities below it, its chain has ${index - 1}`);
  for (const below of all.slice(0, index)) {
    const name = below.fields && forbiddenName(below.fields, fields);
    if (name !== undefined) texts.push(`the name constraints of "${facts.subject}" do not allow the name ${name}`);
  }
  return texts;
}

function nameOf(all: readonly Certificate[], index: number): string {
  return index === 0 ? 'it' : `"${all[index]?.facts.subject}", which its chain needs,`;
}

/** Certificates of the path whose time is over, or has not come. */
export function timeFaults(path: CertificatePath, nowMs: number): readonly CertificateFault[] {
  const all = wholePath(path);
  const expired = all.flatMap(({ facts }, index) =>
    facts.validToMs < nowMs ? [fault('tls-expired')(`${nameOf(all, index)} expired on ${day(facts.validToMs)}`)] : [],
  );
  const early = all.flatMap(({ facts }, index) => {
    if (facts.validFromMs <= nowMs) return [];
    const from = `is valid only from ${day(facts.validFromMs)} on; today is ${day(nowMs)}`;
    return [fault('tls-not-yet-valid')(`${nameOf(all, index)} ${from}`)];
  });
  return [...expired, ...early];
}

/** 112 bits of security, which OpenSSL asks for at its level 2 (NIST SP 800-57 part 1, table 2). */
const minBits = { elliptic: 224, other: 2048 } as const;

/** Keys that are too short and hashes that can be forged. The signature on a trusted certificate does not count. */
export function weaknesses(path: CertificatePath): readonly CertificateFault[] {
  const all = wholePath(path);
  return all.flatMap(({ facts }, index) => {
    const { keyType, keyBits, signature } = facts;
    const least = keyType.startsWith('EC ') ? minBits.elliptic : minBits.other;
    const name = nameOf(all, index);
    const isShort = /^(?:EC |RSA|DSA)/.test(keyType) && keyBits < least;
    const hash = /md[245]|sha-?1(?!\d)/i.exec(signature)?.[0];
    return [
      ...(isShort ? [`${name} has a weak key: ${keyType} with ${keyBits} bits, expected at least ${least}`] : []),
      ...(hash && index < path.certificates.length
        ? [`${name} is signed with a weak hash, ${hash.toUpperCase().replace(/^SHA-?1/, 'SHA-1')}`]
        : []),
    ].map(untrusted);
  });
}

/** OpenSSL's verdicts by Node's codes, for where nothing of the above explains them. */
const hiddenWay =
  'the order in which the server sent its certificates hides the way to a trusted one from OpenSSL, and so from curl';
const meaningOfVerdict: Readonly<Record<string, string>> = {
  UNABLE_TO_GET_ISSUER_CERT: hiddenWay,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: hiddenWay,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: hiddenWay,
  SELF_SIGNED_CERT_IN_CHAIN: hiddenWay,
  CERT_SIGNATURE_FAILURE: 'a signature in its chain does not verify',
  CERT_CHAIN_TOO_LONG: 'its chain is too long',
  CERT_UNTRUSTED: 'its chain ends at a certificate that is marked as not trusted',
  CERT_REJECTED: 'its chain ends at a certificate that is marked as rejected',
  INVALID_CA: 'a certificate of its chain is no certificate authority',
  PATH_LENGTH_EXCEEDED: 'its chain has more authorities than one of them allows',
  INVALID_PURPOSE: 'it, or a certificate of its chain, is not meant for TLS servers',
};

/** @param verdict OpenSSL's, by the code that Node gives it */
export function otherFault(verdict: string): CertificateFault {
  return untrusted(meaningOfVerdict[verdict] ?? `it breaks another rule for certificates (${verdict})`);
}
