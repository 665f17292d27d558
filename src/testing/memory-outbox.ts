import { messageSeverities, type MessageReceipt } from '../core/message.ts';
import type {
  IncidentStanding,
  NewOutboxRow,
  Outbox,
  OutboxChange,
  OutboxOutcome,
  OutboxRow,
} from '../server/store/outbox.ts';

interface KeptRow extends OutboxRow {
  readonly leaseUntil: number;
  readonly finished?: { readonly outcome: OutboxOutcome; readonly at: number; readonly text?: string };
  readonly text?: string;
}

/** The outbox without a disk, for tests of the worker. */
export class MemoryOutbox implements Outbox {
  readonly rows = new Map<number, KeptRow>();
  readonly incidents = new Map<string, IncidentStanding>();
  readonly #receipts = new Map<string, MessageReceipt>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  async waiting() {
    const first = new Map<string, number>();
    for (const { notifier, dueAt, leaseUntil, finished } of this.rows.values())
      if (!finished) first.set(notifier, Math.min(first.get(notifier) ?? Infinity, Math.max(dueAt, leaseUntil)));
    return Array.from(first, ([notifier, dueAt]) => ({ notifier, dueAt }));
  }

  async claim({ notifier, now, leaseMs, limit }: Parameters<Outbox['claim']>[0]) {
    const due = this.rows
      .values()
      .filter((row) => row.notifier === notifier && !row.finished && row.dueAt <= now && row.leaseUntil <= now)
      .toArray()
      .toSorted((a, b) => a.dueAt - b.dueAt || a.id - b.id)
      .slice(0, limit);
    for (const row of due) this.rows.set(row.id, { ...row, leaseUntil: now + leaseMs });
    return due.map(({ leaseUntil: _leaseUntil, finished: _finished, ...row }) => row);
  }

  async settle(changes: readonly OutboxChange[], added: readonly NewOutboxRow[] = []) {
    for (const change of changes) this.#apply(change);
    for (const row of added) this.#add(row);
  }

  async receipt(incident: string, notifier: string) {
    return this.#receipts.get(`${incident} ${notifier}`);
  }

  async told(incident: string, notifier: string) {
    const told = this.rows
      .values()
      .filter(({ finished }) => finished?.outcome === 'delivered' || finished?.outcome === 'digested')
      .filter((row) => row.incident === incident && row.notifier === notifier)
      .map(({ message }) => messageSeverities.indexOf(message.severity));
    return messageSeverities[Math.max(-1, ...told)];
  }

  async standing(incident: string) {
    return this.incidents.get(incident);
  }

  #apply(change: OutboxChange): void {
    const row = this.rows.get(change.id);
    if (!row || row.finished) return;
    if (!('outcome' in change)) {
      this.rows.set(row.id, { ...row, ...change, leaseUntil: 0 });
      return;
    }
    const { outcome, at, text, receipt } = change;
    const finished = { outcome, at, ...(text !== undefined && { text }) };
    this.rows.set(row.id, { ...row, finished, leaseUntil: 0 });
    const key = `${row.incident} ${row.notifier}`;
    if (receipt && !this.#receipts.has(key)) this.#receipts.set(key, receipt);
  }

  #add(row: NewOutboxRow): void {
    const isKept = this.rows
      .values()
      .some((kept) =>
        (['incident', 'transition', 'kind', 'step', 'notifier'] as const).every((key) => kept[key] === row[key]),
      );
    if (isKept) return;
    const id = this.rows.size + 1;
    this.rows.set(id, { ...row, id, addedAt: this.#now(), attempts: 0, leaseUntil: 0 });
  }
}
