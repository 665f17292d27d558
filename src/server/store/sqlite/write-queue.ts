import type { DatabaseSync } from 'node:sqlite';
import type { Cancel, Clock } from '../../../core/clock.ts';
import { AppError } from '../../../core/errors.ts';
import { asAppError, isBusy, type Notice } from './database.ts';

interface Job {
  /** Does the work; the returned function resolves the caller's promise and is called once the work is durable. */
  run(): () => void;
  reject(error: unknown): void;
}

interface WriteQueueParts {
  readonly clock: Clock;
  readonly say: (notice: Notice) => void;
  readonly onRollback: () => void;
}

const retryMs = 50;
const maxRestMs = 50;

/**
 * Group commit: all that is queued while one transaction runs, and for as long as it took, goes into the next, and shares its
 * pages and its fsync: what many agents say at once touches the same pages. A job that throws is undone alone. While another process holds the lock, jobs wait; when the disk refuses the transaction, all of it is rejected.
 */
export class WriteQueue {
  readonly #db: DatabaseSync;
  readonly #clock: Clock;
  readonly #say: (notice: Notice) => void;
  readonly #onRollback: () => void;
  #jobs: Job[] = [];
  #cancelRetry: Cancel | undefined;
  #isScheduled = false;
  #isLockedOut = false;
  #isClosed = false;
  /** When the next transaction may begin, by the monotonic clock. */
  #restsUntilMs = 0;

  constructor(db: DatabaseSync, { clock, say, onRollback }: WriteQueueParts) {
    this.#db = db;
    this.#clock = clock;
    this.#say = say;
    this.#onRollback = onRollback;
  }

  /** Resolves to what `work` returned once that is durable. */
  add<T>(work: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const run = (): (() => void) => {
        const value = work();
        return () => resolve(value);
      };
      if (this.#isClosed) return reject(new AppError('unavailable', 'The store is closing: nothing more is written.'));
      this.#jobs.push({ run, reject });
      this.#schedule();
    });
  }

  /** Commits pending jobs if possible now, and rejects the others. */
  close(): void {
    this.#isClosed = true;
    this.#cancelRetry?.();
    this.#commit((error) => this.#rejectAll(error));
  }

  #schedule(): void {
    if (this.#isScheduled || this.#cancelRetry !== undefined) return;
    this.#isScheduled = true;
    const commit = (): void => {
      this.#isScheduled = false;
      this.#commit(() => this.#retryLater());
    };
    const restMs = this.#restsUntilMs - this.#clock.monotonic();
    // Not at once even then: messages that arrived during the last transaction are delivered first.
    this.#clock.after(restMs < 1 ? 0 : restMs, commit);
  }

  #retryLater(): void {
    if (!this.#isLockedOut) this.#say({ event: 'waiting-for-lock' });
    this.#isLockedOut = true;
    this.#cancelRetry = this.#clock.after(retryMs, () => {
      // Whatever becomes of this try, the next job schedules the next.
      this.#cancelRetry = undefined;
      this.#commit(() => this.#retryLater());
    });
  }

  #commit(whenBusy: (error: unknown) => void): void {
    if (this.#jobs.length === 0) return;
    try {
      this.#db.exec('BEGIN IMMEDIATE');
    } catch (error) {
      return isBusy(error) ? whenBusy(error) : this.#rejectAll(error);
    }
    if (this.#isLockedOut) this.#say({ event: 'lock-gained' });
    this.#isLockedOut = false;
    const jobs = this.#jobs;
    this.#jobs = [];
    const startedMs = this.#clock.monotonic();
    try {
      const settled = jobs.map((job) => this.#runAlone(job));
      this.#db.exec('COMMIT');
      for (const settle of settled) settle();
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      this.#onRollback();
      for (const job of jobs) job.reject(asAppError(error));
    } finally {
      const endedMs = this.#clock.monotonic();
      this.#restsUntilMs = endedMs + Math.min(endedMs - startedMs, maxRestMs);
    }
  }

  /** Runs the job in the open transaction so that it can be undone without the others. */
  #runAlone(job: Job): () => void {
    this.#db.exec('SAVEPOINT job');
    try {
      const settle = job.run();
      this.#db.exec('RELEASE job');
      return settle;
    } catch (error) {
      // On a full disk or an I/O error SQLite may have ended the whole transaction.
      if (!this.#db.isTransaction) throw error;
      this.#db.exec('ROLLBACK TO job; RELEASE job');
      this.#onRollback();
      return () => job.reject(asAppError(error));
    }
  }

  #rejectAll(error: unknown): void {
    const jobs = this.#jobs;
    this.#jobs = [];
    for (const job of jobs) job.reject(asAppError(error));
  }
}
