import type { Clock } from '../../core/clock.ts';
import type { ServerEvent } from '../../core/event.ts';
import { errorCodes } from '../../protocol/messages.ts';
import type { AgentView } from '../fleet/fleet.ts';

interface HealthPorts {
  readonly clock: Clock;
  agents(): readonly AgentView[];
  /** The shortest interval of the tasks that should be running; undefined if there are none. */
  shortestIntervalMs(): number | undefined;
}

export interface HealthReport {
  readonly isWell: boolean;
  /** What is wrong, a sentence each. */
  readonly problems: readonly string[];
}

/** `connection`: it broke without a word. */
const faultCodes = [...errorCodes, 'connection'] as const;
type FaultCode = (typeof faultCodes)[number];

/** Results of the fastest task may be late by this much before the silence is told. */
const graceMs = 30_000;

/** Whether results flow: a server that is up and keeps nothing is not well. Also counts what flows, for /metrics. */
export class Health {
  readonly #ports: HealthPorts;
  readonly #startedMs: number;
  #lastResultMs: number | undefined;
  #storeFault: string | undefined;
  #upkeepFault: string | undefined;
  readonly counters = { results: 0, lateResults: 0, records: 0, alarms: 0, gaps: 0, refused: 0 };
  /** Connections that ended with a fault, by its code. */
  readonly faults = new Map<FaultCode, number>(faultCodes.map((code) => [code, 0]));

  constructor(ports: HealthPorts) {
    this.#ports = ports;
    this.#startedMs = ports.clock.monotonic();
  }

  note(event: ServerEvent): void {
    if (event.type === 'record') this.counters.records++;
    if (event.type === 'alarm') this.counters.alarms++;
    if (event.type === 'gap') this.counters.gaps += event.missing;
    if (event.type !== 'result') return;
    this.#lastResultMs = this.#ports.clock.monotonic();
    this.counters.results++;
    if (event.isLate) this.counters.lateResults++;
  }

  noteFault(code: FaultCode): void {
    this.faults.set(code, (this.faults.get(code) ?? 0) + 1);
  }

  /** What the store said when it last refused; undefined once it takes entries again. */
  noteStore(fault: string | undefined): void {
    this.#storeFault = fault;
  }

  /** Why the last round of upkeep failed; undefined if it did not: unnoticed for weeks, a disk fills. */
  noteUpkeep(fault: string | undefined): void {
    this.#upkeepFault = fault;
  }

  report(): HealthReport {
    const problems: string[] = [];
    if (this.#storeFault !== undefined) problems.push(`results are not being kept: ${this.#storeFault}`);
    if (this.#upkeepFault !== undefined) problems.push(`the store is not being tidied: ${this.#upkeepFault}`);
    const intervalMs = this.#ports.shortestIntervalMs();
    const silentMs = this.#ports.clock.monotonic() - (this.#lastResultMs ?? this.#startedMs);
    if (intervalMs !== undefined && silentMs > 2 * intervalMs + graceMs) {
      problems.push(`no result has come for ${Math.round(silentMs / 1000)} s`);
    }
    return { isWell: problems.length === 0, problems };
  }
}
