import { z } from 'zod';
import { formatDuration } from '../../core/duration.ts';
import { problemSchema, problemType, statusOfCode, type ProblemCode } from './problem.ts';
import type { Route } from './route.ts';

interface OpenApiOptions {
  readonly prefix: string;
  readonly version: string;
}

type JsonSchema = Readonly<Record<string, unknown>>;

const json = 'application/json';
const schemaPrefix = '#/components/schemas/';
const description = `What the server knows and does. A token is in the file api-token of its data folder.
Times are ISO 8601. A parameter that is not listed is refused.`;

/** The OpenAPI 3.1 description of these routes; its schemas are JSON Schema 2020-12, which is what Zod writes. */
export function openApiOf(routes: readonly Route[], { prefix, version }: OpenApiOptions): JsonSchema {
  const schemas: Record<string, unknown> = {};
  const schemaOf: SchemaOf = (schema, io) => referred(schema, { io, schemas });
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) (paths[route.path] ??= {})[route.method] = operationOf(route, schemaOf);
  const responses = Object.fromEntries(
    // The keys are those of the record.
    (Object.keys(statusOfCode) as ProblemCode[]).map((code) => [code, problemOf(code, schemaOf)]),
  );
  return {
    openapi: '3.1.1',
    info: { title: 'Watchkeeper', version, description, license: { name: 'MIT', identifier: 'MIT' } },
    servers: [{ url: prefix, description: 'This server' }],
    security: [{ token: [] }, { signIn: [] }],
    components: {
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'The token of the file api-token' },
        signIn: { type: 'apiKey', in: 'cookie', name: 'watchkeeper', description: 'Of a person who signed in' },
      },
      responses,
      schemas,
    },
    paths,
  };
}

type SchemaOf = (schema: z.ZodType, io: 'input' | 'output') => unknown;

function operationOf(route: Route, schemaOf: SchemaOf): JsonSchema {
  const { name, summary, params, query, response, mediaType = json } = route;
  const body = route.bodyDocument ?? route.body;
  const isCreated = 'locationOf' in route;
  return {
    operationId: name,
    summary,
    tags: [route.path.split('/')[1]],
    ...(route.allows === 'anybody' && { security: [] }),
    parameters: [...parametersOf(params, 'path', schemaOf), ...parametersOf(query, 'query', schemaOf)],
    ...(body && { requestBody: { required: true, content: { [json]: { schema: schemaOf(body, 'input') } } } }),
    responses: {
      [isCreated ? 201 : 200]: {
        description: isCreated ? 'It was made.' : 'Done.',
        ...(isCreated && { headers: { Location: { description: 'Where it is', schema: { type: 'string' } } } }),
        content: { [mediaType]: { schema: schemaOf(response, 'output') } },
      },
      ...problemsOf(route),
    },
  };
}

/** The problems that a route may answer with, by their status. */
function problemsOf(route: Route): JsonSchema {
  const { params, query, body, errors } = route;
  const hasInput = [params, query].some(({ shape }) => Object.keys(shape).length > 0) || body !== undefined;
  const codes: readonly ProblemCode[] = [
    ...(hasInput ? (['usage'] as const) : []),
    'unauthorized',
    'forbidden',
    ...(route.allows === 'anybody' ? (['too-many-requests'] as const) : []),
    ...(body ? (['too-large', 'unsupported-media-type'] as const) : []),
    ...errors,
    'internal',
  ];
  return Object.fromEntries(codes.map((code) => [statusOfCode[code], { $ref: `#/components/responses/${code}` }]));
}

function problemOf(code: ProblemCode, schemaOf: SchemaOf): JsonSchema {
  return {
    description: meanings[code],
    content: { [problemType]: { schema: schemaOf(problemSchema, 'output') } },
  };
}

const meanings: Readonly<Record<ProblemCode, string>> = {
  usage: 'The request is wrong; `detail` says where.',
  'invalid-config': 'The configuration is wrong; `detail` says where.',
  unauthorized: 'The token is missing or wrong.',
  forbidden: 'Whoever asks may not do this, or a foreign page asks.',
  'too-many-requests': 'Too many attempts; `Retry-After` says when the next may come.',
  'not-found': 'There is no such thing.',
  'method-not-allowed': 'The path takes other methods; `Allow` lists them.',
  conflict: 'It cannot be done as things stand: a name is taken, or it was done before.',
  'too-large': 'The body is larger than the server takes.',
  'unsupported-media-type': 'The body is not JSON.',
  internal: 'The server has a fault; its log says more.',
  unavailable: 'It cannot be done now and may succeed later.',
};

function parametersOf(schema: z.ZodObject, where: 'path' | 'query', schemaOf: SchemaOf): readonly unknown[] {
  // The shape of a ZodObject holds Zod types.
  return (Object.entries(schema.shape) as [string, z.ZodType][]).map(([name, field]) => ({
    name,
    in: where,
    required: where === 'path' || !field.safeParse(undefined).success,
    schema: schemaOf(field, 'input'),
  }));
}

interface Collection {
  readonly io: 'input' | 'output';
  /** Takes the named schemas that this one refers to. */
  readonly schemas: Record<string, unknown>;
}

/** A schema that refers to the named ones (`meta({ id })`) in the components of the document. */
function referred(schema: z.ZodType, { io, schemas }: Collection): unknown {
  const {
    $schema: _dialect,
    $defs = {},
    ...rest
  } = z.toJSONSchema(schema, { io, unrepresentable: 'any', override: publish });
  for (const [name, definition] of Object.entries($defs)) schemas[name] ??= withReferences(definition);
  return withReferences(rest);
}

/** Zod refers to named schemas inside the same schema. */
function withReferences(schema: unknown): unknown {
  return JSON.parse(JSON.stringify(schema).replaceAll('"$ref":"#/$defs/', `"$ref":"${schemaPrefix}`));
}

/** Leaves out what only our own code understands. */
function publish({ jsonSchema }: { readonly jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  if (jsonSchema['minimumMs'] !== undefined) describeDuration(jsonSchema);
  // Its pattern is a page long, and says no more than the format.
  if (jsonSchema.format === 'date-time' || jsonSchema.format === 'uuid') delete jsonSchema.pattern;
  if (jsonSchema.format !== undefined && !knownFormats.has(jsonSchema.format)) delete jsonSchema.format;
  for (const keyword of ownKeywords) delete jsonSchema[keyword];
}

/** Not `format: duration`, which in JSON Schema is the notation of ISO 8601. */
function describeDuration(schema: z.core.JSONSchema.BaseSchema): void {
  const { description: meaning, default: usual } = schema;
  delete schema.format;
  schema.description = `${meaning === undefined ? '' : `${meaning}: `}10s, 500ms, 5m, 2h, 1d; a bare number is seconds`;
  if (typeof usual === 'number') schema.default = formatDuration(usual);
}

const knownFormats: ReadonlySet<string> = new Set(['date-time', 'uuid', 'uri']);
const ownKeywords = ['$schema', 'id', 'secret', 'file', 'suggestions', 'minimumMs', 'maximumMs'] as const;
