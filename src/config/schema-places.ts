import { z } from 'zod';
import type { Path } from './mistake.ts';

/** The part of JSON Schema that the schemas of a configuration use. */
export interface PlaceSchema {
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly items?: PlaceSchema;
  readonly properties?: Readonly<Record<string, PlaceSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | PlaceSchema;
  readonly anyOf?: readonly PlaceSchema[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minimumMs?: number;
  readonly maximumMs?: number;
  readonly secret?: boolean;
  /** As a person would write the key: `interval: 30s`. */
  readonly example?: string;
}

const made = new WeakMap<z.ZodType, PlaceSchema>();

/** What people may write, as JSON Schema; worked out once a schema. */
export function writtenSchemaOf(schema: z.ZodType): PlaceSchema {
  let written = made.get(schema);
  if (!written) {
    // Zod's own type is the whole of JSON Schema; what is read here is checked for presence.
    written = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as PlaceSchema;
    made.set(schema, written);
  }
  return written;
}

/** The schema of a value inside; undefined where there is none. */
export function schemaAt(schema: PlaceSchema | undefined, [step, ...rest]: Path): PlaceSchema | undefined {
  if (step === undefined || !schema) return schema;
  if (typeof step === 'number') return schemaAt(schema.items, rest);
  const { properties, additionalProperties } = schema;
  const other = typeof additionalProperties === 'object' ? additionalProperties : undefined;
  return schemaAt(properties?.[step] ?? other, rest);
}

/** Whether a secret may stand there: in a field for one, or in the place of a group that has one. */
export function mayHoldSecret(schema: PlaceSchema | undefined): boolean {
  if (!schema) return false;
  if (schema.secret === true) return true;
  return [...Object.values(schema.properties ?? {}), ...(schema.items ? [schema.items] : [])].some(mayHoldSecret);
}
