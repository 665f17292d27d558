import { unquoted, wordsOf } from '../../net/packets/dns/fields.ts';
import { writeRecordData } from '../../net/packets/dns/record-data.ts';
import { DnsWriter } from '../../net/packets/dns/writer.ts';

/** Record types whose strings are one text for people (RFC 7208 section 3.3); it needs no quotes. */
const textTypes: ReadonlySet<string> = new Set(['TXT', 'SPF']);

/**
 * A key that is the same for equal record data, however it is written: the bytes of the wire, names in small letters.
 * `MAIL.Example.com.` is `mail.example.com`, `2001:DB8:0::1` is `2001:db8::1`, and `"v=spf1" " -all"` is `v=spf1 -all`.
 * @throws {DnsFormatError} if the text cannot be data of such a record
 */
export function comparable(type: string, data: string): string {
  return (textTypes.has(type) && !data.startsWith('\\# ') ? textBytes(data) : dataBytes(type, data)).toString('latin1');
}

function textBytes(data: string): Buffer {
  return data.startsWith('"') ? Buffer.concat(wordsOf(data).map(unquoted)) : Buffer.from(data);
}

function dataBytes(type: string, data: string): Buffer {
  const writer = new DnsWriter({ foldsCase: true });
  writeRecordData(writer, type, data);
  return writer.finish();
}
