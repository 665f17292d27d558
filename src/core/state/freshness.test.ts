import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freshForMs } from './freshness.ts';

test('C3.6: a voice is fresh for two intervals, one timeout, and the time in which an agent may reconnect', () => {
  assert.equal(freshForMs({ intervalMs: 60_000, timeoutMs: 5000 }), 155_000);
  assert.equal(freshForMs({ intervalMs: 1000, timeoutMs: 800 }), 32_800);
});
