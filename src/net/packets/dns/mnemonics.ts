import { integerUpTo, type RecordField } from './fields.ts';

/** A number that has names: the name is shown where there is one, and either is read. */
function named(bits: 8 | 16, names: Readonly<Record<string, number>>): RecordField {
  const nameOf = new Map(Object.entries(names).map(([name, value]) => [value, name]));
  return {
    read(reader) {
      const value = bits === 8 ? reader.u8() : reader.u16();
      return nameOf.get(value) ?? String(value);
    },
    write(writer, text) {
      const name = text.toUpperCase();
      const value = Object.hasOwn(names, name) ? (names[name] ?? 0) : integerUpTo(2 ** bits - 1, text);
      if (bits === 8) writer.u8(value);
      else writer.u16(value);
    },
  };
}

/** RFC 4398 section 2.1. */
export const certificateType = named(16, {
  PKIX: 1,
  SPKI: 2,
  PGP: 3,
  IPKIX: 4,
  ISPKI: 5,
  IPGP: 6,
  ACPKIX: 7,
  IACPKIX: 8,
  URI: 253,
  OID: 254,
});

/** The names that BIND has for the algorithms of DNSSEC; only CERT shows them. */
export const securityAlgorithm = named(8, {
  RSAMD5: 1,
  DH: 2,
  DSA: 3,
  RSASHA1: 5,
  NSEC3DSA: 6,
  NSEC3RSASHA1: 7,
  RSASHA256: 8,
  RSASHA512: 10,
  ECCGOST: 12,
  ECDSAP256SHA256: 13,
  ECDSAP384SHA384: 14,
  ED25519: 15,
  ED448: 16,
  INDIRECT: 252,
  PRIVATEDNS: 253,
  PRIVATEOID: 254,
});

/** RFC 9859 section 2.2. */
export const notifyScheme = named(8, { NOTIFY: 1 });
