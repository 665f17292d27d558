import { unquoted, wordsOf } from '../../net/packets/dns/fields.ts';
import { DnsReader } from '../../net/packets/dns/reader.ts';
import { readRecordData, writeRecordData } from '../../net/packets/dns/record-data.ts';
import { DnsWriter } from '../../net/packets/dns/writer.ts';

/**
 * Record data in the form in which equal answers are equal, however they are written: `MAIL.Example.com.` is
 * `mail.example.com`, `2001:DB8:0::1` is `2001:db8::1`, and `"v=spf1" " -all"` is `v=spf1 -all`.
 * @throws {DnsFormatError} if the text cannot be data of such a record
 */
export function comparable(type: string, data: string): string {
  if (type === 'TXT' || type === 'SPF') return wholeText(data);
  // Answers to ANY are of several types; people write them as they are shown.
  if (type === 'ANY') return data.toLowerCase();
  const writer = new DnsWriter();
  writeRecordData(writer, type, data);
  return readRecordData(new DnsReader(writer.finish()), type).toLowerCase();
}

/** Several strings of one record are one text (RFC 7208 section 3.3); people need no quotes to write it. */
function wholeText(data: string): string {
  if (!data.startsWith('"')) return data;
  return Buffer.concat(wordsOf(data).map(unquoted)).toString();
}
