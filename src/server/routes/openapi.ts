import { z } from 'zod';
import type { Route } from './route.ts';

interface OpenApiOptions {
  readonly prefix: string;
  readonly version: string;
}

const json = 'application/json';
const errorSchema = z.strictObject({ error: z.strictObject({ code: z.string(), message: z.string() }) });

/** The OpenAPI 3.1 description of these routes; its schemas are JSON Schema 2020-12, which is what Zod writes. */
export function openApiOf(
  routes: readonly Route[],
  { prefix, version }: OpenApiOptions,
): Readonly<Record<string, unknown>> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) (paths[prefix + route.path] ??= {})[route.method] = operationOf(route);
  return {
    openapi: '3.1.0',
    info: { title: 'Watchkeeper', version },
    security: [{ token: [] }],
    components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
    paths,
  };
}

function operationOf({
  summary,
  params,
  query,
  body,
  response,
  mediaType = json,
}: Route): Readonly<Record<string, unknown>> {
  return {
    summary,
    parameters: [...parametersOf(params, 'path'), ...parametersOf(query, 'query')],
    ...(body && { requestBody: { required: true, content: { [json]: { schema: schemaOf(body, 'input') } } } }),
    responses: {
      200: { description: 'done', content: { [mediaType]: { schema: schemaOf(response, 'output') } } },
      default: { description: 'what is wrong', content: { [json]: { schema: schemaOf(errorSchema, 'output') } } },
    },
  };
}

function parametersOf(schema: z.ZodObject, where: 'path' | 'query'): readonly unknown[] {
  return Object.entries(schema.shape).map(([name, field]) => ({
    name,
    in: where,
    required: where === 'path' || !z.safeParse(field as z.ZodType, undefined).success,
    schema: schemaOf(field as z.ZodType, 'input'),
  }));
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): unknown {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return rest;
}
