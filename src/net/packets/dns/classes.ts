import { DnsFormatError } from './reader.ts';

/** Classes by name (IANA, DNS Classes). */
const codeOfClass: Readonly<Record<string, number>> = { IN: 1, CH: 3, HS: 4, NONE: 254, ANY: 255 };
const classOfCode = new Map(Object.entries(codeOfClass).map(([name, code]) => [code, name]));

export const internetClass = 1;

/** The class's name, or `CLASS` and its number (RFC 3597 section 5). */
export function dnsClassName(code: number): string {
  return classOfCode.get(code) ?? `CLASS${code}`;
}

/** @throws {DnsFormatError} if there is no such class */
export function dnsClassCode(name = 'IN'): number {
  const code = codeOfClass[name] ?? Number(/^CLASS(\d{1,5})$/.exec(name)?.[1]);
  if (code <= 0xffff) return code;
  throw new DnsFormatError(`expected a class, like IN, CH or CLASS5, got ${JSON.stringify(name.slice(0, 300))}`);
}
