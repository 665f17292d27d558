import { monitorEventLoopDelay } from 'node:perf_hooks';

/** Measures how late the timers of this process run, in ticks of `resolutionMs`. */
export function loopDelay(resolutionMs: number) {
  const histogram = monitorEventLoopDelay({ resolution: resolutionMs });
  return {
    enable: (): void => void histogram.enable(),
    disable: (): void => void histogram.disable(),
    reset: (): void => histogram.reset(),
    get maxMs(): number {
      return histogram.max / 1e6;
    },
  };
}
