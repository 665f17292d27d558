import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ResultItem } from '../../../core/entry.ts';
import { AppError } from '../../../core/errors.ts';
import { packChunk, unpackChunk } from './chunk.ts';
import { itemOf, runOf, type Run } from './run.ts';

const origin = { agentId: 'a', taskId: 't', monitorId: 'm' };
const hour = 1_790_000_000_000;

function result(index: number, fields: Partial<ResultItem> = {}): ResultItem {
  return {
    kind: 'result',
    taskId: 't',
    monitorId: 'm',
    scheduledAt: hour + index * 10_000,
    startedAt: hour + index * 10_000 + 1,
    durationMs: 13,
    status: 'up',
    latencyMs: 12,
    metrics: { connectMs: 12 },
    detail: { address: '192.0.2.1' },
    message: 'Port 80 is open.',
    ...fields,
  };
}

function throughChunk(items: readonly ResultItem[]): ResultItem[] {
  return unpackChunk(packChunk(items.map((item) => runOf(item)))).map((run) => itemOf(run, origin));
}

test('whole numbers, times, statuses, reasons, messages and details come back as they were', () => {
  const items = [
    result(0),
    result(1, { status: 'down', reason: 'refused', source: 'target', message: 'Expected …, got “ECONNREFUSED”.' }),
    result(2, { startedAt: hour + 60_000, metrics: {}, detail: { hops: [{ ttl: 1 }, null, 'ü'] } }),
    result(2),
    result(900, { metrics: { hops: 3, 'metrics.odd': -7, latencyMs: 99 } }),
  ];
  const { latencyMs: _, ...withoutLatency } = result(901);
  assert.deepEqual(throughChunk([...items, withoutLatency]), [...items, withoutLatency]);
});

test('fractions come back within 1 % of the median, and round', () => {
  const latencies = [12.3456, 11.98, 14.0201, 250.777, 0.4];
  const back = throughChunk(latencies.map((latencyMs, index) => result(index, { latencyMs })));
  assert.deepEqual(
    back.map(({ latencyMs }) => latencyMs),
    [12.4, 12, 14, 250.8, 0.4],
  );
});

test('no fraction is off by more than 1 % of the median', () => {
  const numbers = fc.array(fc.double({ min: 0, max: 1e5, noNaN: true }), { minLength: 1, maxLength: 50 });
  fc.assert(
    fc.property(numbers, (latencies) => {
      const once = throughChunk(latencies.map((latencyMs, index) => result(index, { latencyMs })));
      const middle = latencies.toSorted((a, b) => a - b)[Math.floor(latencies.length / 2)] ?? 0;
      const smallest = Math.min(...latencies.filter((latency) => latency > 0));
      for (const [index, latencyMs] of latencies.entries()) {
        const error = Math.abs((once[index]?.latencyMs ?? 0) - latencyMs);
        assert.ok(error <= 0.01001 * (middle || smallest) + 1e-9, `${latencyMs} became ${once[index]?.latencyMs}`);
      }
    }),
  );
});

test('any finite number survives, however large or small', () => {
  const values = [Number.MAX_VALUE, -Number.MAX_VALUE, Number.MIN_VALUE, 0, 2 ** 53, 1.5];
  const back = throughChunk(values.map((value, index) => result(index, { metrics: { value } })));
  assert.deepEqual(
    back.map(({ metrics }) => metrics['value']),
    values,
  );
});

test('damaged bytes are an error, never other results', () => {
  const runs = [runOf(result(0)), runOf(result(1, { status: 'down', message: 'other' }))];
  const chunk = packChunk(runs);
  for (let index = 0; index < chunk.length; index++) {
    const damaged = Buffer.from(chunk);
    damaged[index] = (damaged[index] ?? 0) ^ 0x10;
    assert.deepEqual(unpackedOrError(damaged, runs), runs, `byte ${index}`);
  }
  assert.throws(() => unpackChunk(chunk.subarray(0, -1)), AppError);
});

/** What the bytes hold, or `expected` if they are refused: a bit of the frame's header may mean nothing. */
function unpackedOrError(chunk: Buffer, expected: readonly Run[]): readonly Run[] {
  try {
    return unpackChunk(chunk);
  } catch (error) {
    assert.ok(error instanceof AppError, String(error));
    return expected;
  }
}
