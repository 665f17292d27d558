import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { z } from 'zod';
import { duration } from './duration.ts';
import { asWritten, fieldsOf, valueOfField, type Field } from './fields.ts';

const schema = z.strictObject({
  host: z.string().meta({ description: 'Where to' }),
  port: z.coerce.number().int().min(1).max(65_535).default(80),
  family: z.enum(['auto', '4', '6']).default('auto'),
  wait: duration({ min: 1, max: 60_000 }).default(1500),
  record: z
    .string()
    .transform((text) => text.toUpperCase())
    .default('A')
    .meta({ suggestions: ['A', 'MX'] }),
  password: z.string().optional().meta({ secret: true }),
  verbose: z.boolean().default(false),
  contains: z.array(z.string()).default([]),
  statuses: z.array(z.union([z.number(), z.string()])).default(['200']),
  headers: z.record(z.string(), z.string()).default({}),
  steps: z.array(z.strictObject({ send: z.string() })).default([]),
  limit: z.union([z.literal('none'), z.number()]).optional(),
  tls: z
    .strictObject({ minVersion: z.enum(['TLSv1.2', 'TLSv1.3']).default('TLSv1.2') })
    .prefault({})
    .meta({ description: 'TLS' }),
});

function field(...path: readonly string[]): Field {
  const found = fieldsOf(schema).find((candidate) => candidate.path.join('.') === path.join('.'));
  assert.ok(found, `a field ${path.join('.')}`);
  return found;
}

describe('the fields of a schema', () => {
  test('come in its order, those of a nested object one by one', () => {
    const paths = fieldsOf(schema).map(({ path }) => path.join('.'));
    assert.deepEqual(paths, [...Object.keys(schema.shape).slice(0, -1), 'tls.minVersion']);
  });

  const kinds: Readonly<Record<string, Field['kind']>> = {
    host: 'text',
    port: 'number',
    family: 'choice',
    wait: 'duration',
    record: 'text',
    verbose: 'boolean',
    contains: 'list',
    statuses: 'list',
    headers: 'record',
    steps: 'structured',
    limit: 'structured',
  };
  for (const [name, kind] of Object.entries(kinds)) {
    test(`${name} is ${kind}`, () => assert.equal(field(name).kind, kind));
  }

  test('have their defaults, behind a transform too', () => {
    assert.equal(field('port').default, 80);
    assert.equal(field('wait').default, 1500);
    assert.equal(field('record').default, 'A');
    assert.equal(field('tls', 'minVersion').default, 'TLSv1.2');
    assert.equal('default' in field('host'), false);
  });

  test('say what they take and what they mean', () => {
    assert.equal(field('host').required, true);
    assert.equal(field('port').required, false);
    assert.deepEqual(field('record').suggestions, ['A', 'MX']);
    assert.deepEqual([field('port').minimum, field('port').maximum], [1, 65_535]);
    assert.deepEqual(new Set(field('family').choices), new Set(['auto', '4', '6']));
    assert.equal(field('password').secret, true);
    assert.match(field('tls', 'minVersion').description, /^TLS: /);
  });

  test('find their value in options, and write it as people do', () => {
    const options = schema.parse({ host: 'a', wait: '2s' });
    assert.equal(valueOfField(options, field('tls', 'minVersion')), 'TLSv1.2');
    assert.equal(asWritten(field('wait'), valueOfField(options, field('wait'))), '2s');
    assert.equal(asWritten(field('port'), 80), 80);
  });
});
