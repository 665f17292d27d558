import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { mergeSummaries, summarize } from '../summary.ts';
import { packSummary, unpackSummary } from './summary-bytes.ts';

const start = 1_790_000_000_000;

test('a summary comes back to the microsecond', () => {
  const latencies = fc.array(fc.double({ min: 0, max: 60_000, noNaN: true }), { maxLength: 100 });
  fc.assert(
    fc.property(latencies, (each) => {
      const summary = summarize(start, [
        { status: 'down' },
        ...each.map((latencyMs) => ({ status: 'up', latencyMs }) as const),
      ]);
      const back = unpackSummary(start, packSummary(summary));
      assert.deepEqual([back.start, back.up, back.down, back.degraded, back.unknown], [start, each.length, 1, 0, 0]);
      assert.deepEqual(
        back.latency?.histogram ?? new Map(),
        new Map([...(summary.latency?.histogram ?? [])].toSorted(([a], [b]) => a - b)),
      );
      assert.equal(back.latency?.count, summary.latency?.count);
      for (const part of ['sumMs', 'minMs', 'maxMs'] as const)
        assert.ok(Math.abs((back.latency?.[part] ?? 0) - (summary.latency?.[part] ?? 0)) <= 0.0005001, part);
    }),
  );
});

test('SF19: latencies that nobody measured make no summary unreadable', () => {
  for (const latencyMs of [31_536_000_000, 8.64e15, Number.MAX_VALUE]) {
    const hour = summarize(
      start,
      Array.from({ length: 3600 }, () => ({ status: 'up', latencyMs })),
    );
    const day = mergeSummaries(
      start,
      Array.from({ length: 24 }, () => hour),
    );
    for (const summary of [hour, day]) {
      const { up, latency } = unpackSummary(start, packSummary(summary));
      assert.deepEqual([up, latency?.count], [summary.up, summary.up]);
      assert.ok((latency?.maxMs ?? 0) > 4e9);
    }
  }
});
