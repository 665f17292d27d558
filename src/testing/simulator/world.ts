import { createHash } from 'node:crypto';
import type { Cancel } from '../../core/clock.ts';
import { scheduleOf } from '../../core/schedule.ts';
import { randomFrom } from '../random-from.ts';
import { eachSettled } from './settled.ts';
import { SimulatedCrash } from '../simulated-disk.ts';

interface WorldEvent {
  readonly dueMs: number;
  readonly order: number;
  callback: (() => void) | undefined;
}

/** Something that must not be so. */
export interface Finding {
  readonly atMs: number;
  /** Which invariant is broken. */
  readonly invariant: string;
  readonly text: string;
}

const maxFindings = 50;

/** Time, chance and the order of everything that happens: one seed, one history. */
export class World {
  readonly random: () => number;
  readonly findings: Finding[] = [];
  /** How often each kind of fault was injected. */
  readonly faults = new Map<string, number>();
  /** The slots of all tasks lie in this part of their intervals: where it is small, there is quiet time that costs nothing. */
  phases = 1;
  /** Milliseconds since the beginning; the machines' clocks are derived from it. */
  nowMs = 0;
  readonly #trace = createHash('sha256');
  readonly #onTrace: ((line: string) => void) | undefined;
  readonly #events: WorldEvent[] = [];
  #nextOrder = 0;
  #nextId = 0;
  #nextNumber = 0;

  constructor(seed: number, onTrace?: (line: string) => void) {
    this.random = randomFrom(seed);
    this.#onTrace = onTrace;
  }

  /** A whole number from 0 to `count - 1`. */
  pick(count: number): number {
    return Math.floor(this.random() * count);
  }

  oneOf<T>(list: readonly T[]): T | undefined {
    return list[this.pick(list.length)];
  }

  between(from: number, to: number): number {
    return from + this.random() * (to - from);
  }

  /** A UUID v7 that the seed decides; later ones sort later. */
  newId(): string {
    const time = (Date.UTC(2026, 0, 1) + this.#nextId++).toString(16).padStart(12, '0');
    const digits = Array.from({ length: 18 }, () => this.pick(16).toString(16)).join('');
    const start = `${time.slice(0, 8)}-${time.slice(8)}-7${digits.slice(0, 3)}-8${digits.slice(3, 6)}-${digits.slice(6, 14)}`;
    for (let end = Number.parseInt(digits.slice(14), 16); ; end = (end + 1) % 0x1_00_00) {
      const id = start + end.toString(16).padStart(4, '0');
      if (phaseOf(id) <= this.phases) return id;
    }
  }

  /** 1, 2, 3 … */
  nextNumber(): number {
    return ++this.#nextNumber;
  }

  after(delayMs: number, callback: () => void): Cancel {
    const event: WorldEvent = { dueMs: this.nowMs + Math.max(0, delayMs), order: this.#nextOrder++, callback };
    push(this.#events, event);
    return () => {
      event.callback = undefined;
    };
  }

  /** Lets time pass: each event happens at its moment, and everything it started settles before the next. */
  async run(durationMs: number): Promise<void> {
    const untilMs = this.nowMs + durationMs;
    await eachSettled(() => this.#step(untilMs));
    this.nowMs = untilMs;
  }

  /** The next event happens; false if none is left until then. */
  #step(untilMs: number): boolean {
    for (let event = this.#events[0]; event && event.dueMs <= untilMs; event = this.#events[0]) {
      pop(this.#events);
      const { callback } = event;
      if (!callback) continue;
      event.callback = undefined;
      this.nowMs = event.dueMs;
      this.#call(callback);
      return true;
    }
    return false;
  }

  /** Adds to the trace, of which the same seed gives the same. */
  note(line: string): void {
    const whole = `${this.nowMs.toFixed(3)} ${line}`;
    this.#trace.update(whole).update('\n');
    this.#onTrace?.(whole);
  }

  countFault(kind: string, what = ''): void {
    this.faults.set(kind, (this.faults.get(kind) ?? 0) + 1);
    this.note(`fault ${kind} ${what}`);
  }

  find(invariant: string, text: string): void {
    this.note(`finding ${invariant} ${text}`);
    if (this.findings.length < maxFindings) this.findings.push({ atMs: this.nowMs, invariant, text });
  }

  /** The hash of the trace so far. */
  traceHash(): string {
    return this.#trace.copy().digest('hex');
  }

  #call(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      // A process that died in the middle of what it did.
      if (error instanceof SimulatedCrash) return;
      this.find('no exception', error instanceof Error ? (error.stack ?? error.message) : String(error));
    }
  }
}

/** Where in its interval a task of this id runs, from 0 to 1. */
function phaseOf(id: string): number {
  const intervalMs = 2 ** 20;
  return scheduleOf({ id, intervalMs }).phaseMs / intervalMs;
}

/** A binary heap: the earliest first, and of two at the same time the one that was added first. */
function push(heap: WorldEvent[], event: WorldEvent): void {
  let index = heap.length;
  while (index > 0) {
    const parentIndex = (index - 1) >> 1;
    const parent = heap[parentIndex];
    if (!parent || isBefore(parent, event)) break;
    heap[index] = parent;
    index = parentIndex;
  }
  heap[index] = event;
}

function pop(heap: WorldEvent[]): void {
  const last = heap.pop();
  if (!last || heap.length === 0) return;
  let index = 0;
  for (;;) {
    const left = 2 * index + 1;
    const [first, second] = [heap[left], heap[left + 1]];
    if (!first) break;
    const isSecond = second !== undefined && isBefore(second, first);
    const child = isSecond ? second : first;
    if (isBefore(last, child)) break;
    heap[index] = child;
    index = isSecond ? left + 1 : left;
  }
  heap[index] = last;
}

function isBefore(a: WorldEvent, b: WorldEvent): boolean {
  return a.dueMs === b.dueMs ? a.order < b.order : a.dueMs < b.dueMs;
}
