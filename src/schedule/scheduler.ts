import { isDeepStrictEqual } from 'node:util';
import type { Cancel, Clock } from '../core/clock.ts';
import type { Milliseconds } from '../core/duration.ts';
import type { Monitor, Result } from '../core/monitor.ts';
import { scheduleOf, slotAfter, slotsBetween, type Schedule } from '../core/schedule.ts';
import { DueHeap } from './due-heap.ts';
import { Lane } from './lane.ts';
import { missedResult } from './missed.ts';

/** The run of one slot; it ends soon after its controller aborts, and never rejects. */
export interface Turn {
  readonly controller: AbortController;
  readonly scheduledAt: number;
}

export interface SchedulerParts {
  readonly clock: Clock;
  readonly run: (monitor: Monitor, turn: Turn) => Promise<Result>;
  readonly onResult: (result: Result) => void;
  /** How many runs of a check type may be under way at once, where that differs from `defaultLimit`. */
  readonly limits?: Readonly<Record<string, number>>;
  /** Every monitor that is added runs once within this time, spread like the slots, instead of waiting for its first slot. */
  readonly firstWithinMs?: Milliseconds;
}

/**
 * Enough for 4,000 monitors of a type to sit in a 10 s timeout at once, so that an outage is seen as one; each holds a
 * socket, and Debian allows a service 524,288.
 */
const defaultLimit = 4000;
/** A traceroute sends dozens of packets, and routers answer only so many a second. */
const defaultLimits: Readonly<Record<string, number>> = { traceroute: 50 };

/** A wall clock that is set is noticed this soon at the latest. */
const longestNapMs = 1000;
const stopLimitMs = 900;
const stopNoticeMs = 200;

interface Task {
  readonly monitor: Monitor;
  readonly schedule: Schedule;
  /** The next slot. */
  dueAt: number;
  /** The slot that is due and not yet started. */
  waitingSlot?: number | undefined;
}

interface Run {
  readonly monitor: Monitor;
  readonly controller: AbortController;
}

/**
 * Runs each monitor in its slots, one run of a monitor at a time. A slot is open until the next one: its run may start late,
 * behind the previous run or when its check type has a place again. If it cannot, the slot is reported as missed. Slots that
 * pass while nothing could run at all (the machine slept, the clock was set) are reported as one missed result each monitor.
 */
export class Scheduler {
  readonly #parts: SchedulerParts;
  readonly #tasks = new Map<string, Task>();
  readonly #due = new DueHeap<Task>();
  /** By monitor id. A run stays until it has ended, although its monitor may be gone by then. */
  readonly #runs = new Map<string, Run>();
  readonly #lanes = new Map<string, Lane<Task>>();
  #cancelNap: Cancel = () => {};
  #latestNow = -Infinity;
  #stopped: (() => void) | undefined;

  constructor(parts: SchedulerParts) {
    this.#parts = parts;
  }

