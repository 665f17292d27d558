import { findCheckType } from '../../checks/registry.ts';
import { defaultTimeoutOf, type CheckType } from '../../core/check.ts';
import { parseDuration, type Milliseconds } from '../../core/duration.ts';
import { AppError } from '../../core/errors.ts';
import { fieldsOf, mayBeSecret, type Field } from '../../core/fields.ts';
import { describeIssues } from '../../core/issues.ts';
import { quoted } from '../../core/quoted.ts';
import { readWritten } from '../../core/scalars.ts';
import { defaultIntervalMs, maxIntervalMs, minIntervalMs, type Monitor } from '../../core/monitor.ts';
import type { Prompt } from '../../terminal/prompt.ts';
import { adHocMonitor } from '../check/ad-hoc-monitor.ts';
import { defaultOf } from '../check/check-options.ts';

/** What a question takes: the value of a good answer, or why it is not one. */
type Reading<Value> = { readonly value: Value } | { readonly mistake: string };

interface Question<Value> {
  readonly label: string;
  /** What just Enter means. */
  readonly default?: string | undefined;
  /** Shown, and completed by Tab. */
  readonly words?: readonly string[];
  /** Answers other than those words may be good too. */
  readonly isOpen?: boolean;
  read(answer: string): Reading<Value>;
}

/** Thrown when the input ends before the last answer. */
export class InputEnded extends Error {
  override readonly name = 'InputEnded';
}

/** Thrown out of a question that was answered with `exit`. */
export class ExitAsked extends Error {
  override readonly name = 'ExitAsked';
}

const maxTimeoutMs = 300_000;
/** What the older tool called an answer that is not in its list. */
const byHand = 'manual';

/** People say icmp and mean one of two check types. */
const kindsOfIcmp = ['ping', 'traceroute'] as const;

/** Asks for everything that a monitor of this type needs. Undefined, with the reason printed, if the answers do not fit together. */
export async function askMonitor(prompt: Prompt, word: string, named: CheckType): Promise<Monitor | undefined> {
  const options = await askOptions(prompt, word, named);
  const check = word === 'icmp' ? await askKindOfIcmp(prompt, named) : named;
  const askedMs = check.asksTimeout ? await askTimeout(prompt, check) : undefined;
  const intervalMs = await ask(prompt, {
    label: 'Interval in seconds',
    default: String(defaultIntervalMs / 1000),
    read: (answer) => readDuration(answer, { minMs: minIntervalMs, maxMs: maxIntervalMs }),
  });
  const { result: parsed } = readWritten(check.options, options);
  if (parsed.success) {
    const timeoutMs = askedMs ?? defaultTimeoutOf(check, parsed.data, intervalMs);
    return adHocMonitor(check, parsed.data, { intervalMs, timeoutMs });
  }
  const fields = fieldsOf(check.options);
  const mistakes = describeIssues(parsed.error, {
    input: options,
    nameOf: (path) => path.join('.'),
    isSecret: (path) => mayBeSecret(fields, path),
  });
  prompt.print(`These answers do not fit together: ${mistakes.join('; ')}`);
  return undefined;
}

async function askOptions(prompt: Prompt, word: string, check: CheckType): Promise<Record<string, unknown>> {
  const options: Record<string, unknown> = {};
  const fields = fieldsOf(check.options);
  for (const name of check.asks) {
    const field = fields.find(({ path }) => path.length === 1 && path[0] === name);
    if (!field) continue;
    Object.assign(options, await ask(prompt, questionOf(field, word, check)));
  }
  return options;
}

function questionOf(field: Field, word: string, check: CheckType): Question<Record<string, unknown>> {
  const [name = ''] = field.path;
  // A type that asks for one thing asks for its target, in every spelling that a target has.
  const isTarget = check.asks.length === 1;
  return {
    label: field.description,
    default: defaultOf(field),
    words: field.choices ?? field.suggestions ?? [],
    isOpen: field.choices === undefined,
    read(answer) {
      if (answer === '' && !field.required) return { value: {} };
      const given = isTarget ? readTarget(check, answer, word) : { value: { [name]: valueOf(field, answer) } };
      const mistakes = 'value' in given ? mistakesIn(check, given.value) : [given.mistake];
      return 'value' in given && mistakes.length === 0 ? given : { mistake: mistakes.join('; ') };
    },
  };
}

