import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { attacksOn, textOf, type Attack } from './attacks.ts';
import { cpuMsOf, leastOf, maxCpuMs, mebibyte } from './cpu-time.ts';
import { scanSources, type Expression } from './sources.ts';

/** Expressions that are slow on 1 MiB, the longest text that they can meet, and why it is no longer. */
const bounded: Readonly<Record<string, { readonly length: number; readonly reason: string }>> = {
  [String.raw`net/http/charset.ts /<meta\s[^>]*?\bcharset\s*=\s*["']?\s*([^\s"'/>;]+)/i`]: {
    length: 1024,
    reason: 'a browser, too, looks for <meta charset> in the first 1,024 bytes only',
  },
  'commands/completion/completion.ts /<(.+)>/': { length: 200, reason: 'our own help' },
  [String.raw`net/icmp/system-ping.ts /bytes from (\S+?):? .*?ttl=(\d+)(?: time=([\d.]+))?/`]: {
    length: 4096,
    reason: 'more of what ping prints is not kept',
  },
  [String.raw`net/packets/ntp.ts /\0+$/`]: { length: 4, reason: 'a reference id has four bytes' },
  'net/tls/failure.ts /EXCESSIVE_MESSAGE_SIZE$|EXCESSIVE_\\w+$/': { length: 128, reason: 'a name of OpenSSL' },
  [String.raw`net/tls/failure.ts /ALERT_(BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_\w+|UNKNOWN_CA|ACCESS_DENIED|DECRYPT_ERROR)$/`]:
    { length: 128, reason: 'a name of OpenSSL' },
  [String.raw`net/tls/failure.ts /ALERT_\w+$/`]: { length: 128, reason: 'a name of OpenSSL' },
  'sys/packet-socket.ts /(?!^)(?=(?:..)+$)/g': { length: 12, reason: 'the digits of a hardware address' },
};

const { expressions, computed } = scanSources();
const nameOf = ({ file, pattern }: Expression): string => `${file} ${pattern}`;

/** Where an expression with the flag g is used, it goes through the whole text. */
function apply(pattern: RegExp, text: string): void {
  if (pattern.global) text.replace(pattern, '');
  else pattern.exec(text);
}

/** Long enough to tell a slow attack from a quick one, and too short for one to take seconds. */
const trialLength = 4096;
const trialMs = 10;

/** Lengths to try: in small steps at first, for some expressions take twice as long for each character. */
function* lengthsTo(longest: number): Generator<number> {
  for (let length = 16; length < longest; length = Math.ceil(length * (length < 1024 ? 1.2 : 2))) yield length;
  yield longest;
}

/** What a short text of an attack costs, in milliseconds; a slow one is given up early, and counts as if it had gone on. */
function trialCost(pattern: RegExp, attack: Attack, longest: number): number {
  let ms = 0;
  for (const length of lengthsTo(longest)) {
    ms = cpuMsOf(() => apply(pattern, textOf(attack, length)));
    if (ms > trialMs) return (ms * longest) / length;
  }
  return ms;
}

/** The attacks that cost most on a short text, the worst one first. */
function worstAttacks(pattern: RegExp, maxLength: number): readonly Attack[] {
  const longest = Math.min(trialLength, maxLength);
  const tried = attacksOn(pattern).map((attack) => ({ attack, cost: trialCost(pattern, attack, longest) }));
  return tried
    .toSorted((one, other) => other.cost - one.cost)
    .slice(0, 3)
    .map(({ attack }) => attack);
}

/** What is too slow about an expression, if anything. */
function slowness(expression: Expression): string | undefined {
  const { pattern } = expression;
  const { length: maxLength = mebibyte } = bounded[nameOf(expression)] ?? {};
  for (const attack of worstAttacks(pattern, maxLength))
    for (const length of lengthsTo(maxLength)) {
      const text = textOf(attack, length);
      const ms = leastOf(() => cpuMsOf(() => apply(pattern, text)));
      if (ms > maxCpuMs) return `${nameOf(expression)}: ${ms} ms for ${length} characters of ${JSON.stringify(attack)}`;
    }
  return undefined;
}

describe('CA1: every regular expression in src, on 1 MiB of the worst text that a search finds for it', () => {
  test(`takes at most ${maxCpuMs} ms of processor time, or as little on the longest text that it can meet`, () => {
    assert.deepEqual(
      expressions.map(slowness).filter(Boolean),
      [],
      'mend it, or add the bound of its text to the list',
    );
  });

  test('the search finds what makes an expression slow', () => {
    const slow = [/"(?:[^"\\]|\\.)*"|[[\]{}]/gs, /^(a+)+$/, /\s+$/, /^[^@]*[^.]*@$/, /<a [^>]*>/, /:[ \t]*([^\0]*)$/];
    const missed = slow.filter((pattern) => slowness({ file: '', pattern }) === undefined);
    assert.deepEqual(missed, []);
  });

  test('none is put together while the program runs, where nobody can read it', () => {
    assert.deepEqual(computed, []);
  });

  test('the list of bounds names no expression that is gone', () => {
    const names = new Set(expressions.map(nameOf));
    assert.deepEqual(
      Object.keys(bounded).filter((name) => !names.has(name)),
      [],
    );
  });
});
