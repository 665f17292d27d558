import { fieldsOf, valueOfField, type Field } from './fields.ts';
import type { OptionsSchema } from './check.ts';
import type { JsonValue } from './outcome.ts';

/** Stands where a secret would. */
export const hidden = '***';

/** Shorter texts are not searched for in other texts: they stand in every second word. */
const shortestSought = 4;

const secretWords = /pass|secret|token|credential|api-?key|session|signature|authoriz|cookie|bearer|jwt|private/i;
/** As a whole word only: `keyboard` and `author` are harmless. */
const shortSecretWords = /(?:^|[^a-z])(?:key|auth|sig|sid|pwd|pw|pin|otp|hmac|code)(?:[^a-z]|$)/i;

/** Whether a header, a query parameter or a variable of this name commonly holds a secret. */
export function isSecretName(name: string): boolean {
  const words = name.replaceAll(/([a-z])([A-Z])/g, '$1-$2');
  return secretWords.test(words) || shortSecretWords.test(words);
}

/** Request headers that say nothing of who asks. */
const openHeaders: ReadonlySet<string> = new Set([
  'accept',
  'accept-encoding',
  'accept-language',
  'cache-control',
  'connection',
  'content-type',
  'host',
  'origin',
  'pragma',
  'user-agent',
]);

