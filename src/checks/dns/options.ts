import { domainToASCII } from 'node:url';
import { isIP } from 'node:net';
import { z } from 'zod';
import { socketFields } from '../../core/dial-options.ts';
import { duration } from '../../core/duration.ts';
import { AppError } from '../../core/errors.ts';
import { degradedByLatency } from '../../core/limits.ts';
import { wholeNumber } from '../../core/numbers.ts';
import { endpointOf, hostname, port } from '../../core/target.ts';
import { strictOption } from '../../core/oddities.ts';
import { pattern } from '../../core/pattern.ts';
import { reverseName } from '../../net/dns/reverse-name.ts';
import type { DnsQuestion } from '../../net/packets/dns/message.ts';
import { checkTlsOptions, tlsFields } from '../../net/tls/options.ts';
import { normalName } from '../../net/packets/dns/name.ts';
import { DnsFormatError } from '../../net/packets/dns/reader.ts';
import { rcodeNames, recordTypeCode, recordTypeName } from '../../net/packets/dns/record-types.ts';
import { comparable } from './comparable.ts';

const protocols = ['udp', 'tcp', 'tls', 'https'] as const;
const maxExpectedAnswers = 100;
const maxPatterns = 20;

/** A domain name; letters beyond ASCII become their `xn--` form. */
const domainName = z
  .string()
  .trim()
  .min(1)
  .max(1000)
  .transform((text, context) => {
    const mistake = typingErrorIn(text);
    if (mistake !== undefined) {
      context.addIssue({ code: 'custom', message: mistake, input: text });
      return z.NEVER;
    }
    // Only names of people's own languages need it: it would refuse escapes and other signs that the DNS allows.
    const ascii = /^[ -~]*$/.test(text) ? text : domainToASCII(text);
    const name = isIP(ascii) === 0 ? normalName(ascii) : ascii;
    if (name !== undefined) return name;
    const message = `expected a domain name with labels of 1 to 63 characters, got ${JSON.stringify(text)}`;
    context.addIssue({ code: 'custom', message, input: text });
    return z.NEVER;
  });

/** Signs that a name may have in the DNS, and that a person who does not escape them has typed by mistake. */
function typingErrorIn(text: string): string | undefined {
  if (isIP(text) !== 0) return undefined;
  if (/^\d+(?:\.\d+){3}$/.test(text)) return 'expected a domain name, or four numbers from 0 to 255';
  if (text.includes('://')) return 'expected a domain name, not a URL';
  if (/:\d*$/.test(text)) return 'expected a domain name without a port';
  return /(?<!\\)[\s,;]/.test(text) ? 'expected one domain name without blanks and commas' : undefined;
}

const serverText = z
  .string()
  .trim()
  .refine(
    (text) => isServer(text),
    'expected the name or address of a DNS server, with a port if it is not the usual one: 8.8.8.8, dns.example:5353, [::1]:53',
  );

function isServer(text: string): boolean {
  try {
    const endpoint = endpointOf(text);
    return hostname.safeParse(endpoint.host).success && port.optional().safeParse(endpoint.port).success;
  } catch (error) {
    if (error instanceof AppError) return false;
    throw error;
  }
}

/** They belong to a message or to a transfer of a zone, and have no answer in one message. */
const unaskable: ReadonlySet<string> = new Set(['OPT', 'TKEY', 'TSIG', 'IXFR', 'AXFR']);

const recordType = z
  .string()
  .trim()
  .transform((text, context) => {
    const code = recordTypeCode(text);
    if (code !== undefined && !unaskable.has(recordTypeName(code))) return recordTypeName(code);
    const message = `expected a record type, like A, MX, HTTPS or TYPE257, got ${JSON.stringify(text)}`;
    context.addIssue({ code: 'custom', message, input: text });
    return z.NEVER;
  });

const records = z.array(pattern).max(maxPatterns).default([]);
const rcode = z.enum(rcodeNames);

