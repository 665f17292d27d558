import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decodeMessage } from './decode.ts';
import { encodeMessage, type DnsMessage } from './message.ts';
import { recordTypeCode, recordTypeName } from './record-types.ts';

/** IANA, "Resource Record (RR) TYPEs": names by the number of the first one. */
const recordTypes: readonly (readonly [first: number, names: string])[] = [
  [1, 'A NS'],
  [5, 'CNAME SOA MB MG MR NULL WKS PTR HINFO MINFO MX TXT RP AFSDB X25 ISDN RT NSAP NSAP-PTR SIG KEY PX GPOS AAAA LOC'],
  [31, 'EID NIMLOC SRV'],
  [35, 'NAPTR KX CERT'],
  [39, 'DNAME SINK OPT APL DS SSHFP IPSECKEY RRSIG NSEC DNSKEY DHCID NSEC3 NSEC3PARAM TLSA SMIMEA'],
  [55, 'HIP NINFO RKEY TALINK CDS CDNSKEY OPENPGPKEY CSYNC ZONEMD SVCB HTTPS DSYNC HHIT BRID'],
  [99, 'SPF'],
  [104, 'NID L32 L64 LP EUI48 EUI64'],
  [128, 'NXNAME'],
  [249, 'TKEY TSIG IXFR AXFR'],
  [255, 'ANY URI CAA AVC DOA AMTRELAY RESINFO WALLET CLA IPN'],
  [32_768, 'TA DLV'],
];

/** Names by number, from 1 on; a hyphen is a number without a name. */
function namesOf(text: string, more: readonly (readonly [string, number])[]): readonly (readonly [string, number])[] {
  const numbered = text.split(' ').map((name, index) => [name, index + 1] as const);
  return [...numbered.filter(([name]) => name !== '-'), ...more];
}

describe('names and numbers are those of IANA', () => {
  for (const [first, names] of recordTypes)
    test(`record types from ${first} on`, () => {
      for (const [index, name] of names.split(' ').entries()) {
        assert.equal(recordTypeCode(name.toLowerCase()), first + index, name);
        assert.equal(recordTypeName(first + index), name);
      }
    });

  test('a type without a name is written with its number (RFC 3597 section 5)', () => {
    for (const code of [0, 3, 4, 30, 254, 265, 65_535]) {
      assert.equal(recordTypeName(code), `TYPE${code}`);
      assert.equal(recordTypeCode(`TYPE${code}`), code);
    }
    for (const text of ['TYPE65536', 'TYPE', 'TYPE-1', 'TYPE1a', 'constructor'])
      assert.equal(recordTypeCode(text), undefined);
  });

  /** "DNS Security Algorithm Numbers", by the names of BIND, and "CERT RR Certificate Types". */
  const algorithms =
    'RSAMD5 DH DSA - RSASHA1 NSEC3DSA NSEC3RSASHA1 RSASHA256 - RSASHA512 - ECCGOST ECDSAP256SHA256 ECDSAP384SHA384 ED25519 ED448';
  const certificates = 'PKIX SPKI PGP IPKIX ISPKI IPGP ACPKIX IACPKIX';
  test('algorithms in CERT', () => {
    for (const [name, number] of namesOf(algorithms, [
      ['INDIRECT', 252],
      ['PRIVATEDNS', 253],
      ['PRIVATEOID', 254],
    ]))
      assert.equal(readBack('CERT', `PKIX 1 ${number} AA==`), `PKIX 1 ${name} AA==`);
  });

  test('types of certificates in CERT', () => {
    for (const [name, number] of namesOf(certificates, [
      ['URI', 253],
      ['OID', 254],
    ])) {
      assert.equal(readBack('CERT', `${number} 1 DSA AA==`), `${name} 1 DSA AA==`);
      assert.equal(readBack('CERT', `${name} 0 DSA AA==`), `${name} 0 DSA AA==`);
    }
    assert.equal(readBack('CERT', '0 0 0 AA=='), '0 0 0 AA==');
    assert.equal(readBack('CERT', '65535 65535 255 AA=='), '65535 65535 255 AA==');
  });
});

function readBack(type: string, data: string): string | undefined {
  const empty = { id: 0, flags: [], opcode: 0, rcode: 0, questions: [], authorities: [], additionals: [] };
  const message: DnsMessage = { ...empty, answers: [{ name: 'a.test', type, ttlSeconds: 1, data }] };
  return decodeMessage(encodeMessage(message)).answers[0]?.data;
}
