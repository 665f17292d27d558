import type { Milliseconds } from '../../core/duration.ts';
import { formatDuration } from '../../core/duration.ts';
import type { MonitorSpec } from '../../core/monitor-spec.ts';
import type { WantedTask } from '../fleet/task-table.ts';

/** What is asked to tell which tasks bring no results. Times are those of the monotonic clock. */
export interface SilencePorts {
  readonly clock: { monotonic(): number };
  wanted(): readonly WantedTask[];
  /** Monitors that no known agent runs. */
  withoutAgent(): readonly MonitorSpec[];
  /** When the newest result of a task was measured; undefined if there is none. */
  measuredMs(taskId: string): number | undefined;
  agentName(agentId: string): string;
}

/** A result may be late by this much beside two intervals. */
const graceMs = 30_000;
/** The longest silences that are told by name. */
const maxNamed = 5;
/** One silent task in a hundred does not make a server unwell; nor does one alone among others. */
const toleratedShare = 0.01;

/** So long without a result and a task of this interval is silent. */
export function silenceLimitMs(intervalMs: Milliseconds): Milliseconds {
  return 2 * intervalMs + graceMs;
}

interface SilentTask {
  readonly what: string;
  readonly silentMs: Milliseconds;
}

/** Which tasks should bring results and do not. */
export class Silence {
  readonly #ports: SilencePorts;
  /** Since when a monitor has no agent to run it. */
  #idle: ReadonlyMap<string, number> = new Map();

  constructor(ports: SilencePorts) {
    this.#ports = ports;
  }

  /** Whether the task's newest result says something of its target now, and not only of a time before a pause, a restart or a cut. */
  isCurrent({ task }: WantedTask): boolean {
    return this.#silentMs(task.id, -Infinity) <= silenceLimitMs(task.intervalMs);
  }

  /** Whether the task should have brought a result by now, and has not. */
  isSilent({ task, sinceMs }: WantedTask): boolean {
    return !task.paused && this.#silentMs(task.id, sinceMs) > silenceLimitMs(task.intervalMs);
  }

  /** Undefined if few enough tasks are silent. */
  problem(): string | undefined {
    const { wanted, silent } = this.#count();
    const isTolerated = silent.length <= Math.max(1, wanted * toleratedShare) && silent.length < wanted;
    if (silent.length === 0 || isTolerated) return undefined;
    const named = silent.toSorted((a, b) => b.silentMs - a.silentMs).slice(0, maxNamed);
    const more = silent.length > maxNamed ? ` and ${silent.length - maxNamed} more` : '';
    const list = named.map(({ what, silentMs }) => `${what} for ${formatDuration(wholeSeconds(silentMs))}`).join(', ');
    return `${silent.length} of ${wanted} wanted tasks bring no results: ${list}${more}`;
  }

  #count(): { readonly wanted: number; readonly silent: readonly SilentTask[] } {
    const nowMs = this.#ports.clock.monotonic();
    const tasks = this.#ports.wanted().filter(({ task }) => !task.paused);
    const silentTasks = tasks
      .filter((wanted) => this.isSilent(wanted))
      .map(({ task, sinceMs }) => ({
        what: `${task.monitorName} on ${this.#ports.agentName(task.agentId)}`,
        silentMs: this.#silentMs(task.id, sinceMs),
      }));
    const idle = this.#ports.withoutAgent().filter(({ paused }) => !paused);
    this.#idle = new Map(idle.map(({ id }) => [id, this.#idle.get(id) ?? nowMs]));
    const silentMonitors = idle
      .map(({ id, name, intervalMs }) => ({
        what: `${name}, which no agent runs,`,
        silentMs: nowMs - (this.#idle.get(id) ?? nowMs),
        intervalMs,
      }))
      .filter(({ silentMs, intervalMs }) => silentMs > silenceLimitMs(intervalMs));
    return { wanted: tasks.length + idle.length, silent: [...silentTasks, ...silentMonitors] };
  }

  #silentMs(taskId: string, sinceMs: number): Milliseconds {
    return this.#ports.clock.monotonic() - Math.max(sinceMs, this.#ports.measuredMs(taskId) ?? -Infinity);
  }
}

function wholeSeconds(durationMs: Milliseconds): Milliseconds {
  return Math.round(durationMs / 1000) * 1000;
}
