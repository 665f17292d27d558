import {
  bitsOf,
  childrenOf,
  DerError,
  derTag,
  DerSequence,
  field,
  oidText,
  plainField,
  readDer,
  smallInteger,
  timeMs,
  unwrap,
  type DerValue,
} from './der.ts';

export type CertificateStatus = 'good' | 'revoked' | 'unknown';

/** The status of one certificate as a responder reports it (RFC 6960 section 4.2.1). */
export interface SingleResponse {
  /** Object identifier of the hash below. */
  readonly hashAlgorithm: string;
  readonly issuerNameHash: Buffer;
  readonly issuerKeyHash: Buffer;
  readonly serial: Buffer;
  readonly status: CertificateStatus;
  /** Epoch milliseconds; NaN for an invalid date. */
  readonly revokedAtMs?: number;
  readonly thisUpdateMs: number;
  readonly nextUpdateMs?: number;
}

export interface OcspResponse {
  readonly responses: readonly SingleResponse[];
  /** The responder, by its encoded name or by the SHA-1 hash of its key. */
  readonly responderName?: Buffer;
  readonly responderKeyHash?: Buffer;
  /** The signed bytes, the algorithm as an object identifier, and the signature. */
  readonly signed: Buffer;
  readonly algorithm: string;
  /** Of RSASSA-PSS only. */
  readonly pss?: PssParameters;
  readonly signature: Buffer;
  /** DER of certificates that came along. */
  readonly certificates: readonly Buffer[];
}

/** Hashes as object identifiers, and the bytes of the salt (RFC 4055 section 3.1). */
export interface PssParameters {
  readonly hash: string;
  readonly maskHash: string;
  readonly saltBytes: number;
}

/** OCSPResponseStatus (RFC 6960 section 4.2.1) without `successful`. */
const errors: Readonly<Record<number, string>> = {
  1: 'malformedRequest',
  2: 'internalError',
  3: 'tryLater',
  5: 'sigRequired',
  6: 'unauthorized',
};

const basicResponse = '1.3.6.1.5.5.7.48.1.1';
const maxCertificates = 10;
const maxResponses = 100;

/** Reads the DER of an OCSP response. @throws {DerError}, also if it is the responder's word that it has no answer */
export function readOcspResponse(der: Buffer): OcspResponse {
  const outer = new DerSequence(readDer(der));
  const status = smallInteger(outer.take(derTag.enumerated)) ?? -1;
  if (status !== 0) throw new DerError(`the responder answered ${errors[status] ?? `status ${status}`}`);
  const wrapped = new DerSequence(unwrap(outer.take(field(0))));
  const type = oidText(wrapped.take());
  if (type !== basicResponse) throw new DerError(`expected a basic response, got type ${type}`);
  const basic = new DerSequence(readDer(wrapped.take(derTag.octetString).contents));
  const data = basic.take(derTag.sequence);
  const identifier = new DerSequence(basic.take());
  const algorithm = oidText(identifier.take());
  const pss = algorithm === rsassaPss ? pssParameters(identifier.optional(derTag.sequence)) : undefined;
  const signature = bitsOf(basic.take());
  const along = basic.optional(field(0));
  const certificates = along ? childrenOf(unwrap(along)).slice(0, maxCertificates) : [];
  const signed = { signed: data.bytes, algorithm, ...(pss && { pss }), signature };
  return { ...responseData(data), ...signed, certificates: certificates.map(({ bytes }) => bytes) };
}

const rsassaPss = '1.2.840.113549.1.1.10';
const sha1 = '1.3.14.3.2.26';
const usualSaltBytes = 20;

/** Missing parameters have the default values of the standard. */
function pssParameters(value: DerValue | undefined): PssParameters {
  if (!value) return { hash: sha1, maskHash: sha1, saltBytes: usualSaltBytes };
  const parts = new DerSequence(value);
  const hash = parts.optional(field(0));
  const mask = parts.optional(field(1));
  const salt = parts.optional(field(2));
  const maskParts = mask && new DerSequence(unwrap(mask));
  maskParts?.take(derTag.oid);
  return {
    hash: hash ? oidText(new DerSequence(unwrap(hash)).take()) : sha1,
    maskHash: maskParts ? oidText(new DerSequence(maskParts.take()).take()) : sha1,
    saltBytes: salt ? (smallInteger(unwrap(salt)) ?? -1) : usualSaltBytes,
  };
}

function responseData(value: DerValue): Pick<OcspResponse, 'responses' | 'responderName' | 'responderKeyHash'> {
  const data = new DerSequence(value);
  data.optional(field(0));
  const name = data.optional(field(1));
  const keyHash = name ? undefined : unwrap(data.take(field(2))).contents;
  // producedAt: the times of each single response count.
  data.take(derTag.generalizedTime);
  const responses = childrenOf(data.take(derTag.sequence)).slice(0, maxResponses).map(singleResponse);
  return { responses, ...(name && { responderName: name.contents }), ...(keyHash && { responderKeyHash: keyHash }) };
}

function singleResponse(value: DerValue): SingleResponse {
  const parts = new DerSequence(value);
  const id = new DerSequence(parts.take());
  const hashAlgorithm = oidText(new DerSequence(id.take()).take());
  const issuerNameHash = id.take(derTag.octetString).contents;
  const issuerKeyHash = id.take(derTag.octetString).contents;
  const serial = id.take(derTag.integer).contents;
  const status = statusOf(parts.take());
  const thisUpdateMs = timeMs(parts.take(derTag.generalizedTime));
  const next = parts.optional(field(0));
  const nextUpdateMs = next && timeMs(unwrap(next));
  const about = { hashAlgorithm, issuerNameHash, issuerKeyHash, serial, ...status, thisUpdateMs };
  return nextUpdateMs === undefined ? about : { ...about, nextUpdateMs };
}

function statusOf(value: DerValue): Pick<SingleResponse, 'status' | 'revokedAtMs'> {
  if (value.tag === plainField(0)) return { status: 'good' };
  if (value.tag !== field(1)) return { status: 'unknown' };
  const [revokedAt] = childrenOf(value);
  return { status: 'revoked', ...(revokedAt && { revokedAtMs: timeMs(revokedAt) }) };
}
