import type { Result } from '../core/monitor.ts';

/** One result as one line of JSON. Every key is always there, `null` where there is nothing to say, so that scripts need no guards. */
export function formatResultJson(result: Result): string {
  return JSON.stringify({
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
  });
}