function readTarget(check: CheckType, answer: string, word: string): Reading<Record<string, unknown>> {
  try {
    return { value: check.fromTarget(answer, word) };
  } catch (error) {
    if (error instanceof AppError) return { mistake: error.message };
    throw error;
  }
}

function valueOf(field: Field, answer: string): unknown {
  if (field.kind === 'list') return answer.split(/[\s,]+/);
  return answer;
}

/** What the schema says of the options given so far; what is still to come is no mistake. */
function mistakesIn(check: CheckType, given: Record<string, unknown>): readonly string[] {
  const fields = fieldsOf(check.options);
  return Object.entries(given).flatMap(([name, value]) => {
    const field = check.options.shape[name];
    const { error } = field ? readWritten(field, value).result : {};
    if (!error) return [];
    const isSecret = (path: readonly PropertyKey[]): boolean => mayBeSecret(fields, [name, ...path]);
    return describeIssues(error, { input: value, nameOf: (path) => path.join('.'), isSecret });
  });
}

async function askKindOfIcmp(prompt: Prompt, icmp: CheckType): Promise<CheckType> {
  const kind = await ask(prompt, {
    label: 'Kind',
    default: kindsOfIcmp[0],
    words: kindsOfIcmp,
    read(answer) {
      const value = kindsOfIcmp.find((known) => known === answer.toLowerCase());
      return value ? { value } : { mistake: `expected ${kindsOfIcmp.join(' or ')}, got ${quoted(answer)}` };
    },
  });
  return (kind === 'traceroute' && findCheckType('traceroute')) || icmp;
}

/** Undefined for just Enter: then the interval has a say too. */
async function askTimeout(prompt: Prompt, { defaultTimeoutMs }: CheckType): Promise<Milliseconds | undefined> {
  const askedMs = await ask(prompt, {
    label: 'Timeout in seconds',
    default: String(defaultTimeoutMs / 1000),
    read: (answer) => readDuration(answer, { minMs: 1, maxMs: maxTimeoutMs }),
  });
  return askedMs === defaultTimeoutMs ? undefined : askedMs;
}

function readDuration(
  answer: string,
  { minMs, maxMs }: { readonly minMs: number; readonly maxMs: number },
): Reading<Milliseconds> {
  const value = parseDuration(answer);
  if (value !== undefined && value >= minMs && value <= maxMs) return { value };
  const range = `from ${minMs / 1000} to ${maxMs / 1000}`;
  return { mistake: `expected seconds ${range}, like 10 or 1.5 or 2m, got ${quoted(answer)}` };
}

function isByHand(answer: string, { words = [], isOpen = false }: Question<unknown>): boolean {
  return isOpen && words.length > 0 && answer.toLowerCase() === byHand;
}

/** Asks until the answer is good. */
async function ask<Value>(prompt: Prompt, question: Question<Value>): Promise<Value> {
  const { label, default: fallback, words = [] } = question;
  const offered = words.length === 0 ? '' : ` (${words.join(', ')}${question.isOpen ? ', …' : ''})`;
  const text = `  ${label}${offered}${fallback === undefined ? '' : ` [${fallback}]`}: `;
  for (;;) {
    const line = await prompt.ask(text, words);
    if (line === undefined) throw new InputEnded('The input ended before the last answer.');
    const answer = line.trim();
    if (answer.toLowerCase() === 'exit') throw new ExitAsked('The person wants to leave.');
    const reading = isByHand(answer, question)
      ? { mistake: 'type the one that you want' }
      : question.read(answer || (fallback ?? ''));
    if ('value' in reading) return reading.value;
    prompt.print(`  ${reading.mistake}`);
  }
}

/** A yes-or-no question; just Enter is no. */
export function askYes(prompt: Prompt, label: string): Promise<boolean> {
  return ask(prompt, {
    label,
    default: 'no',
    words: ['yes', 'no'],
    read(answer) {
      if (/^y(es)?$/i.test(answer)) return { value: true };
      return /^no?$/i.test(answer) ? { value: false } : { mistake: `expected yes or no, got ${quoted(answer)}` };
    },
  });
}
