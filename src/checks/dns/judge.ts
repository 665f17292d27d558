import { formatDuration } from '../../core/duration.ts';
import { Failure } from '../../core/failure.ts';
import type { Measurement } from '../../core/check.ts';
import { assertFast } from '../../core/limits.ts';
import type { Oddities } from '../../core/oddities.ts';
import { up, type Outcome } from '../../core/outcome.ts';
import type { DnsMessage, DnsQuestion, DnsRecord } from '../../net/packets/dns/message.ts';
import { followAliases } from '../../net/dns/follow-aliases.ts';
import { rcodeName } from '../../net/packets/dns/record-types.ts';
import { assertEdns, assertSections } from './assertions.ts';
import { areExpected } from './expected-answers.ts';
import { assertNotExpiring } from '../../net/tls/report.ts';
import type { Options } from './options.ts';
import { extendedErrorText, shortened } from './sections.ts';

const maxAnswersInMessage = 8;
const maxDataInMessage = 200;

/** The answers to the question itself: no aliases on the way to them, no signatures, no records of other names and types. */
export function wantedAnswers(asked: DnsQuestion, { answers }: DnsMessage): readonly DnsRecord[] {
  if (asked.type === 'ANY') return answers;
  return followAliases(asked, answers).filter(({ type }) => type === asked.type);
}

interface Judged {
  readonly asked: DnsQuestion;
  readonly message: DnsMessage;
  readonly oddities: Oddities;
}

/** Compares an answer with what was expected of it. @throws {Failure} name-not-found, assertion, protocol, threshold */
export function judge({ asked, message, oddities }: Judged, options: Options, measurement: Measurement): Outcome {
  const subject = `${options.name} ${asked.type}`;
  const wanted = wantedAnswers(asked, message);
  const answers = wanted.filter(({ flaw }) => flaw === undefined);
  assertRcode(message, subject, options);
  assertFlags(message, options);
  if (message.rcode === 0) {
    assertReadable(message, answers, subject);
    if (wanted.length === 0 && options.expect.match !== 'exact') throw noAnswer(asked, message, subject);
    assertAnswers(wanted, subject, options);
  }
  assertTtl(answers, options);
  assertSections(message, options);
  assertEdns(message, options);
  oddities.assertNone(options);
  assertNotExpiring(measurement, options.tls);
  assertFast('The answer', measurement.latencyMs ?? 0, options);
  if (answers.length > 0) return up(`${asked.type}: ${listed(answers)}`, measurement);
  return up(`${subject}: ${rcodeName(message.rcode)}, no answers, as expected.`, measurement);
}

/** Notes what breaks a standard in a message that can be used all the same. */
export function noteOddities({ flaws = [], questions, flags, rcode }: DnsMessage, oddities: Oddities): void {
  for (const { section, text } of flaws)
    oddities.note(section === 'end' ? `It has ${text}.` : `In the ${section} section, ${text}.`);
  if (questions.length === 0 && rcode === 0) oddities.note('The answer does not repeat the question.');
  if (questions.length > 1) oddities.note(`The answer has ${questions.length} questions.`);
  if (flags.includes('tc'))
    oddities.note('The answer is truncated although it came on a stream, which has room for all of it.');
}

function listed(answers: readonly DnsRecord[]): string {
  const shown = answers.slice(0, maxAnswersInMessage).map(({ data }) => shortened(data, maxDataInMessage));
  const more = answers.length - shown.length;
  return `${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function assertRcode(message: DnsMessage, subject: string, { expect }: Options): void {
  const got = rcodeName(message.rcode);
  if (expect.rcode.includes(got)) return;
  const isMissing = got === 'NXDOMAIN' && expect.rcode.includes('NOERROR');
  const meaning = isMissing ? `, there is no such name` : '';
  throw new Failure(
    isMissing ? 'name-not-found' : 'assertion',
    `Expected ${expect.rcode.join(' or ')} for ${subject}, got ${got}${meaning}${extendedErrorText(message)}.`,
  );
}

/** Answers that cannot be read, or of which only a part came, are not the same as none. */
function assertReadable(message: DnsMessage, answers: readonly DnsRecord[], subject: string): void {
  const flaw = message.flaws?.find(({ section }) => section === 'answer')?.text;
  const trouble = flaw ?? (message.flags.includes('tc') ? 'the answer is truncated' : undefined);
  if (trouble !== undefined && answers.length === 0)
    throw new Failure('protocol', `Expected an answer to ${subject}, got none that can be read: ${trouble}.`);
}

function assertFlags({ flags }: DnsMessage, { dnssec, expect }: Options): void {
  const expected = dnssec ? [...expect.flags, 'ad' as const] : expect.flags;
  const absent = expected.find((flag) => !flags.includes(flag));
  if (absent === undefined) return;
  const meaning = absent === 'ad' ? ' (validated with DNSSEC)' : '';
  throw new Failure('assertion', `Expected the flag ${absent}${meaning} in the answer, got ${flags.join(' ')}.`);
}

/** Why a message without an error has no answer (RFC 2308 section 2.2). */
function noAnswer(asked: DnsQuestion, { answers, authorities, flags }: DnsMessage, subject: string): Failure {
  const nameServer = authorities.find(({ type }) => type === 'NS');
  const isReferral = answers.length === 0 && !flags.includes('aa') && !authorities.some(({ type }) => type === 'SOA');
  if (nameServer && isReferral) {
    const got = `a referral to ${shortened(nameServer.data, maxDataInMessage)}`;
    const meaning = 'the server does not look this name up for others';
    return new Failure('assertion', `Expected records for ${subject}, got ${got}: ${meaning}.`);
  }
  const alias = followAliases(asked, answers).at(-1);
  const whose = alias ? `it is an alias of ${shortened(alias.data, maxDataInMessage)}, which` : 'the name';
  return new Failure('name-not-found', `Expected records for ${subject}, got none: ${whose} has no such record.`);
}

function assertAnswers(answers: readonly DnsRecord[], subject: string, { expect }: Options): void {
  const { answers: expected, match } = expect;
  if (expected.length === 0 && match !== 'exact') return;
  if (areExpected(answers, { answers: expected, match })) return;
  const howMany = { all: '', any: 'any of ', exact: 'exactly ' }[match];
  const what = expected.join(', ') || 'no answer';
  throw new Failure('assertion', `Expected ${howMany}${what} for ${subject}, got ${listed(answers) || 'no answer'}.`);
}

function assertTtl(answers: readonly DnsRecord[], { expect: { minTtl } }: Options): void {
  if (minTtl === undefined) return;
  const tooShort = answers.find(({ ttlSeconds }) => ttlSeconds * 1000 < minTtl);
  if (!tooShort) return;
  const { data, ttlSeconds } = tooShort;
  throw new Failure(
    'assertion',
    `Expected answers valid for ${formatDuration(minTtl)} or more, ${data} is for ${ttlSeconds} s.`,
  );
}
