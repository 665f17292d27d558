import { printableBytes } from '../../core/printable.ts';
import type { JsonObject } from '../../core/outcome.ts';
import { ednsOptionName, extendedErrorsOf, nsidOf } from '../../net/packets/dns/edns-options.ts';
import type { DnsMessage, DnsRecord, Edns } from '../../net/packets/dns/message.ts';

const maxRecords = 100;
const maxDataLength = 1000;
/** Characters of all three sections together. */
const maxLength = 16_384;
const maxOptions = 20;
const maxOptionLength = 200;

export function shortened(data: string, maxDataLength: number): string {
  return data.length <= maxDataLength ? data : `${data.slice(0, maxDataLength)}…`;
}

/** The sections of an answer and its EDNS, as far as they are given; records left out are counted in `recordsLeftOut`. */
export function sectionsDetail({
  answers,
  authorities,
  additionals,
  edns,
}: Pick<DnsMessage, 'answers'> & Partial<Pick<DnsMessage, 'authorities' | 'additionals' | 'edns'>>): JsonObject {
  let room = maxLength;
  let leftOut = 0;
  const shown = (records: readonly DnsRecord[]): readonly JsonObject[] => {
    const kept: JsonObject[] = [];
    for (const record of records) {
      const row = { ...record, data: shortened(record.data, maxDataLength) };
      room -= row.name.length + row.data.length;
      if (kept.length < maxRecords && room >= 0) kept.push(row);
      else leftOut++;
    }
    return kept;
  };
  return {
    answers: shown(answers),
    ...(authorities && { authorities: shown(authorities) }),
    ...(additionals && { additionals: shown(additionals) }),
    ...(leftOut > 0 && { recordsLeftOut: leftOut }),
    ...(edns && { edns: ednsDetail(edns) }),
  };
}

function ednsDetail(edns: Edns): JsonObject {
  const { udpSize, dnssec, version = 0, options = [] } = edns;
  const nsid = nsidOf(edns);
  const extendedErrors = extendedErrorsOf(edns).slice(0, maxOptions);
  return {
    version,
    udpSize,
    dnssec,
    ...(nsid && { nsid: printableBytes(nsid, maxOptionLength) }),
    ...(extendedErrors.length > 0 && {
      extendedErrors: extendedErrors.map(({ code, name, text }) => ({
        code,
        name,
        text: printableBytes(text, maxOptionLength),
      })),
    }),
    ...(options.length > 0 && {
      options: options.slice(0, maxOptions).map(({ code, data }) => ({
        name: ednsOptionName(code),
        hex: shortened(data.toString('hex'), maxOptionLength),
      })),
    }),
  };
}

/** Extended errors for a message: ` (DNSSEC Bogus: no valid signature)`; empty if there is none. */
export function extendedErrorText({ edns }: DnsMessage): string {
  const errors = extendedErrorsOf(edns)
    .slice(0, 3)
    .map(({ name, text }) => (text.length === 0 ? name : `${name}: ${printableBytes(text, maxOptionLength)}`));
  return errors.length === 0 ? '' : ` (${errors.join('; ')})`;
}

/** A record on one line as dig writes it: `example.test 300 IN NS ns1.example.test`. */
export function recordLine({ name, ttlSeconds, class: dnsClass = 'IN', type, data }: DnsRecord): string {
  return `${name} ${ttlSeconds} ${dnsClass} ${type} ${data}`;
}