const credentials = /^([a-z][a-z\d+.-]*:\/\/)([^/?#@]*)@/i;
/** With the sign before it. */
const parameter = /[?&;#][^=&;#?]+=[^&;#]*/g;

/** A URL without its password, and without the values of parameters that are secret by name or hold one of `values`. */
export function maskUrl(url: string, values: readonly string[] = []): string {
  const forms = values.filter((value) => value !== '').flatMap(formsOf);
  return url
    .replace(credentials, (_, scheme: string, given: string) => {
      const [user, ...password] = given.split(':');
      return password.length === 0 ? `${scheme}${hidden}@` : `${scheme}${user}:${hidden}@`;
    })
    .replaceAll(parameter, (pair) => {
      const [name = '', ...rest] = pair.split('=');
      const value = rest.join('=');
      const isSecret = isSecretName(name) || forms.some((form) => isIn(value, form));
      return isSecret && value !== '' ? `${name}=${hidden}` : pair;
    });
}

function isIn(text: string, form: string): boolean {
  return text === form || (form.length >= shortestSought && text.includes(form));
}

/** The secrets of a URL: password, or user where there is none, and the values of parameters with a telling name. */
function secretsOfUrl(url: string): readonly string[] {
  const [, , given] = credentials.exec(url) ?? [];
  const [user = '', ...password] = given?.split(':') ?? [];
  const ofUser =
    given === undefined ? [] : password.length === 0 ? [user] : [password.join(':'), base64(decoded(given))];
  const ofQuery = [...url.matchAll(parameter)].flatMap(([pair]) => {
    const [name = '', ...value] = pair.split('=');
    return isSecretName(name) ? [value.join('=')] : [];
  });
  return [...ofUser, ...ofQuery].flatMap((text) => [text, decoded(text)]);
}

/** In a URL that is a secret the tokens are parts of its path: a provider may quote one alone. */
const shortestToken = 12;

function secretsOfSecretUrl(text: string): readonly string[] {
  const url = URL.parse(text);
  if (!url) return [text];
  const tokens = url.pathname.split('/').filter(({ length }) => length >= shortestToken);
  return [text, url.href, `${url.pathname}${url.search}`, ...tokens, ...secretsOfUrl(text)].filter(
    (part) => part !== '/',
  );
}

/** `Bearer x` holds the secret x, `a=1; b=2` those two, `Basic eDp5` also the password. */
function secretsOfHeader(value: string): readonly string[] {
  const [, rest] = /^[\w-]+ (\S.*)$/.exec(value) ?? [];
  const pairs = value.split(/[;,]\s*/).map((pair) => pair.slice(pair.indexOf('=') + 1).replaceAll('"', ''));
  const basic = /^basic /i.test(value)
    ? Buffer.from(rest ?? '', 'base64')
        .toString()
        .split(':')
        .slice(1)
    : [];
  return [value, ...(rest === undefined ? [] : [rest]), ...pairs, ...basic];
}

/** Every text in the options that their schema says is secret, or that is so by the name of its header or parameter. */
export function secretsIn(schema: OptionsSchema, options: Readonly<Record<string, unknown>>): readonly string[] {
  const found = secretFieldsOf(schema).flatMap((field) => {
    const value = valueOfField(options, field);
    if (field.isSecretUrl && typeof value === 'string') return secretsOfSecretUrl(value);
    if (typeof value === 'string') return field.secret && !isUrl(value) ? [value] : secretsOfUrl(value);
    if (field.secret && isRecord(value)) return secretsOfRecord(value);
    return [];
  });
  const { user, password } = isRecord(options['auth']) ? options['auth'] : {};
  if (typeof user === 'string' && typeof password === 'string') found.push(base64(`${user}:${password}`));
  return found;
}

function secretsOfRecord(record: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.entries(record).flatMap(([name, value]) =>
    typeof value === 'string' && !openHeaders.has(name.toLowerCase()) ? secretsOfHeader(value) : [],
  );
}

/** The options as they are shown to people and programs: each secret is `hidden`. `values` are secret wherever they stand. */
export function withoutSecrets(
  schema: OptionsSchema,
  options: Readonly<Record<string, JsonValue>>,
  values: readonly string[],
): Readonly<Record<string, JsonValue>> {
  const mask = new SecretMask(values);
  const shown = structuredClone(options) as Record<string, JsonValue>;
  for (const { path, secret, isSecretUrl } of secretFieldsOf(schema)) {
    const holder = path
      .slice(0, -1)
      .reduce<unknown>((value, step) => (isRecord(value) ? value[step] : undefined), shown);
    const name = path.at(-1) ?? '';
    // A copy of our own.
    if (isRecord(holder) && name in holder)
      (holder as Record<string, JsonValue>)[name] = isSecretUrl ? hidden : masked(holder[name], secret, values);
  }
  // Of a mapping a mapping is left.
  return mask.json(shown) as Readonly<Record<string, JsonValue>>;
}

function masked(value: unknown, isSecret: boolean, values: readonly string[]): JsonValue {
  if (typeof value === 'string') return isSecret && !isUrl(value) ? hidden : maskUrl(value, values);
  if (isSecret && isRecord(value))
    return Object.fromEntries(
      Object.entries(value).map(([name, inner]) => [
        name,
        openHeaders.has(name.toLowerCase()) ? String(inner) : hidden,
      ]),
    );
  return isSecret ? hidden : (value as JsonValue);
}

/** Replaces secrets in texts, also where they are written as in a URL or in JSON. */
export class SecretMask {
  readonly #forms: readonly string[];

  constructor(secrets: readonly string[]) {
    const sought = new Set(secrets.flatMap(formsOf).filter(({ length }) => length >= shortestSought));
    // The longest first: one may be a part of another.
    this.#forms = [...sought].toSorted((a, b) => b.length - a.length);
  }

  get isEmpty(): boolean {
    return this.#forms.length === 0;
  }

  text(text: string): string {
    let result = text;
    for (const form of this.#forms) if (result.includes(form)) result = result.replaceAll(form, hidden);
    return result;
  }

  /** The same value with every text in it masked, names of keys too. */
  json(value: JsonValue): JsonValue {
    if (this.isEmpty) return value;
    if (typeof value === 'string') return this.text(value);
    if (Array.isArray(value)) return value.map((item: JsonValue) => this.json(item));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [this.text(key), this.json(inner)]));
  }
}

/** A redirect may quote a URL that quotes a URL. */
const encodings = 3;

/** How a text may stand in another: as it is, escaped as in JSON, encoded as in a URL by different programs. */
function formsOf(text: string): readonly string[] {
  const forms = [text, JSON.stringify(text).slice(1, -1), URL.parse(`http://h/?${text}`)?.search.slice(1) ?? ''];
  for (let encoded = text.toWellFormed(), level = 0; level < encodings; level++) {
    encoded = encodeURIComponent(encoded);
    const lower = encoded.replaceAll(/%[\dA-F]{2}/g, (code) => code.toLowerCase());
    forms.push(encoded, lower, encoded.replaceAll('%20', '+'));
  }
  return forms;
}

const cachedFields = new WeakMap<OptionsSchema, readonly Field[]>();

/** The fields that may hold a secret: those that say so, and URLs. */
function secretFieldsOf(schema: OptionsSchema): readonly Field[] {
  let fields = cachedFields.get(schema);
  if (!fields) {
    fields = fieldsOf(schema).filter(({ secret, path }) => secret || path.at(-1) === 'url');
    cachedFields.set(schema, fields);
  }
  return fields;
}

function isUrl(text: string): boolean {
  return /^[a-z][a-z\d+.-]*:\/\//i.test(text);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Without what fills it up at the end, which is encoded in URLs. */
function base64(text: string): string {
  return Buffer.from(text)
    .toString('base64')
    .replace(/={1,2}$/, '');
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
