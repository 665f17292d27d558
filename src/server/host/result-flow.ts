import type { ServerEvent } from '../../core/event.ts';
import { formatDuration } from '../../core/duration.ts';
import type { WantedTask } from '../fleet/task-table.ts';
import { silenceLimitMs } from './silence.ts';

interface FlowPorts {
  readonly clock: { monotonic(): number };
  wanted(): readonly WantedTask[];
}

/** Whether results come at all: one agent that is away is no matter of the server's, and that nothing comes is. */
export class ResultFlow {
  readonly #ports: FlowPorts;
  #lastMs: number;

  constructor(ports: FlowPorts) {
    this.#ports = ports;
    this.#lastMs = ports.clock.monotonic();
  }

  note(event: ServerEvent): void {
    if (event.type === 'result') this.#lastMs = this.#ports.clock.monotonic();
  }

  /** Undefined while results come, or none are wanted. */
  problem(): string | undefined {
    const silentMs = this.#ports.clock.monotonic() - this.#lastMs;
    const limits = this.#ports.wanted().flatMap(({ task, sinceMs }) => (task.paused ? [] : [{ task, sinceMs }]));
    if (limits.length === 0) return undefined;
    const limitMs = limits.reduce((least, { task }) => Math.min(least, silenceLimitMs(task.intervalMs)), Infinity);
    const newestMs = limits.reduce((newest, { sinceMs }) => Math.min(newest, sinceMs), Infinity);
    const wantedForMs = this.#ports.clock.monotonic() - newestMs;
    if (Math.min(silentMs, wantedForMs) <= limitMs) return undefined;
    return `no result has come for ${formatDuration(Math.round(silentMs / 1000) * 1000)}`;
  }
}
