import { createHash, verify, X509Certificate } from 'node:crypto';
import {
  childrenOf,
  DerError,
  derTag,
  DerSequence,
  field,
  oidText,
  plainField,
  readDer,
  smallInteger,
  unwrap,
  type DerValue,
} from '../packets/der.ts';
import { readCertificate } from '../packets/x509.ts';

/** The response of a time-stamping authority (RFC 3161): it has seen this hash, at this time. */
export interface Timestamp {
  /** SHA-256 of what was stamped. */
  readonly hash: Buffer;
  /** Epoch milliseconds, by the authority's clock. */
  readonly atMs: number;
  readonly nonce: Buffer | undefined;
  /** The certificate whose key signed it, which is for time stamps. */
  readonly signer: X509Certificate;
  /** Others that came along. */
  readonly certificates: readonly X509Certificate[];
}

const oids = {
  sha256: Buffer.from('0609608648016503040201', 'hex'),
  signedData: '1.2.840.113549.1.7.2',
  timestampInfo: '1.2.840.113549.1.9.16.1.4',
  contentType: '1.2.840.113549.1.9.3',
  messageDigest: '1.2.840.113549.1.9.4',
  timeStamping: '1.3.6.1.5.5.7.3.8',
} as const;
const hashes: Readonly<Record<string, string>> = {
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};
const set = 0x31;

/** The question for a time stamp of a SHA-256 hash, with the certificate in the answer (RFC 3161 section 2.4.1). */
export function encodeTimestampRequest(hash: Buffer, nonce: Buffer): Buffer {
  const version = value(derTag.integer, Buffer.from([1]));
  const algorithm = value(derTag.sequence, Buffer.concat([oids.sha256, Buffer.from([5, 0])]));
  const imprint = value(derTag.sequence, Buffer.concat([algorithm, value(derTag.octetString, hash)]));
  const wantsCertificate = value(derTag.boolean, Buffer.from([0xff]));
  return value(derTag.sequence, Buffer.concat([version, imprint, value(derTag.integer, nonce), wantsCertificate]));
}

/** All values here are shorter than 128 bytes. */
function value(tag: number, contents: Buffer): Buffer {
  return Buffer.concat([Buffer.from([tag, contents.length]), contents]);
}

/** Reads a response and verifies its signature; whose certificate that is, is for the caller to judge. @throws {DerError} */
export function readTimestamp(response: Buffer): Timestamp {
  const parts = new DerSequence(readDer(response));
  const status = smallInteger(new DerSequence(parts.take(derTag.sequence)).take(derTag.integer));
  // RFC 3161 section 2.4.2: granted, or granted with changes.
  if (status !== 0 && status !== 1) throw new DerError(`the authority refused the time stamp: status ${status}`);
  return readToken(parts.take(derTag.sequence));
}

/** RFC 5652 section 5.1. */
function readToken(token: DerValue): Timestamp {
  const outer = new DerSequence(token);
  if (oidText(outer.take()) !== oids.signedData) throw new DerError('expected signed data');
  const data = new DerSequence(unwrap(outer.take(field(0))));
  data.take(derTag.integer);
  data.take(set);
  const info = contentOf(data.take(derTag.sequence));
  const certificates = childrenOf(data.optional(field(0)) ?? nothing).flatMap(({ tag, bytes }) =>
    tag === derTag.sequence ? [new X509Certificate(bytes)] : [],
  );
  data.optional(field(1));
  const [signature, ...others] = childrenOf(data.take(set));
  if (!signature || others.length > 0) throw new DerError('expected one signature');
  return { ...readInfo(info), signer: signerOf(signature, info, certificates), certificates };
}

const nothing: DerValue = { tag: 0, contents: Buffer.alloc(0), bytes: Buffer.alloc(0) };

function contentOf(encapsulated: DerValue): Buffer {
  const content = new DerSequence(encapsulated);
  if (oidText(content.take()) !== oids.timestampInfo) throw new DerError('expected a time stamp');
  return unwrap(content.take(field(0))).contents;
}

