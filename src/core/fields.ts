import { z } from 'zod';
import type { OptionsSchema } from './check.ts';
import { formatDuration } from './duration.ts';

export type FieldKind = 'text' | 'number' | 'boolean' | 'choice' | 'duration' | 'list' | 'record' | 'structured';

/** One option of a schema as a person meets it: a flag of the command line, a question, a line of a form. */
export interface Field {
  /** `['tls', 'minVersion']`; at most two words. */
  readonly path: readonly string[];
  readonly kind: FieldKind;
  readonly description: string;
  readonly required: boolean;
  /** The value an absent option takes; durations in milliseconds. */
  readonly default?: unknown;
  /** Every value allowed, for a choice or the items of a list. */
  readonly choices?: readonly string[];
  /** Values worth offering where others are allowed too; `meta({ suggestions })`, because Zod drops `examples` behind a transform. */
  readonly suggestions?: readonly string[];
  /** Of a number, or of a duration in milliseconds. */
  readonly minimum?: number;
  readonly maximum?: number;
  /** Never shown or written to a terminal. */
  readonly secret: boolean;
  /** A URL that is a secret as a whole: who has it may use it. `meta({ secret: true, secretUrl: true })`. */
  readonly isSecretUrl: boolean;
  /** A text that people keep in a file: the command line takes the file's name. `meta({ file: true })`. */
  readonly isFile: boolean;
}

/** The part of JSON Schema that options use. */
interface FieldSchema {
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly (string | number)[];
  readonly const?: string | number | boolean;
  readonly anyOf?: readonly FieldSchema[];
  readonly items?: FieldSchema;
  readonly properties?: Readonly<Record<string, FieldSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | FieldSchema;
  readonly suggestions?: readonly (string | number)[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minimumMs?: number;
  readonly maximumMs?: number;
  readonly secret?: boolean;
  readonly secretUrl?: boolean;
  readonly file?: boolean;
}

/** Every option of a schema, in its order; the options of a nested object follow one by one. */
export function fieldsOf(schema: OptionsSchema): readonly Field[] {
  // Zod's own type is the whole of JSON Schema; what is read here is checked for presence.
  const { properties = {}, required = [] } = z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
  }) as FieldSchema;
  return Object.entries(properties).flatMap(([name, property]) => {
    // A default behind a transform is missing from the JSON Schema; parsing nothing gives it.
    const given: unknown = schema.shape[name]?.safeParse(undefined).data ?? property.default;
    if (!property.properties) return [fieldOf([name], property, { required: required.includes(name), given })];
    const { description: group } = property;
    return Object.entries(property.properties).map(([inner, innerProperty]) =>
      fieldOf([name, inner], within(group, innerProperty), {
        required: required.includes(name) && (property.required ?? []).includes(inner),
        given: isRecord(given) ? given[inner] : innerProperty.default,
      }),
    );
  });
}

/** Whether what stands there may hold a secret: in such a field, or where a group was expected that has one. */
export function mayBeSecret(fields: readonly Field[], place: readonly PropertyKey[]): boolean {
  if (place.length === 0) return false;
  return fields.some(
    ({ secret, path }) => secret && path.slice(0, place.length).every((step, index) => step === place[index]),
  );
}

/** A limit says little without the group it stands in: `What counts as down: loss`. */
function within(group: string | undefined, schema: FieldSchema): FieldSchema {
  return group === undefined ? schema : { ...schema, description: `${group}: ${schema.description ?? ''}` };
}

function fieldOf(
  path: readonly string[],
  schema: FieldSchema,
  { required, given }: { readonly required: boolean; readonly given: unknown },
): Field {
  const { description = '', suggestions, secret = false, secretUrl = false, file = false } = schema;
  const choices = choicesOf(schema) ?? (schema.items && choicesOf(schema.items));
  return {
    path,
    kind: kindOf(schema),
    description,
    required,
    secret,
    isSecretUrl: secretUrl,
    isFile: file,
    ...(given !== undefined && { default: given }),
    ...(choices && { choices }),
    ...(suggestions && { suggestions: suggestions.map(String) }),
    ...rangeOf(schema),
  };
}

function rangeOf(schema: FieldSchema): Pick<Field, 'minimum' | 'maximum'> {
  const { minimum = schema.minimumMs, maximum = schema.maximumMs } = schema;
  return { ...(minimum !== undefined && { minimum }), ...(maximum !== undefined && { maximum }) };
}

const kindOfType: Readonly<Record<string, FieldKind>> = {
  string: 'text',
  integer: 'number',
  number: 'number',
  boolean: 'boolean',
};

function kindOf(schema: FieldSchema): FieldKind {
  if (schema.format === 'duration') return 'duration';
  if (choicesOf(schema)) return 'choice';
  if (typeof schema.type !== 'string') return 'structured';
  if (schema.type === 'array' && isPlainText(schema.items)) return 'list';
  if (isRecord(schema.additionalProperties) && !schema.properties) return 'record';
  return kindOfType[schema.type] ?? 'structured';
}

/** Something that a text can stand for, among other spellings. */
function isPlainText(schema: FieldSchema | undefined): boolean {
  if (schema === undefined) return false;
  return ['text', 'choice', 'duration'].includes(kindOf(schema)) || schema.type?.includes('string') === true;
}

function choicesOf({ enum: values, const: only, anyOf }: FieldSchema): readonly string[] | undefined {
  if (values) return values.map(String);
  if (only !== undefined) return [String(only)];
  const each = anyOf?.map(choicesOf);
  return each?.every((choices) => choices !== undefined) ? each.flat() : undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value of a field in an options object. */
export function valueOfField(options: Readonly<Record<string, unknown>>, { path }: Field): unknown {
  return path.reduce<unknown>((value, word) => (isRecord(value) ? value[word] : undefined), options);
}

/** A parsed value as people write it: a duration is `10s` again. */
export function asWritten({ kind }: Field, value: unknown): unknown {
  return kind === 'duration' && typeof value === 'number' ? formatDuration(value) : value;
}
