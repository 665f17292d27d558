import { readFile, stat } from 'node:fs/promises';
import { Option, type Command } from 'commander';
import type { CheckType } from '../../core/check.ts';
import { formatDuration } from '../../core/duration.ts';
import { AppError } from '../../core/errors.ts';
import { fieldsOf, mayBeSecret, valueOfField, type Field } from '../../core/fields.ts';
import { describeIssues } from '../../core/issues.ts';
import { quoted } from '../../core/quoted.ts';
import { readWritten, type SourceOf } from '../../core/scalars.ts';

type Given = Readonly<Record<string, unknown>>;

/** `--tls-min-version` for `tls.minVersion`. */
export function flagOf({ path }: Field): string {
  return `--${path.map((word) => word.replaceAll(/([A-Z])/g, '-$1').toLowerCase()).join('-')}`;
}

/** Gives a command one option for each field of the type's schema. */
export function addFieldOptions(command: Command, check: CheckType): void {
  for (const field of fieldsOf(check.options)) {
    command.addOption(optionOf(field));
    if (flagOf(field) === '--family')
      for (const family of families) command.option(`-${family}`, `the same as --family ${family}`);
  }
}

const families = ['4', '6'] as const;

/** As people know them from ping. */
const letters: Readonly<Record<string, string>> = {
  '--count': '-c, ',
  '--interval': '-i, ',
  '--wait': '-W, ',
  '--size': '-s, ',
  '--ttl': '-t, ',
  '--source': '-I, ',
};

function optionOf(field: Field): Option {
  const flag = switchOf(field);
  const placeholder = field.isFile ? ' <file>' : placeholders[field.kind];
  const option = new Option(`${letters[flag] ?? ''}${flag}${placeholder}`, descriptionOf(field));
  // Not .choices(): the schema judges, and says more of what it expected.
  option.argChoices = [...(field.choices ?? field.suggestions ?? [])];
  if (isRepeatable(field))
    option.argParser((text: string, before: readonly string[] | undefined) => [...(before ?? []), text]);
  return option;
}

/** A switch that is on by default is turned off, by `--no-…`. */
export function switchOf(field: Field): string {
  return isOnByDefault(field) ? flagOf(field).replace('--', '--no-') : flagOf(field);
}

function isOnByDefault(field: Field): boolean {
  return field.kind === 'boolean' && field.default === true;
}

const placeholders: Readonly<Record<Field['kind'], string>> = {
  text: ' <text>',
  number: ' <number>',
  boolean: '',
  choice: ' <word>',
  duration: ' <duration>',
  list: ' <text>',
  record: ' <key: value>',
  structured: ' <yaml>',
};

function isRepeatable({ kind }: Field): boolean {
  return kind === 'list' || kind === 'record';
}

function descriptionOf(field: Field): string {
  const shown = defaultOf(field);
  const remarks = [
    field.choices?.join(', '),
    field.suggestions && `${field.suggestions.join(', ')}, …`,
    isRepeatable(field) && 'repeatable',
    shown !== undefined && `default: ${shown}`,
  ].filter(Boolean);
  const meaning = isOnByDefault(field) ? notTo(field.description) : field.description;
  return remarks.length === 0 ? meaning : `${meaning} (${remarks.join(', ')})`;
}

/** `Require a good certificate` → `Do not require a good certificate`: a switch is described by its effect. */
function notTo(description: string): string {
  return `Do not ${description.charAt(0).toLowerCase()}${description.slice(1)}`;
}

/** The default as people write it; undefined if it need not be shown. */
export function defaultOf({ kind, default: value, secret }: Field): string | undefined {
  if (value === undefined || value === '' || secret || kind === 'boolean') return undefined;
  if (kind === 'duration' && typeof value === 'number') return formatDuration(value);
  const text = textOf(value);
  return text === '{}' || text === '' ? undefined : text;
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return Array.isArray(value) ? value.join(', ') : JSON.stringify(value);
}

interface Target {
  readonly text: string | undefined;
  readonly word: string;
}

/**
 * The type's options out of a target and what commander parsed.
 * @throws {AppError} usage, with every mistake
 */
