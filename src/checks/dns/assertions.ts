import { Failure } from '../../core/failure.ts';
import { compilePattern } from '../../core/pattern.ts';
import { printableBytes } from '../../core/printable.ts';
import { quoted } from '../../core/quoted.ts';
import { extendedErrorsOf, nsidOf } from '../../net/packets/dns/edns-options.ts';
import type { DnsMessage, DnsRecord } from '../../net/packets/dns/message.ts';
import type { Options } from './options.ts';
import { extendedErrorText, recordLine, shortened } from './sections.ts';

/** Characters of a section that are matched: matching costs text × pattern. */
const maxMatchedLength = 16_384;
const maxLinesInMessage = 3;
const maxLineInMessage = 200;

/** @throws {Failure} assertion, when no record of a section matches; too-large, when not all of it could be looked at */
export function assertSections({ authorities, additionals }: DnsMessage, { expect }: Options): void {
  assertRecords('authority', authorities, expect.authority);
  assertRecords('additional', additionals, expect.additional);
}

function assertRecords(section: string, records: readonly DnsRecord[], patterns: readonly string[]): void {
  if (patterns.length === 0) return;
  const lines = records.map(recordLine);
  const text = lines.join('\n');
  const looked = text.slice(0, maxMatchedLength);
  const missing = patterns.find((pattern) => !compilePattern(pattern).matcher(looked).find());
  if (missing === undefined) return;
  const expected = `Expected a record like /${missing}/ in the ${section} section`;
  if (looked.length < text.length)
    throw new Failure('too-large', `${expected}, found none in its first ${maxMatchedLength} characters.`, {
      as: { status: 'unknown' },
    });
  const shown = lines.slice(0, maxLinesInMessage).map((line) => shortened(line, maxLineInMessage));
  const more = lines.length > shown.length ? ` and ${lines.length - shown.length} more` : '';
  throw new Failure('assertion', `${expected}, got ${shown.join(', ') || 'none'}${more}.`);
}

/** @throws {Failure} assertion */
export function assertEdns(message: DnsMessage, { expect }: Options): void {
  assertNsid(message, expect.nsid);
  const { extendedError } = expect;
  if (extendedError === undefined) return;
  if (extendedErrorsOf(message.edns).some(({ code }) => code === extendedError)) return;
  const got = extendedErrorText(message) || ' none';
  throw new Failure('assertion', `Expected the extended error ${extendedError} (RFC 8914), got${got}.`);
}

function assertNsid({ edns }: DnsMessage, pattern: string | undefined): void {
  if (pattern === undefined) return;
  const nsid = nsidOf(edns);
  if (nsid && compilePattern(pattern).matcher(nsid).find()) return;
  const got = nsid ? quoted(printableBytes(nsid)) : 'none';
  throw new Failure('assertion', `Expected a server with an identifier like /${pattern}/ (NSID), got ${got}.`);
}