  /** Makes the monitors that run the ones that are desired. What has not changed is not disturbed. */
  reconcile(desired: readonly Monitor[]): void {
    const wanted = new Map(desired.map((monitor) => [monitor.id, monitor]));
    for (const task of this.#tasks.values()) {
      const monitor = wanted.get(task.monitor.id);
      if (!monitor || !isDeepStrictEqual(monitor, task.monitor)) this.#remove(task);
    }
    const now = this.#parts.clock.now();
    for (const monitor of wanted.values()) if (!this.#tasks.has(monitor.id)) this.#add(monitor, now);
    this.#due.fill(this.#tasks.values());
    this.#nap();
  }

  /** Aborts what is under way; resolves when all of it has ended, within a second in any case. */
  async stop(onWaiting: (monitors: readonly Monitor[]) => void = () => {}): Promise<void> {
    const { clock } = this.#parts;
    this.reconcile([]);
    this.#cancelNap();
    if (this.#runs.size === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#stopped = resolve;
    const cancels = [
      clock.after(stopNoticeMs, () => onWaiting([...this.#runs.values()].map(({ monitor }) => monitor))),
      clock.after(stopLimitMs, resolve),
    ];
    await promise;
    for (const cancel of cancels) cancel();
  }

  #add(monitor: Monitor, now: number): void {
    const schedule = scheduleOf(monitor);
    const { firstWithinMs } = this.#parts;
    const slot = slotAfter(schedule, now);
    const share = schedule.phaseMs / schedule.intervalMs;
    const dueAt = firstWithinMs === undefined ? slot : Math.min(slot, now + share * firstWithinMs);
    this.#tasks.set(monitor.id, { monitor, schedule, dueAt });
  }

  #remove(task: Task): void {
    this.#tasks.delete(task.monitor.id);
    this.#laneOf(task.monitor).withdraw(task);
    this.#runs.get(task.monitor.id)?.controller.abort(new DOMException('The monitor was removed.', 'AbortError'));
  }

  #nap(): void {
    this.#cancelNap();
    const first = this.#due.first;
    if (!first) return;
    const napMs = Math.min(longestNapMs, Math.max(0, first.dueAt - this.#parts.clock.now()));
    this.#cancelNap = this.#parts.clock.after(napMs, () => this.#wake());
  }

  #wake(): void {
    const now = this.#parts.clock.now();
    if (now < this.#latestNow) this.#followClockBack(now);
    this.#latestNow = now;
    for (let task = this.#due.first; task && task.dueAt <= now; task = this.#due.first) {
      this.#due.pop();
      const slot = task.dueAt;
      task.dueAt = slotAfter(task.schedule, now);
      this.#due.push(task);
      this.#open(task, slot);
    }
    this.#nap();
  }

  /** The clock was set back: who would wait longer than an interval takes the next slot of the new time instead. */
  #followClockBack(now: number): void {
    for (const task of this.#tasks.values()) {
      if (task.dueAt - now > task.schedule.intervalMs) task.dueAt = slotAfter(task.schedule, now);
    }
    this.#due.fill(this.#tasks.values());
  }

  /** A slot has come. */
  #open(task: Task, slot: number): void {
    const { monitor, schedule, dueAt } = task;
    this.#giveUpWaiting(task);
    const count = slotsBetween(schedule, slot, dueAt);
    if (count > 1) {
      // Whole windows passed. To start every monitor at once now would be a storm, so each goes on in its next slot.
      const message = `No run could start for ${count} slots: this machine slept, its clock was set, or this process was stopped.`;
      this.#parts.onResult(missedResult(monitor, { slot, count, message }));
      return;
    }
    task.waitingSlot = slot;
    if (!this.#runs.has(monitor.id)) this.#laneOf(monitor).enter(task);
  }

  /** The window of a slot that still waits has closed. */
  #giveUpWaiting(task: Task): void {
    const { monitor, waitingSlot: slot } = task;
    if (slot === undefined) return;
    const lane = this.#laneOf(monitor);
    lane.withdraw(task);
    task.waitingSlot = undefined;
    const message = this.#runs.has(monitor.id)
      ? 'The previous run was still under way; a shorter timeout or a longer interval leaves room for each.'
      : `All ${lane.limit} places for ${monitor.type} checks were taken by other runs.`;
    this.#parts.onResult(missedResult(monitor, { slot, count: 1, message }));
  }

  #laneOf({ type }: Monitor): Lane<Task> {
    let lane = this.#lanes.get(type);
    if (!lane) {
      const limit = this.#parts.limits?.[type] ?? defaultLimits[type] ?? defaultLimit;
      lane = new Lane(limit, (task) => void this.#run(task));
      this.#lanes.set(type, lane);
    }
    return lane;
  }

  async #run(task: Task): Promise<void> {
    const { monitor } = task;
    // A task enters its lane only with a slot that waits.
    const scheduledAt = task.waitingSlot!;
    task.waitingSlot = undefined;
    const controller = new AbortController();
    this.#runs.set(monitor.id, { monitor, controller });
    const result = await this.#parts.run(monitor, { controller, scheduledAt });
    this.#runs.delete(monitor.id);
    if (this.#tasks.get(monitor.id) === task) this.#parts.onResult(result);
    this.#laneOf(monitor).leave();
    this.#startNext(monitor.id);
    if (this.#runs.size === 0) this.#stopped?.();
  }

  /** A slot came while this monitor's run was under way. */
  #startNext(id: string): void {
    const task = this.#tasks.get(id);
    if (task?.waitingSlot !== undefined) this.#laneOf(task.monitor).enter(task);
  }
}
