import { createHash } from 'node:crypto';
import type { Cancel } from '../../core/clock.ts';
import { randomFrom } from '../random-from.ts';
import { settled } from './settled.ts';
import { SimulatedCrash } from '../simulated-disk.ts';

interface WorldEvent {
  readonly dueMs: number;
  readonly order: number;
  callback: (() => void) | undefined;
  readonly isQuiet: boolean;
}

interface EventOptions {
  /** The callback starts no promise, so nothing has to settle after it. */
  readonly isQuiet?: boolean;
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
    return `${time.slice(0, 8)}-${time.slice(8)}-7${digits.slice(0, 3)}-8${digits.slice(3, 6)}-${digits.slice(6)}`;
  }

  /** 1, 2, 3 … */
  nextNumber(): number {
    return ++this.#nextNumber;
  }

  after(delayMs: number, callback: () => void, { isQuiet = false }: EventOptions = {}): Cancel {
    const event: WorldEvent = { dueMs: this.nowMs + Math.max(0, delayMs), order: this.#nextOrder++, callback, isQuiet };
    push(this.#events, event);
    return () => {
      event.callback = undefined;
    };
  }

  /** Lets time pass: each event happens at its moment, and everything it started settles before the next. */
  async run(durationMs: number): Promise<void> {
    const untilMs = this.nowMs + durationMs;
    await settled();
    for (let event = this.#events[0]; event && event.dueMs <= untilMs; event = this.#events[0]) {
      pop(this.#events);
      const { callback } = event;
      if (!callback) continue;
      event.callback = undefined;
      this.nowMs = event.dueMs;
      this.#call(callback);
      if (!event.isQuiet) await settled();
    }
    this.nowMs = untilMs;
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
