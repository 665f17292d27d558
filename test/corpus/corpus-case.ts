import { load } from 'js-yaml';
import { z } from 'zod';
import { duration } from '../../src/core/duration.ts';
import { describeIssues, valueAt } from '../../src/core/issues.ts';
import { reasons, statuses } from '../../src/core/outcome.ts';
import { dnsMessage } from './dns-notation.ts';

const maxFileLength = 64 * 1024;
const maxDelayMs = 3000;

const text = z.string().max(20_000);
const pattern = text.refine(isPattern, 'expected a regular expression');
const yes = z.literal(true);

/** One thing that a server does. A step has one key; those without a value are written as a word: `close`. */
const stepFields = {
  /** Reads until this text has come. */
  until: text.min(1),
  /** Reads this number of bytes. */
  bytes: z.int().min(1).max(1_000_000),
  /** Reads until the other side has sent its end. */
  untilEnd: yes,
  /** A regular expression that the bytes of the last read must match; it fails the case otherwise. */
  must: pattern,
  mustNot: pattern,
  /** Sends a text as UTF-8, as ISO 8859-1, or each line with CR LF. */
  send: text,
  latin1: text,
  lines: z.array(text),
  /** Sends bytes; blanks are ignored. */
  hex: text,
  base64: text,
  repeat: z.strictObject({ text, times: z.int().min(1).max(4_000_000) }),
  /** Goes on in TLS with this certificate. */
  startTls: text,
  delay: duration({ min: 1, max: maxDelayMs }),
  close: yes,
  reset: yes,
};

const step = z
  .strictObject(stepFields)
  .partial()
  .refine((value) => Object.keys(value).length === 1, 'expected one key a step');
export type Step = z.output<typeof step>;

/** The first script is for the first connection or datagram, the last one for all that follow. */
const scripts = z.array(z.array(step).max(100)).min(1).max(20);

const dnsRule = z.strictObject({
  /** What the query must be for this rule; what is left out does not matter. */
  when: z
    .strictObject({
      name: text,
      type: z.string().regex(/^[A-Z0-9]{1,10}$/),
      by: z.enum(['udp', 'tcp']),
      edns: z.boolean(),
      recursion: z.boolean(),
    })
    .partial()
    .default({}),
  /** Messages in this order; none is silence. */
  say: z.array(dnsMessage).max(10),
});
export type DnsRule = z.output<typeof dnsRule>;

const tlsSettings = z.strictObject({
  /** Names of certificates of `src/testing/certificates.ts`, the server's own first. */
  chain: z.array(text).min(1).default(['good']),
  minVersion: z.enum(['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3']).optional(),
  maxVersion: z.enum(['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3']).optional(),
  /** As OpenSSL names groups: P-521, X448, ffdhe2048. */
  groups: text.optional(),
  ciphers: text.optional(),
  alpn: z.array(text).optional(),
  /** Require a client certificate of the tests' own authority. */
  clientCertificate: z.boolean().default(false),
});
export type TlsSettings = z.output<typeof tlsSettings>;

const server = z
  .strictObject({
    tcp: scripts.optional(),
    /** The first datagram from anybody is answered by the first script. */
    udp: scripts.optional(),
    dns: z.array(dnsRule).min(1).max(20).optional(),
    /** A port on which nothing listens. */
    closed: z.enum(['tcp', 'udp']).optional(),
    tls: tlsSettings.optional(),
    family: z.union([z.literal(4), z.literal(6)]).default(4),
  })
  .refine(
    ({ tcp, udp, dns, closed }) => [tcp, udp, dns, closed].filter(Boolean).length === 1,
    'expected one of tcp, udp, dns, closed',
  )
  .refine(({ tls, tcp }) => !tls || tcp, 'expected tcp beside tls');
export type ServerPlan = z.output<typeof server>;

const matcher = z.union([
  z.strictObject({ matches: pattern }),
  z.strictObject({ absent: yes }),
  z.strictObject({ between: z.tuple([z.number(), z.number()]) }),
  z.strictObject({ equals: z.unknown() }),
  z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(z.unknown())]),
]);
export type Matcher = z.output<typeof matcher>;

const corpusCase = z.strictObject({
  /** The name of the test: a sentence about what the check says. */
  about: text.min(10).max(120),
  /** The row of a fault list that it comes from. */
  row: z
    .string()
    .regex(/^[A-Z]{1,3}\d{1,3}$/)
    .optional(),
  /** Why the expected value is right: a section of a standard, or a peer program and what it was seen to do. */
  why: text.min(10),
  servers: z.record(z.string().regex(/^[a-z][a-z0-9]{0,15}$/), server).default({}),
  /** How names are resolved; without it by the hosts file of the machine, and no DNS server. */
  names: z
    .strictObject({ servers: z.array(text).default([]), hosts: text.default(''), resolvConf: text.default('') })
    .prefault({}),
  check: z.string(),
  options: z.record(z.string(), z.unknown()),
  timeout: duration({ min: 50, max: 10_000 }).prefault('5s'),
  expect: z.strictObject({
    status: z.enum(statuses),
    reason: z.enum(reasons as [string, ...string[]]).optional(),
    message: pattern.optional(),
    /** Paths into the outcome: `metrics.statusCode: 200`, `detail.oddities: { absent: true }`. */
    fields: z.record(z.string(), matcher).default({}),
    /** How many connections or datagrams a server must have had. */
    visits: z.record(z.string(), z.int().min(0)).default({}),
  }),
});
export type CorpusCase = z.output<typeof corpusCase>;

/** Reads the text of a `case.yaml`. @throws {Error} with every mistake in it, each with its place */
export function parseCase(yaml: string, file: string): CorpusCase {
  if (yaml.length > maxFileLength)
    throw new Error(`${file} has ${yaml.length} characters, at most ${maxFileLength} are read.`);
  const input = withWholeScripts(load(yaml, { filename: file }));
  const parsed = corpusCase.safeParse(input);
  if (parsed.success) return parsed.data;
  const mistakes = describeIssues(parsed.error, { input, nameOf: (path) => path.map(String).join('.') });
  throw new Error(`${file} is no case of the corpus:\n${mistakes.map((mistake) => `  ${mistake}`).join('\n')}`);
}

/** Writes out what people may shorten: a single script without its list, a step as a word. */
function withWholeScripts(input: unknown): unknown {
  const servers = valueAt(input, ['servers']);
  if (typeof servers !== 'object' || servers === null) return input;
  const whole = Object.entries(servers).map(([name, plan]: [string, unknown]) => {
    const written = ['tcp', 'udp'].flatMap((kind) => {
      const given = valueAt(plan, [kind]);
      return Array.isArray(given) ? [[kind, listOfScripts(given)] as const] : [];
    });
    return [name, written.length > 0 ? { ...(plan as object), ...Object.fromEntries(written) } : plan] as const;
  });
  return { ...(input as object), servers: Object.fromEntries(whole) };
}

function listOfScripts(given: readonly unknown[]): unknown[] {
  const list = given.length > 0 && given.every(Array.isArray) ? given : [given];
  return list.map((script: readonly unknown[]) =>
    script.map((step) => (typeof step === 'string' ? { [step]: true } : step)),
  );
}

function isPattern(source: string): boolean {
  try {
    return new RegExp(source.replaceAll(/\$\{[^}]*\}/g, 'x'), 'u') instanceof RegExp;
  } catch {
    return false;
  }
}