const expectation = z.strictObject({
  answers: z
    .array(z.string().trim().min(1).max(4000))
    .max(maxExpectedAnswers)
    .default([])
    .meta({ description: 'Answers to expect, as a zone file has them: 10 mail.example.com' }),
  match: z
    .enum(['all', 'any', 'exact'])
    .default('all')
    .meta({ description: 'All of these answers must be there, or any, or exactly these and no other' }),
  // One code alone is how it was written before there could be several.
  rcode: z
    .preprocess((value) => (typeof value === 'string' ? [value] : value), z.array(rcode).min(1))
    .default(['NOERROR'])
    .meta({
      description: 'Response codes of which one is expected',
      type: 'array',
      items: { type: 'string', enum: rcode.options },
    }),
  flags: z
    .array(z.enum(['aa', 'ad', 'ra', 'rd', 'cd']))
    .default([])
    .meta({ description: 'Flags that the answer must have: aa authoritative, ad validated, ra recursion available' }),
  minTtl: duration({ min: 0, max: 7 * 86_400_000 })
    .optional()
    .meta({ description: 'Time that every answer must still be valid for' }),
  authority: records.meta({
    description: 'Regular expressions (RE2) for records of the authority section, like ^example.com 3600 IN NS ns1',
  }),
  additional: records.meta({ description: 'Regular expressions (RE2) for records of the additional section' }),
  nsid: pattern.optional().meta({ description: 'Regular expression (RE2) for the identifier of the server (NSID)' }),
  extendedError: z.coerce
    .number()
    .int()
    .min(0)
    .max(0xffff)
    .optional()
    .meta({ description: 'Number of the extended error to expect (RFC 8914), 6 for DNSSEC Bogus' }),
});

const { serverName, verify, expiryDays, minVersion, ca, ocsp } = tlsFields;
const tls = z.strictObject({ serverName, verify, expiryDays, minVersion, ca, ocsp }).superRefine(checkTlsOptions);

export const options = z
  .strictObject({
    name: domainName.meta({ description: 'Name to look up; of an address, its name in reverse' }),
    server: serverText.optional().meta({ description: "Server to ask; the system's first if left out" }),
    record: recordType.default('A').meta({
      description: 'Record type, or TYPE and its number; of an address its name (PTR) instead of A',
      suggestions: ['A', 'MX', 'AAAA', 'CNAME'],
    }),
    class: z.enum(['IN', 'CH', 'HS']).default('IN').meta({ description: 'Class: internet, Chaos, Hesiod' }),
    protocol: z.enum(protocols).default('udp').meta({ description: 'UDP (TCP if truncated), TCP, TLS or HTTPS' }),
    path: z.string().startsWith('/').max(1000).default('/dns-query').meta({ description: 'Path for DNS over HTTPS' }),
    tls: tls.prefault({}),
    ...socketFields,
    recursion: z.boolean().default(true).meta({ description: 'Ask the server to find what it does not know' }),
    dnssec: z.boolean().default(false).meta({ description: 'Require an answer that the server validated (AD)' }),
    edns: z.boolean().default(true).meta({ description: 'Ask with EDNS' }),
    nsid: z.boolean().default(false).meta({ description: 'Ask for the identifier of the server (NSID)' }),
    expect: expectation.prefault({}),
    wait: duration({ min: 10, max: 60_000, default: 3000 }).meta({
      description: 'How long to wait for the answer to each try',
    }),
    retries: wholeNumber(0, 10).default(1).meta({ description: 'Further tries when no proper answer came' }),
    strict: strictOption,
    degraded: degradedByLatency('time for the try that was answered'),
  })
  .superRefine((options, context) => {
    const { edns, expect } = options;
    const { type } = questionOf(options);
    for (const [index, answer] of expect.answers.entries()) {
      const mistake = mistakeIn(type, answer);
      if (mistake)
        context.addIssue({ code: 'custom', message: mistake, input: answer, path: ['expect', 'answers', index] });
    }
    const needsEdns = (['dnssec', 'nsid'] as const).find((name) => options[name]);
    if (!edns && needsEdns)
      context.addIssue({ code: 'custom', message: `expected edns with ${needsEdns}`, input: edns, path: ['edns'] });
  });

export type Options = z.output<typeof options>;

/** The question to ask. An address is asked for by its reverse name, which has no address records. */
export function questionOf({ name, record, class: dnsClass }: Pick<Options, 'name' | 'record' | 'class'>): DnsQuestion {
  const isAddress = isIP(name) !== 0;
  return {
    name: isAddress ? reverseName(name) : name,
    type: isAddress && (record === 'A' || record === 'AAAA') ? 'PTR' : record,
    ...(dnsClass !== 'IN' && { class: dnsClass }),
  };
}

function mistakeIn(record: string, answer: string): string | undefined {
  // Answers to ANY are of several types.
  if (record === 'ANY') return undefined;
  try {
    comparable(record, answer);
    return undefined;
  } catch (error) {
    if (!(error instanceof DnsFormatError)) throw error;
    return `not the data of a record of type ${record}: ${error.message}`;
  }
}
