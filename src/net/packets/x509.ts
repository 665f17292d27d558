import {
  bitsOf,
  childrenOf,
  derTag,
  DerSequence,
  field,
  isTrue,
  oidText,
  plainField,
  readDer,
  smallInteger,
  unwrap,
  type DerValue,
} from './der.ts';

/** A name that an issuer may or may not certify: a domain, or an address with its mask. */
export interface NameSpaces {
  readonly dns: readonly string[];
  readonly ip: readonly Buffer[];
}

/** Fields of a certificate that Node does not tell (RFC 5280 section 4). */
export interface CertificateFields {
  /** Names and key as they are encoded, for comparison and for hashes. */
  readonly subject: Buffer;
  /** The bits of the public key. */
  readonly publicKey: Buffer;
  /** The serial number's bytes. */
  readonly serial: Buffer;
  /** Subject alternative names: hosts as written, addresses as bytes. */
  readonly names: NameSpaces;
  /** Basic constraints: it may sign certificates, with at most this many authorities below it. */
  readonly isAuthority: boolean;
  readonly maxAuthoritiesBelow: number | undefined;
  /** Object identifiers of extended key usage; undefined where it allows any. */
  readonly purposes: readonly string[] | undefined;
  readonly permitted: NameSpaces;
  readonly excluded: NameSpaces;
  /** TLS feature `status_request` (RFC 7633): it must come with an OCSP response. */
  readonly mustStaple: boolean;
  /** Critical extensions that are not read here. */
  readonly unknownCritical: readonly string[];
}

const noNames: NameSpaces = { dns: [], ip: [] };
const withoutExtensions = {
  names: noNames,
  isAuthority: false,
  maxAuthoritiesBelow: undefined,
  purposes: undefined,
  permitted: noNames,
  excluded: noNames,
  mustStaple: false,
  unknownCritical: [],
} satisfies Partial<CertificateFields>;

type Extensions = Pick<CertificateFields, keyof typeof withoutExtensions>;

/** Reads the DER of a certificate. @throws {DerError} */
export function readCertificate(der: Buffer): CertificateFields {
  const toBeSigned = new DerSequence(new DerSequence(readDer(der)).take());
  toBeSigned.optional(field(0));
  const serial = toBeSigned.take(derTag.integer).contents;
  // Signature algorithm, issuer, validity: Node tells them.
  toBeSigned.take();
  toBeSigned.take();
  toBeSigned.take();
  const subject = toBeSigned.take(derTag.sequence).bytes;
  const keyInfo = new DerSequence(toBeSigned.take());
  keyInfo.take();
  const publicKey = bitsOf(keyInfo.take());
  toBeSigned.optional(plainField(1));
  toBeSigned.optional(plainField(2));
  const extensions = toBeSigned.optional(field(3));
  return { serial, subject, publicKey, ...(extensions ? extensionsOf(extensions) : withoutExtensions) };
}

/** Object identifiers, by RFC 5280 section 4.2 and RFC 7633. */
const readers: Readonly<Record<string, (value: DerValue) => Partial<Extensions>>> = {
  '2.5.29.17': (value) => ({ names: namesIn(childrenOf(value)) }),
  '2.5.29.19': basicConstraints,
  '2.5.29.30': nameConstraints,
  '2.5.29.37': (value) => ({ purposes: childrenOf(value).map(oidText) }),
  '1.3.6.1.5.5.7.1.24': (value) => ({ mustStaple: childrenOf(value).some((child) => smallInteger(child) === 5) }),
};

/** Key usage, key identifiers, certificate policies and their kin: OpenSSL heeds them, nothing here needs them. */
const heeded = new Set(['2.5.29.14', '2.5.29.15', '2.5.29.32', '2.5.29.33', '2.5.29.35', '2.5.29.36', '2.5.29.54']);

function extensionsOf(wrapped: DerValue): Extensions {
  const found: Partial<Extensions> = {};
  const unknownCritical: string[] = [];
  for (const extension of childrenOf(unwrap(wrapped))) {
    const parts = new DerSequence(extension);
    const id = oidText(parts.take());
    const critical = isTrue(parts.optional(derTag.boolean));
    const value = parts.take(derTag.octetString).contents;
    const read = readers[id];
    if (read) Object.assign(found, read(readDer(value)));
    else if (critical && !heeded.has(id)) unknownCritical.push(id);
  }
  return { ...withoutExtensions, ...found, unknownCritical };
}

function basicConstraints(value: DerValue): Partial<Extensions> {
  const parts = new DerSequence(value);
  const isAuthority = isTrue(parts.optional(derTag.boolean));
  const limit = parts.optional(derTag.integer);
  return { isAuthority, maxAuthoritiesBelow: limit && smallInteger(limit) };
}

function nameConstraints(value: DerValue): Partial<Extensions> {
  const parts = new DerSequence(value);
  return { permitted: subtreesIn(parts.optional(field(0))), excluded: subtreesIn(parts.optional(field(1))) };
}

function subtreesIn(value: DerValue | undefined): NameSpaces {
  return value ? namesIn(childrenOf(value).map((subtree) => new DerSequence(subtree).take())) : noNames;
}

/** GeneralNames (RFC 5280 section 4.2.1.6): `[2]` is a host, `[7]` an address. */
function namesIn(generalNames: readonly DerValue[]): NameSpaces {
  const contentsOf = (tag: number) => generalNames.filter((name) => name.tag === tag).map(({ contents }) => contents);
  return { dns: contentsOf(plainField(2)).map((bytes) => bytes.toString('latin1')), ip: contentsOf(plainField(7)) };
}
