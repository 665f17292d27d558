import { systemClock as clock } from '../../core/clock.ts';
import type { Monitor, Result } from '../../core/monitor.ts';
import type { EgressPolicy } from '../../net/dial/egress.ts';
import { createNetwork } from '../../net/network.ts';
import { LagGuard } from '../../schedule/lag.ts';
import { runMonitor } from '../../schedule/runner.ts';
import { Scheduler } from '../../schedule/scheduler.ts';

/** Monitors at work for a person; `stop` ends it for good. */
export class Monitoring {
  readonly #lag = new LagGuard(clock);
  readonly #scheduler: Scheduler;

  constructor(policy: EgressPolicy, onResult: (result: Result) => void) {
    const parts = { clock, net: createNetwork({ clock, policy }), lag: this.#lag };
    this.#scheduler = new Scheduler({
      clock,
      runsSoon: true,
      onResult,
      run: (monitor, turn) => runMonitor(monitor, { ...parts, ...turn }),
    });
  }

  /** Makes the monitors that run the ones that are wanted. */
  watch(wanted: readonly Monitor[]): void {
    this.#scheduler.reconcile(wanted);
  }

  /** Ends everything within a second; says which monitors it still waits for. */
  async stop(onWaiting: (monitors: readonly Monitor[]) => void): Promise<void> {
    this.#lag.stop();
    await this.#scheduler.stop(onWaiting);
  }
}
