import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Context, Hono } from 'hono';
import { expositionOf, expositionType, type MetricFamily } from './exposition.ts';
import { RequestFault } from './problem.ts';
import { metricFamilies, type MetricsPorts } from './metrics.ts';

export interface StatusPorts extends MetricsPorts {
  readonly clock: { now(): number; monotonic(): number };
}

const loopResolutionMs = 10;
/** Whoever asks sooner gets the page that was made last. */
const pageEveryMs = 1000;

/** For machines that ask without a token: /livez (it runs), /readyz (it takes results), /healthz (it is well), /metrics. */
export function addStatus(app: Hono, ports: StatusPorts): void {
  const { health } = ports;
  app.get('/livez', (context) => context.json({ status: 'ok' }));
  app.get('/readyz', (context) => answer(context, health.isReady ? [] : ['results are not being kept']));
  app.get('/healthz', (context) => answer(context, health.report().problems, health.report().warnings));
  const page = metricsPage(ports);
  app.get('/metrics', (context) => context.body(page(), 200, { 'Content-Type': expositionType }));
  for (const path of ['/livez', '/readyz', '/healthz', '/metrics'])
    app.all(path, ({ req: { method } }) => {
      throw new RequestFault('method-not-allowed', `${path} takes GET, HEAD, got ${method}`, { Allow: 'GET, HEAD' });
    });
}

function answer(context: Context, problems: readonly string[], warnings: readonly string[] = []): Response {
  const isWell = problems.length === 0;
  return context.json({ status: isWell ? 'ok' : 'failing', problems, warnings }, isWell ? 200 : 503);
}

/** Made at most once a second, and the same bytes for all who ask meanwhile: they are not read as fast as they are asked for. */
function metricsPage(ports: StatusPorts): () => Uint8Array<ArrayBuffer> {
  const loopDelay = monitorEventLoopDelay({ resolution: loopResolutionMs });
  loopDelay.enable();
  let made: { readonly atMs: number; readonly bytes: Uint8Array<ArrayBuffer> } | undefined;
  return () => {
    const nowMs = ports.clock.monotonic();
    if (made && nowMs - made.atMs < pageEveryMs) return made.bytes;
    const families = [...metricFamilies(ports), lagFamily(loopDelay)];
    loopDelay.reset();
    made = { atMs: nowMs, bytes: new TextEncoder().encode(expositionOf(families)) };
    return made.bytes;
  };
}

/** A tick of the histogram is no lag. */
function lagFamily(delay: { percentile(percent: number): number }): MetricFamily {
  return {
    name: 'watchkeeper_event_loop_lag_seconds',
    type: 'gauge',
    help: 'How late timers of this server ran since this page was made before',
    samples: [50, 99, 99.9, 100].map((percentile) => ({
      labels: { percentile: String(percentile) },
      value: Math.max(0, delay.percentile(percentile) / 1e9 - loopResolutionMs / 1000),
    })),
  };
}
