import type { Result } from '../core/monitor.ts';
import type { JsonObject } from '../core/outcome.ts';

/** One result as one line of JSON. Every key is always there, `null` where there is nothing to say, so that scripts need no guards; `more` comes first. */
export function formatResultJson(result: Result, more: JsonObject = {}): string {
  const line = {
    ...more,
    type: result.monitor.type,
    target: result.monitor.target,
    status: result.status,
    latencyMs: result.latencyMs ?? null,
    metrics: result.metrics,
    detail: result.detail,
    reason: result.reason ?? null,
    source: result.source ?? null,
    message: result.message,
    startedAt: new Date(result.startedAt).toISOString(),
    durationMs: result.durationMs,
  };
  return JSON.stringify(line, (_key, value: unknown) => (typeof value === 'number' ? toNanoseconds(value) : value));
}

/** Milliseconds without the digits that only floating point gave them. */
function toNanoseconds(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}
