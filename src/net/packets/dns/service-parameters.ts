import { base64 } from './fields-of-bytes.ts';
import { invalid, ipv4, ipv6, text, u16, unquoted, wordsOf, type RecordField } from './fields.ts';
import { quotedBytes } from './name.ts';
import { DnsFormatError, type DnsReader } from './reader.ts';

/** Protocol ids, each with its length before it, shown as one list in quotes; commas in an id are escaped (RFC 9460 appendix A.1). */
const protocolIds: RecordField = {
  read(reader) {
    const ids: string[] = [];
    while (reader.remaining > 0) ids.push(reader.bytes(reader.u8()).toString('latin1').replace(/[\\,]/g, '\\$&'));
    return quotedBytes(Buffer.from(ids.join(','), 'latin1'));
  },
  write(writer, list) {
    const ids =
      unquoted(list)
        .toString('latin1')
        .match(/(?:\\[^]|[^,\\])+/g) ?? [];
    for (const escaped of ids) {
      const id = Buffer.from(escaped.replace(/\\([^])/g, '$1'), 'latin1');
      if (id.length > 0xff) throw invalid('protocol ids of at most 255 bytes', list);
      writer.u8(id.length);
      writer.bytes(id);
    }
  },
};

const key: RecordField = {
  read: (reader) => keyName(reader.u16()),
  write: (writer, name) => writer.u16(keyCode(name)),
};

const nothing: RecordField = {
  read: () => '',
  write(_, value) {
    if (value !== '') throw invalid('no value', value);
  },
};

function listOf(item: RecordField): RecordField {
  return {
    read(reader) {
      const items: string[] = [];
      while (reader.remaining > 0) items.push(item.read(reader));
      return items.join(',');
    },
    write(writer, list) {
      for (const one of unquoted(list).toString('latin1').split(',')) item.write(writer, one);
    },
  };
}

/** By the number of its key (RFC 9460 section 14.3.2); any other value is text in quotes. */
const parameters: readonly (readonly [name: string, value: RecordField])[] = [
  ['mandatory', listOf(key)],
  ['alpn', protocolIds],
  ['no-default-alpn', nothing],
  ['port', u16],
  ['ipv4hint', listOf(ipv4)],
  ['ech', base64],
  ['ipv6hint', listOf(ipv6)],
  ['dohpath', text],
];

function keyName(code: number): string {
  return parameters[code]?.[0] ?? `key${code}`;
}

function keyCode(name: string): number {
  const known = parameters.findIndex(([knownName]) => knownName === name);
  const code = known >= 0 ? known : Number(/^key(\d{1,5})$/.exec(name)?.[1]);
  if (code <= 0xffff) return code;
  throw invalid('a service parameter, like alpn or key65333', name);
}

/** The parameters of an SVCB or HTTPS record: `alpn="h2,h3" port=8443`. */
export const serviceParameters: RecordField = {
  read(reader) {
    const words: string[] = [];
    for (let previous = -1; reader.remaining > 0;) {
      const code = reader.u16();
      if (code <= previous) throw new DnsFormatError('service parameters out of order');
      words.push(parameterText(reader, code));
      previous = code;
    }
    return words.join(' ');
  },
  write(writer, line) {
    const written = wordsOf(line).map((word) => {
      const { name = '', value = '' } = /^(?<name>[^=]*)(?:=(?<value>.*))?$/s.exec(word)?.groups ?? {};
      return { code: keyCode(name), value };
    });
    for (const { code, value } of written.toSorted((a, b) => a.code - b.code)) {
      writer.u16(code);
      writer.counted(() => (parameters[code]?.[1] ?? text).write(writer, value));
    }
  },
};

function parameterText(reader: DnsReader, code: number): string {
  const field = parameters[code]?.[1] ?? text;
  const value = reader.within(reader.u16(), () => field.read(reader));
  const isEmpty = value === '' || value === '""';
  return isEmpty ? keyName(code) : `${keyName(code)}=${value}`;
}
