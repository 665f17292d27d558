import type { Edns } from './message.ts';

/** Numbers of options (IANA, DNS EDNS0 Option Codes). */
const nsidCode = 3;
const extendedErrorCode = 15;

// oxfmt-ignore
const optionNames: Readonly<Record<number, string>> = {
  1: 'LLQ', 2: 'UL', 3: 'NSID', 5: 'DAU', 6: 'DHU', 7: 'N3U', 8: 'ECS', 9: 'EXPIRE', 10: 'COOKIE', 11: 'TCP KEEPALIVE',
  12: 'PADDING', 13: 'CHAIN', 14: 'KEY TAG', 15: 'EDE', 16: 'CLIENT TAG', 17: 'SERVER TAG', 18: 'REPORT CHANNEL',
  19: 'ZONEVERSION',
};

/** By number: RFC 8914 section 4, and what was registered later (IANA, Extended DNS Error Codes). */
const extendedErrorNames: readonly string[] = [
  'Other Error',
  'Unsupported DNSKEY Algorithm',
  'Unsupported DS Digest Type',
  'Stale Answer',
  'Forged Answer',
  'DNSSEC Indeterminate',
  'DNSSEC Bogus',
  'Signature Expired',
  'Signature Not Yet Valid',
  'DNSKEY Missing',
  'RRSIGs Missing',
  'No Zone Key Bit Set',
  'NSEC Missing',
  'Cached Error',
  'Not Ready',
  'Blocked',
  'Censored',
  'Filtered',
  'Prohibited',
  'Stale NXDOMAIN Answer',
  'Not Authoritative',
  'Not Supported',
  'No Reachable Authority',
  'Network Error',
  'Invalid Data',
  'Signature Expired before Valid',
  'Too Early',
  'Unsupported NSEC3 Iterations Value',
  'Unable to conform to policy',
  'Synthesized',
  'Invalid Query Type',
];

/** Asks the server for its identifier (RFC 5001 section 2.1). */
export const nsidRequest = { code: nsidCode, data: Buffer.alloc(0) };

/** Why an answer is as it is (RFC 8914 section 2). */
export interface ExtendedError {
  readonly code: number;
  /** `DNSSEC Bogus`, or `Extended Error 49152` where the number has no name. */
  readonly name: string;
  /** More, for people; often empty. */
  readonly text: Buffer;
}

/** The identifier of the server that answered, as bytes; undefined if it gave none. */
export function nsidOf(edns: Edns | undefined): Buffer | undefined {
  return edns?.options?.find(({ code }) => code === nsidCode)?.data;
}

export function extendedErrorsOf(edns: Edns | undefined): readonly ExtendedError[] {
  const errors = edns?.options?.filter(({ code, data }) => code === extendedErrorCode && data.length >= 2) ?? [];
  return errors.map(({ data }) => {
    const code = data.readUInt16BE(0);
    const end = data.at(-1) === 0 ? data.length - 1 : data.length;
    return {
      code,
      name: extendedErrorNames[code] ?? `Extended Error ${code}`,
      text: data.subarray(2, Math.max(2, end)),
    };
  });
}

/** The option's name, or `OPT` and its number as dig writes it. */
export function ednsOptionName(code: number): string {
  return optionNames[code] ?? `OPT=${code}`;
}
