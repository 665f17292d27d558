import { countOf, RangeSet } from '../../core/ranges.ts';
import { isFirstSlotFar, scheduleOf, slotAfter, type Schedule } from '../../core/schedule.ts';
import type { ResultItem, SeqRange } from '../../core/entry.ts';
import type { Task } from '../../core/task.ts';

/** Slots of a task, by its own clock, that have no result, or more than one. */
export interface Holes {
  readonly what: 'missing' | 'twice';
  readonly count: number;
  readonly firstSlot: number;
}

/** The slots of one task in one life of an agent, from when it took the task until the task changed or the agent ended. */
export class SlotAccount {
  readonly task: Task;
  readonly #schedule: Schedule;
  /** Slots by their numbers since the epoch. */
  readonly #first: number;
  readonly #told = new RangeSet();
  readonly #twice = new RangeSet();
  /** The slot right after a first run, which would only say the same again. */
  #excused: number | undefined;
  #untilWallMs = Infinity;

  /** `wallMs`: by the clock of the agent. */
  constructor(task: Task, wallMs: number) {
    this.task = task;
    this.#schedule = scheduleOf(task);
    this.#first = this.#numberOf(slotAfter(this.#schedule, wallMs));
  }

  /** Slots after this time no longer count. */
  close(wallMs: number): void {
    this.#untilWallMs = wallMs;
  }

  /** Counts the result if it is of one of these slots; a run that a person asked for is of none. */
  take({ scheduledAt, reason, detail }: Pick<ResultItem, 'scheduledAt' | 'reason' | 'detail'>): void {
    const first = this.#numberOf(scheduledAt);
    if (!Number.isInteger(first)) return this.#noteFirstRun(scheduledAt);
    const count = reason === 'missed' ? Number(detail['missedRuns'] ?? 1) : 1;
    const slots: SeqRange = [first, first + count - 1];
    const added = new RangeSet([slots]);
    for (const range of this.#told.missingIn(slots)) added.delete(range);
    for (const range of added.ranges) this.#twice.add(range);
    this.#told.add(slots);
  }

  /** What is wrong with the slots up to this time, or up to where the account was closed. */
  holesUntil(wallMs: number): readonly Holes[] {
    if (this.task.paused) return [];
    const last = Math.floor(this.#numberOf(Math.min(wallMs, this.#untilWallMs)));
    if (last < this.#first) return [];
    const all: SeqRange = [this.#first, last];
    const excused: readonly SeqRange[] = this.#excused === undefined ? [] : [[this.#excused, this.#excused]];
    const missing = new RangeSet([...this.#told.ranges, ...excused]).missingIn(all);
    const twice = new RangeSet([all]);
    for (const range of this.#twice.missingIn(all)) twice.delete(range);
    return [...this.#holes('missing', missing), ...this.#holes('twice', twice.ranges)];
  }

  #noteFirstRun(scheduledAt: number): void {
    const slot = slotAfter(this.#schedule, scheduledAt);
    if (isFirstSlotFar(this.#schedule) && slot - scheduledAt <= this.#schedule.intervalMs / 2)
      this.#excused ??= this.#numberOf(slot);
  }

  #holes(what: Holes['what'], [first, ...others]: readonly SeqRange[]): readonly Holes[] {
    if (!first) return [];
    const { phaseMs, intervalMs } = this.#schedule;
    return [{ what, count: countOf([first, ...others]), firstSlot: first[0] * intervalMs + phaseMs }];
  }

  #numberOf(slot: number): number {
    return (slot - this.#schedule.phaseMs) / this.#schedule.intervalMs;
  }
}
