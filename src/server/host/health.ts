import type { Clock } from '../../core/clock.ts';
import { AppError } from '../../core/errors.ts';
import type { ServerEvent } from '../../core/event.ts';
import { errorCodes } from '../../protocol/messages.ts';
import { Silence, type SilencePorts } from './silence.ts';

interface HealthPorts extends SilencePorts {
  readonly clock: Clock;
}

export interface HealthReport {
  readonly isWell: boolean;
  /** What is wrong, a sentence each. */
  readonly problems: readonly string[];
  /** What an operator should know although all is well, a sentence each. */
  readonly warnings: readonly string[];
}

/** `connection`: it broke without a word. */
const faultCodes = [...errorCodes, 'connection'] as const;
export type FaultCode = (typeof faultCodes)[number];

/** Looked at by whoever likes, without a token: at most so often does it cost anything. */
const reportEveryMs = 1000;
/** How long a shortage of room for connections is told after it was last seen. */
const crowdedForMs = 60_000;

/** Whether results come and are kept: a server that is up and keeps nothing is not well. Also counts what comes, for /metrics. */
export class Health {
  readonly silence: Silence;
  readonly #clock: Clock;
  #storeFault: string | undefined;
  #upkeepFault: string | undefined;
  #configFault: string | undefined;
  #statesFault: string | undefined;
  #report: { readonly made: HealthReport; readonly atMs: number } | undefined;
  readonly counters = { results: 0, lateResults: 0, records: 0, alarms: 0, gaps: 0, refused: 0, crowded: 0 };
  #crowdedMs = -Infinity;
  /** Connections that ended with a fault, by its code. */
  readonly faults = new Map<FaultCode, number>(faultCodes.map((code) => [code, 0]));

  constructor(ports: HealthPorts) {
    this.#clock = ports.clock;
    this.silence = new Silence(ports);
  }

  note(event: ServerEvent): void {
    if (event.type === 'record') this.counters.records++;
    if (event.type === 'alarm') this.counters.alarms++;
    if (event.type === 'gap') this.counters.gaps += event.missing;
    if (event.type !== 'result') return;
    this.counters.results++;
    if (event.isLate) this.counters.lateResults++;
  }

  noteFault(code: FaultCode): void {
    this.faults.set(code, (this.faults.get(code) ?? 0) + 1);
  }

  /** Entries of an agent were not kept. */
  noteRefused(count: number): void {
    this.counters.refused += count;
  }

  /** Waits for a commit, and notes whether the store takes entries. Rejects as the commit does. */
  async watchCommit(commit: Promise<void>): Promise<void> {
    try {
      await commit;
      this.noteStore(undefined);
    } catch (error) {
      // `usage` means that the entries are wrong: the agent's fault, not the store's.
      if (!(error instanceof AppError && error.code === 'usage')) this.noteStore((error as Error).message);
      throw error;
    }
  }

  /** A connection found no room, or another was closed for it. Anybody can bring that about, so it makes nothing unwell. */
  noteCrowded(): void {
    this.counters.crowded++;
    this.#crowdedMs = this.#clock.monotonic();
  }

  /** What the store said when it last refused; undefined once it takes entries again. */
  noteStore(fault: string | undefined): void {
    if (fault !== this.#storeFault) this.#report = undefined;
    this.#storeFault = fault;
  }

  /** Why the last round of upkeep failed; undefined if it did not: unnoticed for weeks, a disk fills. */
  noteUpkeep(fault: string | undefined): void {
    if (fault !== this.#upkeepFault) this.#report = undefined;
    this.#upkeepFault = fault;
  }

  /** Why states were last not worked out; undefined if they were: nobody would be told of anything. */
  noteStates(fault: string | undefined): void {
    if (fault !== this.#statesFault) this.#report = undefined;
    this.#statesFault = fault;
  }

  /** What the configuration leaves out because of a mistake; undefined if everything in it runs. */
  noteConfig(fault: string | undefined): void {
    if (fault !== this.#configFault) this.#report = undefined;
    this.#configFault = fault;
  }

  /** Whether the store takes results. */
  get isReady(): boolean {
    return this.#storeFault === undefined;
  }

  /** At most a second old. */
  report(): HealthReport {
    const nowMs = this.#clock.monotonic();
    if (!this.#report || nowMs - this.#report.atMs >= reportEveryMs) {
      const problems = this.#problems();
      this.#report = {
        made: { isWell: problems.length === 0, problems, warnings: this.#warnings(nowMs) },
        atMs: nowMs,
      };
    }
    return this.#report.made;
  }

  #warnings(nowMs: number): readonly string[] {
    if (nowMs - this.#crowdedMs > crowdedForMs) return [];
    return ['there is no room for more connections without a token: the oldest of them are being closed'];
  }

  #problems(): readonly string[] {
    const problems: string[] = [];
    if (this.#storeFault !== undefined) problems.push(`results are not being kept: ${this.#storeFault}`);
    if (this.#upkeepFault !== undefined) problems.push(`the store is not being tidied: ${this.#upkeepFault}`);
    if (this.#statesFault !== undefined) problems.push(`states are not being worked out: ${this.#statesFault}`);
    if (this.#configFault !== undefined) problems.push(this.#configFault);
    const silence = this.silence.problem();
    if (silence !== undefined) problems.push(silence);
    return problems;
  }
}