/** RFC 3161 section 2.4.2: TSTInfo. */
function readInfo(info: Buffer): Pick<Timestamp, 'hash' | 'atMs' | 'nonce'> {
  const fields = new DerSequence(readDer(info));
  fields.take(derTag.integer);
  fields.take(derTag.oid);
  const imprint = new DerSequence(fields.take(derTag.sequence));
  const [algorithm] = childrenOf(imprint.take(derTag.sequence));
  if (!algorithm?.bytes.equals(oids.sha256)) throw new DerError('expected a time stamp of a SHA-256 hash');
  const hash = imprint.take(derTag.octetString).contents;
  fields.take(derTag.integer);
  const atMs = generalizedMs(fields.take(derTag.generalizedTime));
  fields.optional(derTag.sequence);
  fields.optional(derTag.boolean);
  return { hash, atMs, nonce: fields.optional(derTag.integer)?.contents };
}

/** With fractions of a second, which certificates do not have. */
function generalizedMs({ contents }: DerValue): number {
  const [, year, month, day, hour, minute, second, fraction = '0'] =
    /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.(\d{1,9}))?Z$/.exec(contents.toString('latin1')) ?? [];
  const wholeMs = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (Number.isNaN(wholeMs)) throw new DerError('expected the time of a time stamp');
  return wholeMs + Math.round(1000 * Number(`0.${fraction}`));
}

/** The certificate, for time stamps, whose key made the signature over the attributes, and these name the info's hash. */
function signerOf(signature: DerValue, info: Buffer, certificates: readonly X509Certificate[]): X509Certificate {
  const fields = new DerSequence(signature);
  fields.take(derTag.integer);
  // Who signed, by name and serial number or by key: the signature itself tells.
  if (!fields.optional(derTag.sequence)) fields.take(plainField(0));
  const [algorithm] = childrenOf(fields.take(derTag.sequence));
  const digest = hashes[algorithm ? oidText(algorithm) : ''];
  if (digest === undefined) throw new DerError('the time stamp is signed with a hash that is not known here');
  const attributes = fields.take(field(0));
  fields.take(derTag.sequence);
  const bytes = fields.take(derTag.octetString).contents;
  const named = attributeOf(attributes, oids.messageDigest)?.contents;
  if (!named?.equals(createHash(digest).update(info).digest()))
    throw new DerError('the signature is over another time stamp');
  if (oidText(attributeOf(attributes, oids.contentType) ?? nothing) !== oids.timestampInfo)
    throw new DerError('the signature is over something other than a time stamp');
  // RFC 5652 section 5.4: signed as a SET, whatever the field's own tag.
  const signed = Buffer.concat([Buffer.from([set]), attributes.bytes.subarray(1)]);
  const signer = certificates.find((each) => verifies(each, { digest, signed, bytes }));
  if (!signer) throw new DerError('no certificate in it has the key that signed the time stamp');
  if (!readCertificate(signer.raw).purposes?.includes(oids.timeStamping))
    throw new DerError('it was signed with a certificate that is not for time stamps');
  return signer;
}

function attributeOf(attributes: DerValue, oid: string): DerValue | undefined {
  const found = childrenOf(attributes)
    .map((attribute) => childrenOf(attribute))
    .find(([type]) => type && oidText(type) === oid);
  return found?.[1] && childrenOf(found[1])[0];
}

interface Signed {
  readonly digest: string;
  readonly signed: Buffer;
  readonly bytes: Buffer;
}

function verifies({ publicKey }: X509Certificate, { digest, signed, bytes }: Signed): boolean {
  const isEdwards = publicKey.asymmetricKeyType === 'ed25519' || publicKey.asymmetricKeyType === 'ed448';
  try {
    return verify(isEdwards ? null : digest, signed, publicKey, bytes);
  } catch {
    return false;
  }
}
