import { agentEnds, type SensorRecord } from '../../core/record.ts';
import type { LineContent } from '../record-line.ts';
import { blindReason } from '../record-text.ts';

/** Epoch milliseconds by the agent's wall clock. */
export interface Period {
  readonly from: number;
  readonly to: number;
}

/** A time in which a sensor observed nothing. */
export interface BlindTime extends Period {
  readonly why: string;
  /** Whoever had ordered the watching ended it. */
  readonly isOrdered: boolean;
}

interface Blind {
  readonly since: number;
  readonly why: string;
  readonly isOrdered: boolean;
  /** Any record ends it; otherwise the sensor must say that it works. */
  readonly endsWithRecord: boolean;
}

/** A sensor writes a record every 40 seconds; after two and a half times that, silence is a gap. */
const longestSilenceMs = 100_000;
/** What is shorter, as when options change, is no gap. */
const shortestMs = 1000;
/** Of more, only the number is told. */
const maxTold = 1000;
const maxOrders = 10;

/** Works out, from the records of one sensor in their order, when it watched and when it did not. */
export class WatchedTime {
  readonly #times: BlindTime[] = [];
  readonly #lost: string[] = [];
  #blind: Blind | undefined;
  #records: Period | undefined;
  readonly #orders = new Set<string>();
  /** Sensors of older versions wrote nothing while nothing happened. */
  #beats = false;

  /** Times of the first and the last record; undefined if there is none. */
  get records(): Period | undefined {
    return this.#records;
  }

  /** What the sensor itself says it could not observe or keep, at most 1,000 sentences. */
  get lost(): readonly string[] {
    return this.#lost;
  }

  /** By whose order it watched, and with which options, at most ten. */
  get orders(): readonly string[] {
    return [...this.#orders];
  }

  /** A line that this version cannot read. */
  addUnreadable(): void {
    this.#lose('a record that this version cannot read: a newer one wrote it');
  }

  add({ record, stamp: { at } }: LineContent): void {
    const before = this.#records?.to;
    this.#records = { from: this.#records?.from ?? at, to: at };
    this.#beats ||= record.event === 'watching' || record.event === 'traffic';
    this.#follow(record, { at, before });
  }

  #follow(record: SensorRecord, { at, before }: { readonly at: number; readonly before: number | undefined }): void {
    switch (record.event) {
      case 'clock-jump':
        return;
      case 'not-watching':
        return this.#explain(record);
      case 'sensor-started':
        if (this.#orders.size < maxOrders) this.#orders.add(record.message);
        return this.#end(at, before);
      case 'sensor-stopped':
        return this.#begin(at, { why: record.message, isOrdered: record.message !== agentEnds });
      case 'sensor-state': {
        const { state, message: why } = record;
        if (state === 'limited') this.#lose(`it watched in part only: ${why}`);
        return state === 'unavailable' ? this.#begin(at, { why, isOrdered: false }) : this.#end(at);
      }
      case 'lost':
        this.#lose(record.message);
        return this.#observe(at, before ?? at);
      default:
        this.#observe(at, before ?? at);
    }
  }

  /** Records are missing between the one before and the next. */
  breakOff(why: string): void {
    if (this.#records) this.#blind ??= { since: this.#records.to, why, isOrdered: false, endsWithRecord: true };
  }

  /** The times in which nobody watched, within a period or from the first to the last record; at most 1,000. */
  times(asked?: Period): readonly BlindTime[] {
    const unknown = { why: 'there is no record of this time', isOrdered: false };
    if (!this.#records) return asked ? [{ ...asked, ...unknown }] : [];
    const { from, to } = asked ?? this.#records;
    const { since, ...reason } = this.#blind ?? { ...unknown, since: this.#records.to };
    const isOver = this.#blind === undefined && to - since <= longestSilenceMs;
    const before = { from, to: this.#records.from, ...unknown };
    return [
      ...(before.to - from > longestSilenceMs ? [before] : []),
      ...this.#times,
      ...(isOver || to <= since ? [] : [{ from: since, to, why: reason.why, isOrdered: reason.isOrdered }]),
    ].filter((time) => time.to > from && time.from < to);
  }

  #lose(what: string): void {
    if (this.#lost.length < maxTold) this.#lost.push(what);
  }

  /** The agent says why it did not watch. */
  #explain({ cause, from, seconds }: Extract<SensorRecord, { event: 'not-watching' }>): void {
    const why = blindReason(cause);
    if (cause === 'asleep' || cause === 'paused')
      return this.#note({ from, to: from + seconds * 1000, why, isOrdered: false });
    const since = this.#blind?.since ?? from;
    this.#blind = { since, why, isOrdered: false, endsWithRecord: false };
  }

  #begin(since: number, reason: Pick<BlindTime, 'why' | 'isOrdered'>): void {
    this.#blind ??= { since, ...reason, endsWithRecord: false };
  }

  /** The sensor works again; after `silentSince` it should have been at work. */
  #end(to: number, silentSince?: number): void {
    const why = 'the agent began anew without saying why';
    if (this.#blind) this.#note({ ...this.#blind, from: this.#blind.since, to });
    else if (silentSince !== undefined) this.#note({ from: silentSince, to, why, isOrdered: false });
    this.#blind = undefined;
  }

  #observe(at: number, before: number): void {
    if (this.#blind?.endsWithRecord === true) this.#end(at);
    if (!this.#blind && this.#beats && at - before > longestSilenceMs)
      this.#note({ from: before, to: at, why: 'there is no record of this time', isOrdered: false });
  }

  #note({ from, to, why, isOrdered }: BlindTime): void {
    if (to - from >= shortestMs && this.#times.length < maxTold) this.#times.push({ from, to, why, isOrdered });
  }
}
