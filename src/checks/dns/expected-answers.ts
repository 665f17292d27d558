import type { DnsRecord } from '../../net/packets/dns/message.ts';
import { DnsFormatError } from '../../net/packets/dns/reader.ts';
import { comparable } from './comparable.ts';
import type { Options } from './options.ts';

type Expectation = Pick<Options['expect'], 'answers' | 'match'>;

/** Whether the answers are those that were expected. */
export function areExpected(answers: readonly DnsRecord[], { answers: expected, match }: Expectation): boolean {
  const got = new Set(answers.map(({ type, data }) => keyOf(type, data)));
  const types = [...new Set(answers.map(({ type }) => type))];
  // Answers to ANY are of several types, and an expected one may be of each.
  const keysOfExpected = expected.map((answer) => types.map((type) => keyOf(type, answer)));
  const isThere = keysOfExpected.map((keys) => keys.some((key) => key !== undefined && got.has(key)));
  if (match === 'any') return isThere.includes(true);
  const wanted = new Set(keysOfExpected.flat());
  return !isThere.includes(false) && (match === 'all' || got.isSubsetOf(wanted));
}

/** Undefined if the text cannot be data of that type. */
function keyOf(type: string, data: string): string | undefined {
  try {
    return `${type} ${comparable(type, data)}`;
  } catch (error) {
    if (error instanceof DnsFormatError) return undefined;
    throw error;
  }
}
