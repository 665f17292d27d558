/** Record types by name, from the IANA registry of DNS parameters; those without a layout are shown as RFC 3597 says. */
const codeOfType: Readonly<Record<string, number>> = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  MB: 7,
  MG: 8,
  MR: 9,
  NULL: 10,
  WKS: 11,
  PTR: 12,
  HINFO: 13,
  MINFO: 14,
  MX: 15,
  TXT: 16,
  RP: 17,
  AFSDB: 18,
  X25: 19,
  ISDN: 20,
  RT: 21,
  NSAP: 22,
  'NSAP-PTR': 23,
  SIG: 24,
  KEY: 25,
  PX: 26,
  GPOS: 27,
  AAAA: 28,
  LOC: 29,
  EID: 31,
  NIMLOC: 32,
  SRV: 33,
  NAPTR: 35,
  KX: 36,
  CERT: 37,
  DNAME: 39,
  SINK: 40,
  OPT: 41,
  APL: 42,
  DS: 43,
  SSHFP: 44,
  IPSECKEY: 45,
  RRSIG: 46,
  NSEC: 47,
  DNSKEY: 48,
  DHCID: 49,
  NSEC3: 50,
  NSEC3PARAM: 51,
  TLSA: 52,
  SMIMEA: 53,
  HIP: 55,
  NINFO: 56,
  RKEY: 57,
  TALINK: 58,
  CDS: 59,
  CDNSKEY: 60,
  OPENPGPKEY: 61,
  CSYNC: 62,
  ZONEMD: 63,
  SVCB: 64,
  HTTPS: 65,
  DSYNC: 66,
  HHIT: 67,
  BRID: 68,
  SPF: 99,
  NID: 104,
  L32: 105,
  L64: 106,
  LP: 107,
  EUI48: 108,
  EUI64: 109,
  NXNAME: 128,
  TKEY: 249,
  TSIG: 250,
  IXFR: 251,
  AXFR: 252,
  ANY: 255,
  URI: 256,
  CAA: 257,
  AVC: 258,
  DOA: 259,
  AMTRELAY: 260,
  RESINFO: 261,
  WALLET: 262,
  CLA: 263,
  IPN: 264,
  TA: 32768,
  DLV: 32769,
};

const typeOfCode = new Map(Object.entries(codeOfType).map(([name, code]) => [code, name]));

/** The type's name, or `TYPE` and its number (RFC 3597 section 5). */
export function recordTypeName(code: number): string {
  return typeOfCode.get(code) ?? `TYPE${code}`;
}

/** The number of `MX`, `mx` or `TYPE15`; undefined if there is no such type. */
export function recordTypeCode(text: string): number | undefined {
  const name = text.toUpperCase();
  if (Object.hasOwn(codeOfType, name)) return codeOfType[name];
  const numbered = /^TYPE(\d{1,5})$/.exec(name);
  const code = Number(numbered?.[1]);
  return code <= 0xffff ? code : undefined;
}

// oxfmt-ignore
const rcodes = [
  'NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED',
  'YXDOMAIN', 'YXRRSET', 'NXRRSET', 'NOTAUTH', 'NOTZONE', 'DSOTYPENI',
] as const;
const badVersion = 16;

/** Every response code that has a name of its own, as `dig` writes them. */
export const rcodeNames: readonly string[] = [...rcodes, 'BADVERS'];

export function rcodeName(code: number): string {
  return code === badVersion ? 'BADVERS' : (rcodes[code] ?? `RCODE${code}`);
}
