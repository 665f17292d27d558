import { constants, createHash, hash, verify, X509Certificate, type KeyObject } from 'node:crypto';
import { BoundedMap } from '../../core/bounded-map.ts';
import type { OcspVerdict } from '../../core/network.ts';
import { DerError } from '../packets/der.ts';
import { readOcspResponse, type OcspResponse, type PssParameters, type SingleResponse } from '../packets/ocsp.ts';
import { certificateOf, isoTime, isSignedBy, type Certificate } from './certificate.ts';

/** The verdict of the OCSP response that came with a certificate. */
export interface Staple {
  readonly verdict: OcspVerdict;
  /** Why the response proves nothing; for `invalid`. */
  readonly why?: string;
  readonly revokedAtMs?: number;
}

/** Clocks of responders may be this far ahead, as OpenSSL's programs allow. */
const skewMs = 300_000;
const ocspSigning = '1.3.6.1.5.5.7.3.9';

interface About {
  readonly certificate: Certificate;
  /** The one that signed it; undefined where the path did not reach it. */
  readonly issuer: Certificate | undefined;
  readonly nowMs: number;
}

/** Reads and verifies an OCSP response (RFC 6960 section 3.2): for this certificate, signed by one who may, in its time. */
export function readStaple(der: Buffer, about: About): Staple {
  try {
    const { single, untilMs } = verified(der, about);
    const { nowMs } = about;
    if (!(single.thisUpdateMs <= nowMs + skewMs))
      return invalid(`it is valid only from ${isoTime(single.thisUpdateMs)} on`);
    if (!(untilMs >= nowMs - skewMs)) return invalid(`it was valid until ${isoTime(untilMs)}`);
    return { verdict: single.status, ...(single.revokedAtMs !== undefined && { revokedAtMs: single.revokedAtMs }) };
  } catch (error) {
    if (error instanceof DerError) return invalid(error.message);
    throw error;
  }
}

function invalid(why: string): Staple {
  return { verdict: 'invalid', why };
}

interface VerifiedResponse {
  readonly single: SingleResponse;
  /** Infinity if newer answers may be had at any time. */
  readonly untilMs: number;
}

/** Responses whose signature was verified: a server sends the same one for days. */
const known = new BoundedMap<string, VerifiedResponse>(2000);

/** @throws {DerError} if the response is not about this certificate, or not signed by one who may */
function verified(der: Buffer, about: About): VerifiedResponse {
  const { certificate, issuer } = about;
  const id = `${certificate.facts.fingerprint} ${issuer?.facts.fingerprint ?? ''} ${hash('sha256', der)}`;
  const before = known.get(id);
  if (before) return before;
  if (!issuer) throw new DerError('the certificate of its issuer is not known');
  const response = readOcspResponse(der);
  const single = response.responses.find((single) => isAbout(single, certificate, issuer));
  if (!single) throw new DerError('it is about another certificate');
  const { nextUpdateMs = Infinity } = single;
  const result = { single, untilMs: Math.min(nextUpdateMs, signerOf(response, about, issuer).facts.validToMs) };
  known.set(id, result);
  return result;
}

/** Hash algorithms of certificate ids, by object identifier. */
const hashNames: Readonly<Record<string, string>> = {
  '1.3.14.3.2.26': 'sha1',
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};

function isAbout(single: SingleResponse, certificate: Certificate, issuer: Certificate): boolean {
  const algorithm = hashNames[single.hashAlgorithm];
  if (!algorithm || !certificate.fields || !issuer.fields) return false;
  const digest = (bytes: Buffer): Buffer => createHash(algorithm).update(bytes).digest();
  return (
    single.serial.equals(certificate.fields.serial) &&
    single.issuerKeyHash.equals(digest(issuer.fields.publicKey)) &&
    single.issuerNameHash.equals(digest(issuer.fields.subject))
  );
}

/** The issuer itself, or a responder that it has certified for this (RFC 6960 section 4.2.2.2). @throws {DerError} */
function signerOf(response: OcspResponse, { nowMs }: About, issuer: Certificate): Certificate {
  const signer = isResponder(response, issuer) ? issuer : delegateOf(response, issuer);
  const { validFromMs, validToMs } = signer.facts;
  if (!(validFromMs <= nowMs && nowMs <= validToMs))
    throw new DerError("its responder's certificate is out of its time");
  if (!hasSigned(response, signer.key)) throw new DerError('its signature does not verify');
  return signer;
}

/** @throws {DerError} */
function delegateOf(response: OcspResponse, issuer: Certificate): Certificate {
  const responder = response.certificates.map(readAlong).find((along) => along && isResponder(response, along));
  if (!responder) throw new DerError('its responder is neither the issuer nor among the certificates in it');
  if (!isSignedBy(responder, issuer)) throw new DerError('its responder was not certified by the issuer');
  if (!responder.fields?.purposes?.includes(ocspSigning))
    throw new DerError('its responder is not meant for OCSP (extended key usage)');
  return responder;
}

function readAlong(der: Buffer): Certificate | undefined {
  try {
    return certificateOf(new X509Certificate(der));
  } catch {
    // Bytes that are no certificate name no responder.
    return undefined;
  }
}

function isResponder({ responderName, responderKeyHash }: OcspResponse, { fields }: Certificate): boolean {
  if (!fields) return false;
  if (responderName) return responderName.equals(fields.subject);
  return responderKeyHash?.equals(createHash('sha1').update(fields.publicKey).digest()) ?? false;
}

/** Signature algorithms, by object identifier, as the hash that they use; the edwards curves bring their own. */
const signatureHashes: Readonly<Record<string, string | null>> = {
  '1.2.840.113549.1.1.5': 'sha1',
  '1.2.840.113549.1.1.11': 'sha256',
  '1.2.840.113549.1.1.12': 'sha384',
  '1.2.840.113549.1.1.13': 'sha512',
  '1.2.840.10045.4.1': 'sha1',
  '1.2.840.10045.4.3.2': 'sha256',
  '1.2.840.10045.4.3.3': 'sha384',
  '1.2.840.10045.4.3.4': 'sha512',
  '1.3.101.112': null,
  '1.3.101.113': null,
};

/** Hashes that can be forged (RFC 6151, RFC 6149). */
const forgeable: Readonly<Record<string, string>> = { '1.2.840.113549.1.1.2': 'MD2', '1.2.840.113549.1.1.4': 'MD5' };

/** @throws {DerError} */
function hasSigned(response: OcspResponse, key: KeyObject | undefined): boolean {
  const { algorithm, pss, signed, signature } = response;
  const forgeableHash = forgeable[algorithm];
  if (forgeableHash) throw new DerError(`its signature uses ${forgeableHash}, which can be forged`);
  const digest = pss ? pssHash(pss) : signatureHashes[algorithm];
  if (digest === undefined) throw new DerError(`its signature algorithm ${algorithm} is not known`);
  const padding = pss && { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: pss.saltBytes };
  try {
    return key !== undefined && verify(digest, signed, { key, ...padding }, signature);
  } catch {
    // A key of another kind than the algorithm is for.
    return false;
  }
}

/** @throws {DerError} where a signature uses two hashes, or one that is not known */
function pssHash({ hash: id, maskHash, saltBytes }: PssParameters): string {
  const name = hashNames[id];
  if (name !== undefined && maskHash === id && saltBytes >= 0) return name;
  throw new DerError(`its RSA-PSS signature has parameters that are not known: ${id}, ${maskHash}, ${saltBytes}`);
}
