import { isDeepStrictEqual } from 'node:util';
import { isPassiveType } from '../checks/modules.ts';
import { findCheckType } from '../checks/registry.ts';
import type { Cancel, Clock } from '../core/clock.ts';
import type { Monitor, Result } from '../core/monitor.ts';
import { firstRunAfter, isFirstSlotFar, scheduleOf, slotAfter, slotsBetween, type Schedule } from '../core/schedule.ts';
import { DueHeap } from './due-heap.ts';
import { Places } from './places.ts';
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
  /**
   * The result of a slot whose monitor was removed or changed before its run could end. Without it such slots leave no result,
   * which is right where nobody counts slots.
   */
  readonly onTakenAway?: (result: Result) => void;
  /** How many runs of a check type may be under way at once, instead of what the type says. */
  readonly limits?: Readonly<Record<string, number>>;
  /**
   * A monitor that is added runs soon, by `firstRunAfter`, instead of waiting for its first slot: a person waits for it. Without
   * it only those do whose interval is longer than a minute.
   */
  readonly runsSoon?: boolean;
}

/**
 * Enough for 4,000 monitors of a type to sit in a 10 s timeout at once, so that an outage is seen as one; each holds a
 * socket, and Debian allows a service 524,288.
 */
const defaultLimit = 4000;

/** A step of the wall clock is noticed within this time. */
const longestNapMs = 1000;
const stopLimitMs = 900;
const stopNoticeMs = 200;

interface QueuedMonitor {
  readonly monitor: Monitor;
  readonly schedule: Schedule;
  /** The next slot, or the first run before it. */
  dueAt: number;
  /** The first run stands in no slot: none can have passed before it. */
  isFirst: boolean;
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
  readonly #entries = new Map<string, QueuedMonitor>();
  readonly #due = new DueHeap<QueuedMonitor>();
  /** By monitor id. A run stays until it has ended, although its monitor may be gone by then. */
  readonly #runs = new Map<string, Run>();
  readonly #placesByType = new Map<string, Places<QueuedMonitor>>();
  #cancelNap: Cancel = () => {};
  #latestNow = -Infinity;
  #stopped: (() => void) | undefined;

  constructor(parts: SchedulerParts) {
    this.#parts = parts;
  }

  /** Makes the running monitors the desired ones; unchanged monitors are not disturbed. Passive ones are left out: nothing of them can be run. */
  reconcile(desired: readonly Monitor[]): void {
    const runnable = desired.filter(({ type }) => !isPassiveType(type));
    const wanted = new Map(runnable.map((monitor) => [monitor.id, monitor]));
    const now = this.#lookAtClock();
    for (const entry of this.#entries.values()) {
      const monitor = wanted.get(entry.monitor.id);
      if (!monitor || !isDeepStrictEqual(monitor, entry.monitor)) this.#remove(entry, now);
    }
    const added = [...wanted.values()].filter(({ id }) => !this.#entries.has(id));
    for (const [place, monitor] of added.entries()) this.#add(monitor, now, place);
    this.#due.fill(this.#entries.values());
    this.#nap();
  }

  /** True if a run of this monitor is under way, including one that was aborted and has not ended yet. */
  isRunning(monitorId: string): boolean {
    return this.#runs.has(monitorId);
  }

  /** Aborts all runs; resolves when they have ended, within a second in any case. */
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

  #add(monitor: Monitor, now: number, place: number): void {
    const schedule = scheduleOf(monitor);
    const slot = slotAfter(schedule, now);
    const runsSoon = this.#parts.runsSoon || isFirstSlotFar(schedule);
    const dueAt = runsSoon ? firstRunAfter(schedule, now, place) : slot;
    const isFirst = dueAt < slot;
    this.#entries.set(monitor.id, { monitor, schedule, dueAt, isFirst });
  }

