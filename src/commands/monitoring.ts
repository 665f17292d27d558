import { systemClock as clock } from '../core/clock.ts';
import type { Monitor, Result } from '../core/monitor.ts';
import { createNetwork } from '../net/network.ts';
import { LagGuard } from '../schedule/lag.ts';
import { runMonitor } from '../schedule/runner.ts';
import { Scheduler } from '../schedule/scheduler.ts';

/**
 * Runs monitors for a person who waits for the first line: each one once at once, and from then on in its slots. `stop`
 * ends it for good.
 */
export class Monitoring {
  readonly #net = createNetwork({ clock });
  readonly #lag = new LagGuard(clock);
  readonly #scheduler: Scheduler;
  readonly #onResult: (result: Result) => void;
  /** Monitors whose first run is under way; the schedule takes them when it has ended. */
  readonly #first = new Map<string, AbortController>();
  #scheduled: readonly Monitor[] = [];

  constructor(onResult: (result: Result) => void) {
    this.#onResult = onResult;
    this.#scheduler = new Scheduler({
      clock,
      onResult,
      run: (monitor, turn) => runMonitor(monitor, { clock, net: this.#net, lag: this.#lag, ...turn }),
    });
  }

  /** Makes the monitors that run the ones that are wanted. */
  watch(wanted: readonly Monitor[]): void {
    const ids = new Set(wanted.map(({ id }) => id));
    for (const [id, controller] of this.#first) {
      if (ids.has(id)) continue;
      this.#first.delete(id);
      controller.abort(new DOMException('The monitor was removed.', 'AbortError'));
    }
    const known = new Set([...this.#first.keys(), ...this.#scheduled.map(({ id }) => id)]);
    this.#schedule(this.#scheduled.filter(({ id }) => ids.has(id)));
    for (const monitor of wanted) if (!known.has(monitor.id)) void this.#runFirst(monitor);
  }

  /** Ends everything within a second; says which monitors it still waits for. */
  async stop(onWaiting: (monitors: readonly Monitor[]) => void): Promise<void> {
    this.watch([]);
    this.#lag.stop();
    await this.#scheduler.stop(onWaiting);
  }

  async #runFirst(monitor: Monitor): Promise<void> {
    const controller = new AbortController();
    this.#first.set(monitor.id, controller);
    const result = await runMonitor(monitor, { clock, net: this.#net, lag: this.#lag, controller });
    // Removed meanwhile: nobody wants to hear of it any more.
    if (!this.#first.delete(monitor.id)) return;
    this.#onResult(result);
    this.#schedule([...this.#scheduled, monitor]);
  }

  #schedule(monitors: readonly Monitor[]): void {
    this.#scheduled = monitors;
    this.#scheduler.reconcile(monitors);
  }
}
