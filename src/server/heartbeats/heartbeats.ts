import { createHmac, randomBytes } from 'node:crypto';
import { BoundedMap } from '../../core/bounded-map.ts';
import type { Cancel, Clock } from '../../core/clock.ts';
import type { ResultItem } from '../../core/entry.ts';
import type { Signal } from '../../core/heartbeat.ts';
import { Quota } from '../../core/quota.ts';
import type { Rate } from '../../core/rate.ts';
import type { WantedTask } from '../fleet/task-table.ts';
import { OwnEntries, type OwnEntriesPorts } from './own-entries.ts';
import { WatchedJob } from './watched-job.ts';

interface HeartbeatsParts extends OwnEntriesPorts {
  readonly clock: Clock;
  /** The tasks that this server has itself, by id. */
  tasks(): ReadonlyMap<string, WantedTask>;
  /** The newest result of a task. */
  latest(taskId: string): ResultItem | undefined;
}

interface Ping {
  readonly signal: Signal;
  /** The end of what the job wrote. */
  readonly tail: string;
  readonly address: string;
}

/** `unknown`: no job has this key. `too-fast`: more were sent than are taken. */
export type PingVerdict = 'kept' | 'unknown' | 'too-fast';

const lookIntervalMs = 1000;
/** A look that comes later than this, or earlier than the one before by the wall clock, means that nothing could be received. */
const longestLookMs = 6000;
const perJob: Rate = { burst: 60, perSecond: 2 };
const perGuesser: Rate = { burst: 20, perSecond: 0.2 };
const maxGuessers = 10_000;

/** Takes what jobs report, each by its secret key, and makes results of it; a job that reports nothing in time gets a result too. */
export class Heartbeats {
  readonly #parts: HeartbeatsParts;
  readonly #entries: OwnEntries;
  readonly #jobs = new Map<string, WatchedJob>();
  /** By digest of the key. */
  #byKey: ReadonlyMap<string, readonly WatchedJob[]> = new Map();
  /** Keys are looked up by a digest that nobody can compute, so that the time of a look-up tells nothing about them. */
  readonly #digestKey = randomBytes(32);
  readonly #quotas = new BoundedMap<string, Quota>(maxGuessers);
  #lookedAt: number;
  #cancel: Cancel = () => {};

  constructor(parts: HeartbeatsParts) {
    this.#parts = parts;
    this.#entries = new OwnEntries(parts);
    this.#lookedAt = parts.clock.now();
  }

  /** Goes on after the last results of the run before. */
  async start(): Promise<void> {
    await this.#entries.load();
    this.#lookedAt = this.#parts.clock.now();
    this.#look();
  }

  stop(): void {
    this.#cancel();
  }

  /** Resolves when what a job tells is kept. @throws {AppError} unavailable, where the store takes nothing now */
  async take(key: string, ping: Ping): Promise<PingVerdict> {
    this.#follow();
    const digest = this.#digestOf(key);
    const jobs = this.#byKey.get(digest);
    if (!jobs) return this.#mayGoOn(`address ${ping.address}`, perGuesser) ? 'unknown' : 'too-fast';
    if (!this.#mayGoOn(digest, perJob)) return 'too-fast';
    const times = this.#times();
    await Promise.all(jobs.map((job) => this.#entries.add(job.take(ping.signal, ping, times))));
    return 'kept';
  }

  #look(): void {
    this.#cancel = this.#parts.clock.after(lookIntervalMs, () => this.#look());
    const times = this.#times();
    this.#noteAway(times.now);
    this.#follow();
    for (const job of this.#jobs.values()) this.#tell(job.look(times));
  }

  /** The server was stopped, or its machine slept, or its clock was set. */
  #noteAway(now: number): void {
    const away = { from: this.#lookedAt, to: now };
    this.#lookedAt = now;
    if (now - away.from > longestLookMs || now < away.from) for (const job of this.#jobs.values()) job.away(away);
  }

  #tell(item: ResultItem | undefined): void {
    // Results that were made wait; the health of the server says that the store takes nothing.
    if (item && this.#entries.waiting < 1000) this.#entries.add(item).catch(() => {});
  }

  /** Takes over what has changed in the tasks. */
  #follow(): void {
    const tasks = this.#parts.tasks();
    let hasChanged = false;
    for (const id of this.#jobs.keys()) if (!tasks.has(id)) hasChanged = this.#jobs.delete(id);
    for (const [id, wanted] of tasks) {
      const job = this.#jobs.get(id);
      if (job?.wanted === wanted) continue;
      hasChanged = true;
      if (job) job.change(wanted, this.#parts.clock.now());
      else this.#jobs.set(id, new WatchedJob(wanted, this.#parts.latest(id), this.#parts.clock.now()));
    }
    if (hasChanged) this.#byKey = Map.groupBy(this.#jobs.values(), ({ key }) => this.#digestOf(key));
  }

  #digestOf(key: string): string {
    return createHmac('sha256', this.#digestKey).update(key).digest('base64');
  }

  #times(): { readonly now: number; readonly nowMs: number } {
    const { clock } = this.#parts;
    return { now: clock.now(), nowMs: clock.monotonic() };
  }

  #mayGoOn(who: string, rate: Rate): boolean {
    const quota = this.#quotas.get(who) ?? new Quota(this.#parts.clock, rate);
    this.#quotas.set(who, quota);
    if (quota.left < 1) return false;
    quota.take(1);
    return true;
  }
}