  #remove(entry: QueuedMonitor, now: number): void {
    const { monitor, schedule, waitingSlot, isFirst, dueAt } = entry;
    this.#entries.delete(monitor.id);
    this.#placesFor(monitor).withdraw(entry);
    const message = 'The monitor was removed or changed before this run could start.';
    const missed = (slot: number, count: number): void =>
      this.#parts.onTakenAway?.(missedResult(monitor, { slot, count, message }));
    if (waitingSlot !== undefined) missed(waitingSlot, 1);
    // Slots that nobody has looked at yet: the machine slept until a moment ago.
    const unseen = isFirst ? 0 : slotsBetween(schedule, dueAt, slotAfter(schedule, now));
    if (unseen > 0) missed(dueAt, unseen);
    this.#runs.get(entry.monitor.id)?.controller.abort(new DOMException('The monitor was removed.', 'AbortError'));
  }

  #nap(): void {
    this.#cancelNap();
    const first = this.#due.first;
    if (!first) return;
    const napMs = Math.min(longestNapMs, Math.max(0, first.dueAt - this.#parts.clock.now()));
    this.#cancelNap = this.#parts.clock.after(napMs, () => this.#wake());
  }

  #wake(): void {
    const now = this.#lookAtClock();
    for (let entry = this.#due.first; entry && entry.dueAt <= now; entry = this.#due.first) {
      this.#due.pop();
      const { dueAt: slot, isFirst, schedule } = entry;
      // A slot right after the first run would only say the same again.
      entry.dueAt = slotAfter(schedule, isFirst ? now + schedule.intervalMs / 2 : now);
      entry.isFirst = false;
      this.#due.push(entry);
      if (isFirst) this.#wait(entry, now);
      else this.#open(entry, slot);
    }
    this.#nap();
  }

  #lookAtClock(): number {
    const now = this.#parts.clock.now();
    if (now < this.#latestNow) this.#followClockBack(now);
    this.#latestNow = now;
    return now;
  }

  /** The clock was set back: a monitor that would wait longer than an interval takes the next slot of the new time. */
  #followClockBack(now: number): void {
    for (const entry of this.#entries.values()) {
      if (entry.dueAt - now > entry.schedule.intervalMs) entry.dueAt = slotAfter(entry.schedule, now);
    }
    this.#due.fill(this.#entries.values());
  }

  /** Handles a slot whose time has come. */
  #open(entry: QueuedMonitor, slot: number): void {
    const { monitor, schedule, dueAt } = entry;
    this.#giveUpWaiting(entry);
    const count = slotsBetween(schedule, slot, dueAt);
    if (count > 1) {
      // Whole windows passed. Starting every monitor now would be a storm, so each continues in its next slot.
      const message = `No run could start for ${count} slots: this machine slept, its clock was set, or this process was stopped.`;
      this.#parts.onResult(missedResult(monitor, { slot, count, message }));
      return;
    }
    this.#wait(entry, slot);
  }

  /** The run of this slot starts as soon as there is a place for it. */
  #wait(entry: QueuedMonitor, slot: number): void {
    entry.waitingSlot = slot;
    if (!this.#runs.has(entry.monitor.id)) this.#placesFor(entry.monitor).enter(entry);
  }

  /** The window of a slot that still waits has closed. */
  #giveUpWaiting(entry: QueuedMonitor): void {
    const { monitor, waitingSlot: slot } = entry;
    if (slot === undefined) return;
    const places = this.#placesFor(monitor);
    places.withdraw(entry);
    entry.waitingSlot = undefined;
    const message = this.#runs.has(monitor.id)
      ? 'The previous run was still under way; a shorter timeout or a longer interval leaves room for each.'
      : `All ${places.limit} places for ${monitor.type} checks were taken by other runs.`;
    this.#parts.onResult(missedResult(monitor, { slot, count: 1, message }));
  }

  #placesFor({ type }: Monitor): Places<QueuedMonitor> {
    let places = this.#placesByType.get(type);
    if (!places) {
      const limit = this.#parts.limits?.[type] ?? findCheckType(type)?.maxAtOnce ?? defaultLimit;
      places = new Places(limit, (entry) => void this.#run(entry));
      this.#placesByType.set(type, places);
    }
    return places;
  }

  async #run(entry: QueuedMonitor): Promise<void> {
    const { monitor } = entry;
    // A monitor waits for a place only with a slot that waits.
    const scheduledAt = entry.waitingSlot!;
    entry.waitingSlot = undefined;
    const controller = new AbortController();
    this.#runs.set(monitor.id, { monitor, controller });
    const result = await this.#parts.run(monitor, { controller, scheduledAt });
    this.#runs.delete(monitor.id);
    if (this.#entries.get(monitor.id) === entry) this.#parts.onResult(result);
    else this.#parts.onTakenAway?.(result);
    this.#placesFor(monitor).leave();
    this.#startNext(monitor.id);
    if (this.#runs.size === 0) this.#stopped?.();
  }

  /** A slot came while this monitor's run was under way. */
  #startNext(id: string): void {
    const entry = this.#entries.get(id);
    if (entry?.waitingSlot !== undefined) this.#placesFor(entry.monitor).enter(entry);
  }
}
