import { findCheckType } from '../../checks/registry.ts';
import {
  judgeHeartbeat,
  noteAway,
  noteSignal,
  type HeartbeatPlan,
  type HeartbeatRecord,
  type HeartbeatState,
  type Signal,
} from '../../core/heartbeat.ts';
import type { ResultItem } from '../../core/entry.ts';
import type { JsonObject } from '../../core/outcome.ts';
import { SecretMask, secretsIn } from '../../core/secrets.ts';
import type { WantedTask } from '../fleet/task-table.ts';
import { heartbeatOutcome, keptHeartbeat, type Told } from './heartbeat-result.ts';

/** The options of the check type `heartbeat`, parsed. */
interface HeartbeatOptions {
  readonly key: string;
  readonly period?: number;
  readonly cron?: string;
  readonly zone: string;
  readonly grace: number;
  readonly runLimit?: number;
}

const dayMs = 86_400_000;

interface Times {
  readonly now: number;
  readonly nowMs: number;
}

/** One job that tells how it goes, and the results made of it. */
export class WatchedJob {
  wanted: WantedTask;
  #options: HeartbeatOptions;
  #plan: HeartbeatPlan;
  #mask: SecretMask;
  #record: HeartbeatRecord;
  #told: Told | undefined;
  #shown: HeartbeatState | undefined;
  #shownMs = -Infinity;
  #lastSlot = 0;

  /** `kept`: the newest result that the store has of it. */
  constructor(wanted: WantedTask, kept: ResultItem | undefined, now: number) {
    this.wanted = wanted;
    this.#options = optionsOf(wanted);
    this.#plan = planOf(this.#options);
    this.#mask = maskOf(this.#options);
    const before = kept && keptHeartbeat(kept.detail);
    this.#record = before?.record ?? { since: now };
    this.#told = before?.told;
    if (kept) this.away({ from: kept.scheduledAt, to: now });
  }

  get key(): string {
    return this.#options.key;
  }

  get isPaused(): boolean {
    return this.wanted.task.paused;
  }

  /** Its definition has changed. */
  change(wanted: WantedTask, now: number): void {
    const isResumed = this.isPaused && !wanted.task.paused;
    this.wanted = wanted;
    this.#options = optionsOf(wanted);
    this.#plan = planOf(this.#options);
    this.#mask = maskOf(this.#options);
    // While it was paused nothing was expected.
    if (isResumed) this.#record = { ...this.#record, since: now, startedAt: undefined, unsure: undefined };
    this.#shown = undefined;
  }

  /** The server could receive nothing meanwhile. */
  away(away: { readonly from: number; readonly to: number }): void {
    this.#record = noteAway(this.#record, this.#plan, away);
  }

  /** The job has told something: what is so now. */
  take(signal: Signal, { tail, address }: Omit<Told, 'signal'>, times: Times): ResultItem {
    this.#record = noteSignal(this.#record, signal, times.now);
    this.#told = { signal: signal.kind, tail: this.#mask.text(tail), address };
    return this.#result(times, true);
  }

  /** What is so now, where that has changed or was not said for an interval; undefined otherwise. */
  look(times: Times): ResultItem | undefined {
    if (this.isPaused) return undefined;
    const { state } = judgeHeartbeat(this.#record, this.#plan, times.now);
    const isDue = times.nowMs - this.#shownMs >= this.wanted.task.intervalMs;
    return isDue || state !== this.#shown ? this.#result(times, false) : undefined;
  }

  #result({ now, nowMs }: Times, isNew: boolean): ResultItem {
    const { id: taskId, monitorId } = this.wanted.task;
    this.#shown = judgeHeartbeat(this.#record, this.#plan, now).state;
    this.#shownMs = nowMs;
    // Two results of a task never have one time.
    const slot = Math.max(Math.round(now), this.#lastSlot + 1);
    this.#lastSlot = now < this.#lastSlot - 1000 ? Math.round(now) : slot;
    const outcome = heartbeatOutcome({ record: this.#record, told: this.#told }, this.#plan, { now, isNew });
    return { kind: 'result', taskId, monitorId, scheduledAt: slot, startedAt: slot, durationMs: 0, ...outcome };
  }
}

function optionsOf({ task }: WantedTask): HeartbeatOptions {
  // The definition was read by this very schema.
  return findCheckType(task.type)?.options.parse(task.options) as unknown as HeartbeatOptions;
}

function planOf({ period, cron, zone, grace: graceMs, runLimit = graceMs }: HeartbeatOptions): HeartbeatPlan {
  return { period: period ?? dayMs, cron, zone, graceMs, runLimitMs: runLimit };
}

function maskOf(options: HeartbeatOptions): SecretMask {
  const check = findCheckType('heartbeat');
  return new SecretMask(check ? secretsIn(check.options, options as unknown as JsonObject) : []);
}
