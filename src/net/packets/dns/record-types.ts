/** Record types by name, from the IANA registry of DNS parameters; those without a layout are shown as RFC 3597 says. */
const codeOfType: Readonly<Record<string, number>> = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  HINFO: 13,
  MX: 15,
  TXT: 16,
  RP: 17,
  AAAA: 28,
  LOC: 29,
  SRV: 33,
  NAPTR: 35,
  CERT: 37,
  DNAME: 39,
  OPT: 41,
  DS: 43,
  SSHFP: 44,
  RRSIG: 46,
  NSEC: 47,
  DNSKEY: 48,
  NSEC3: 50,
  NSEC3PARAM: 51,
  TLSA: 52,
  SMIMEA: 53,
  CDS: 59,
  CDNSKEY: 60,
  OPENPGPKEY: 61,
  CSYNC: 62,
  ZONEMD: 63,
  SVCB: 64,
  HTTPS: 65,
  SPF: 99,
  ANY: 255,
  URI: 256,
  CAA: 257,
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