export async function parseOptions(
  check: CheckType,
  target: Target,
  given: Given,
): Promise<Readonly<Record<string, unknown>>> {
  const options: Record<string, unknown> = target.text === undefined ? {} : check.fromTarget(target.text, target.word);
  const fields = fieldsOf(check.options);
  const sources = new Map<string, SourceOf>();
  for (const family of families) if (given[family] === true) options['family'] = family;
  for (const field of fields) {
    const value = given[attributeOf(field)];
    if (value !== undefined) put(options, field.path, await readValue(field, value, sources));
  }
  const { result } = readWritten(check.options, options, ([first, ...rest]) => sources.get(String(first))?.(rest));
  if (result.success) return result.data;
  assertComplete(fields, options, { check, target });
  const nameOf = (path: readonly PropertyKey[]): string => nameOfPath(fields, path, given);
  const isSecret = (path: readonly PropertyKey[]): boolean => mayBeSecret(fields, path);
  const mistakes = describeIssues(result.error, { input: options, nameOf, isSecret });
  throw new AppError('usage', `${mistakes.join('; ')}; see watchkeeper check ${target.word} --help`);
}

/** @throws {AppError} usage, when what the type needs was given neither as the target nor as an option */
function assertComplete(
  fields: readonly Field[],
  options: Given,
  { check, target }: { readonly check: CheckType; readonly target: Target },
): void {
  const missing = fields.filter((field) => field.required && valueOfField(options, field) === undefined);
  if (missing.length === 0) return;
  const usage = `watchkeeper check ${target.word} ${check.targetSyntax}`;
  if (target.text === undefined) throw new AppError('usage', `expected a target: ${usage}`);
  const names = missing.map(({ path }) => path.join('.')).join(' and ');
  throw new AppError('usage', `expected ${usage}, got ${quoted(target.text)}, which has no ${names}`);
}

function attributeOf({ path }: Field): string {
  return path.map((word, index) => (index === 0 ? word : word.charAt(0).toUpperCase() + word.slice(1))).join('');
}

/** The name of a mistaken value for messages: the flag if it was given as one, else its name among the options. */
function nameOfPath(fields: readonly Field[], path: readonly PropertyKey[], given: Given): string {
  const field = fields.find((candidate) => candidate.path.every((word, index) => word === path[index]));
  return field && given[attributeOf(field)] !== undefined ? flagOf(field) : path.map(String).join('.');
}

function put(options: Record<string, unknown>, [name = '', inner]: readonly string[], value: unknown): void {
  if (inner === undefined) options[name] = value;
  // A nested object only ever comes from here: targets give top-level options.
  else options[name] = { ...(options[name] as object | undefined), [inner]: value };
}

async function readValue(field: Field, value: unknown, sources: Map<string, SourceOf>): Promise<unknown> {
  if (field.isFile) return await readFileOption(field, String(value));
  if (field.kind === 'structured') return await readYaml(field, String(value), sources);
  // Commander collected the texts of a repeatable option.
  if (field.kind === 'record')
    return Object.fromEntries((value as readonly string[]).map((text) => pairOf(field, text)));
  return value;
}

function pairOf(field: Field, text: string): readonly [string, string] {
  const match = /^([^:=]+)[:=](.*)$/s.exec(text);
  if (!match) {
    const found = field.secret ? 'a text without a colon' : quoted(text);
    throw new AppError('usage', `${flagOf(field)}: expected key: value, got ${found}`);
  }
  return [(match[1] ?? '').trim(), (match[2] ?? '').trim()];
}

/** More than certificates and keys ever have. */
const maxFileBytes = 1024 * 1024;

/** The text of a file; a text in PEM form stands for itself. */
async function readFileOption(field: Field, value: string): Promise<string> {
  if (value.includes('-----BEGIN ')) return value;
  try {
    const { size } = await stat(value);
    if (size > maxFileBytes) throw new Error(`it has ${size} bytes, at most ${maxFileBytes} are read`);
    return await readFile(value, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'there is no such file' : message;
    throw new AppError('usage', `${flagOf(field)}: ${quoted(value)} cannot be read: ${why}`, { cause: error });
  }
}

async function readYaml(field: Field, text: string, sources: Map<string, SourceOf>): Promise<unknown> {
  // Loaded here because few runs need it and every run has 300 ms from start to exit.
  const { ConfigDocument } = await import('../../config/document.ts');
  const document = new ConfigDocument(text);
  const data = document.read();
  const [mistake] = document.mistakes;
  if (mistake) throw new AppError('usage', `${flagOf(field)}: ${mistake.message}, got ${quoted(text)}`);
  // The fields that take YAML are options of their own, not inside a group.
  sources.set(field.path[0] ?? '', document.sourceOf);
  return data;
}
