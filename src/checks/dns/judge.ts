import { formatDuration } from '../../core/duration.ts';
import { Failure } from '../../core/failure.ts';
import type { Measurement } from '../../core/check.ts';
import { assertFast } from '../../core/limits.ts';
import { up, type Outcome } from '../../core/outcome.ts';
import type { DnsMessage, DnsRecord } from '../../net/packets/dns/message.ts';
import { followAliases } from '../../net/dns/lookup.ts';
import { rcodeName } from '../../net/packets/dns/record-types.ts';
import { comparable } from './comparable.ts';
import type { Options } from './options.ts';

const maxAnswersInMessage = 8;
const maxDataInMessage = 200;

/** The answers to the question itself: without the aliases on the way to them, signatures, and what was not asked. */
export function wantedAnswers({ questions: [asked], answers }: DnsMessage): readonly DnsRecord[] {
  if (!asked || asked.type === 'ANY') return answers;
  return followAliases(asked, answers).filter(({ type }) => type === asked.type);
}

/** Compares an answer with what was expected of it. @throws {Failure} name-not-found, assertion, threshold */
export function judge(message: DnsMessage, options: Options, measurement: Measurement): Outcome {
  const answers = wantedAnswers(message);
  assertRcode(message, options);
  assertFlags(message, options);
  if (options.expect.rcode === 'NOERROR') assertAnswers(answers, options);
  assertTtl(answers, options);
  assertFast('The answer', measurement.latencyMs ?? 0, options);
  return up(describe(message, answers, options), measurement);
}

function describe({ rcode }: DnsMessage, answers: readonly DnsRecord[], { name, record }: Options): string {
  if (answers.length > 0) return `${record}: ${listed(answers)}`;
  return `${name} ${record}: ${rcodeName(rcode)}, no answers, as expected.`;
}

function listed(answers: readonly DnsRecord[]): string {
  const shown = answers.slice(0, maxAnswersInMessage).map(({ data }) => shortened(data, maxDataInMessage));
  const more = answers.length - shown.length;
  return `${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

export function shortened(data: string, maxLength: number): string {
  return data.length <= maxLength ? data : `${data.slice(0, maxLength)}…`;
}

function assertRcode({ rcode }: DnsMessage, { name, record, expect }: Options): void {
  const got = rcodeName(rcode);
  if (got === expect.rcode) return;
  const isMissing = got === 'NXDOMAIN' && expect.rcode === 'NOERROR';
  const meaning = isMissing ? `, there is no such name` : '';
  throw new Failure(
    isMissing ? 'name-not-found' : 'assertion',
    `Expected ${expect.rcode} for ${name} ${record}, got ${got}${meaning}.`,
  );
}

function assertFlags({ flags }: DnsMessage, { dnssec, expect }: Options): void {
  const expected = dnssec ? [...expect.flags, 'ad' as const] : expect.flags;
  const absent = expected.find((flag) => !flags.includes(flag));
  if (absent === undefined) return;
  const meaning = absent === 'ad' ? ' (validated with DNSSEC)' : '';
  throw new Failure('assertion', `Expected the flag ${absent}${meaning} in the answer, got ${flags.join(' ')}.`);
}

function assertAnswers(answers: readonly DnsRecord[], { name, record, expect }: Options): void {
  const { answers: expected, match } = expect;
  if (answers.length === 0 && match !== 'exact')
    throw new Failure(
      'name-not-found',
      `Expected ${record} records of ${name}, got none: the name has no such record.`,
    );
  if (expected.length === 0 && match !== 'exact') return;
  const got = new Set(answers.map(({ data }) => comparable(record, data)));
  const wanted = new Set(expected.map((answer) => comparable(record, answer)));
  const fits = {
    all: () => wanted.isSubsetOf(got),
    any: () => !wanted.isDisjointFrom(got),
    exact: () => wanted.isSubsetOf(got) && got.isSubsetOf(wanted),
  };
  if (fits[match]()) return;
  const howMany = { all: '', any: 'any of ', exact: 'exactly ' }[match];
  const what = expected.join(', ') || 'no answer';
  throw new Failure(
    'assertion',
    `Expected ${howMany}${what} for ${name} ${record}, got ${listed(answers) || 'no answer'}.`,
  );
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
