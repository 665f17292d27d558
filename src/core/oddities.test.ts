import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Measurement } from './check.ts';
import { Failure } from './failure.ts';
import { Oddities } from './oddities.ts';

test('oddities stand in the detail once each, twenty at most', () => {
  const measurement: Measurement = { metrics: {}, detail: {} };
  const oddities = new Oddities(measurement);
  oddities.assertNone({ strict: true });
  for (let number = 0; number < 30; number++) for (const _ of [1, 2]) oddities.note(`Oddity ${number}.`);
  assert.deepEqual(
    measurement.detail['oddities'],
    Array.from({ length: 20 }, (_, number) => `Oddity ${number}.`),
  );
});

test('only a strict check fails for an oddity', () => {
  const oddities = new Oddities({ detail: {} });
  oddities.note('It said too much.');
  oddities.assertNone({ strict: false });
  assert.throws(
    () => oddities.assertNone({ strict: true }),
    (error) => error instanceof Failure && error.reason === 'protocol' && error.message.startsWith('It said too much.'),
  );
});
