import type { Cancel } from '../../core/clock.ts';
import type { NotifierPlan } from '../../notify/notifier-plan.ts';
import { NotifierLane, type LanePorts } from './notifier-lane.ts';

const pauseAfterErrorMs = 5000;
/** A row that nobody told of is found by then. */
const longestSleepMs = 30_000;

/** Hands the messages of the outbox to their notifiers. Each has a lane of its own, so that a slow one holds up no other. */
export class OutboxWorker implements AsyncDisposable {
  readonly #ports: LanePorts;
  readonly #stop = new AbortController();
  readonly #lanes = new Map<string, NotifierLane>();
  readonly #busy = new Map<string, Promise<void>>();
  #cancel: Cancel = () => {};
  #looking: Promise<void> | undefined;
  #isWoken = false;

  constructor(ports: LanePorts) {
    this.#ports = ports;
  }

  /** Takes the notifiers of a configuration; one that has not changed keeps its lane. */
  use(plans: readonly NotifierPlan[]): void {
    const names = new Set(plans.map(({ name }) => name));
    for (const name of this.#lanes.keys()) if (!names.has(name)) this.#lanes.delete(name);
    for (const plan of plans) {
      if (isSame(this.#lanes.get(plan.name)?.plan, plan)) continue;
      this.#lanes.set(plan.name, new NotifierLane(plan, this.#ports, this.#stop.signal));
    }
    this.wake();
  }

  /** There may be new rows. */
  wake(): void {
    if (this.#stop.signal.aborted) return;
    this.#isWoken = true;
    this.#looking ??= this.#look().finally(() => (this.#looking = undefined));
  }

  /** Ends what is being sent; its rows are tried again by the next worker. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error('the server stops'));
    this.#cancel();
    await this.#looking;
    await Promise.all(this.#busy.values());
  }

  async #look(): Promise<void> {
    while (this.#isWoken && !this.#stop.signal.aborted) {
      this.#isWoken = false;
      this.#cancel();
      const sleepMs = await this.#startLanes().catch((error: unknown) => {
        this.#ports.onError(error);
        return pauseAfterErrorMs;
      });
      if (this.#stop.signal.aborted) return;
      this.#cancel = this.#ports.clock.after(sleepMs, () => this.wake());
    }
  }

  /** Starts the lanes that have something to do; the time until the next has. */
  async #startLanes(): Promise<number> {
    const { clock, outbox } = this.#ports;
    const waiting = await outbox.waiting();
    const now = clock.now();
    let next = now + longestSleepMs;
    for (const { notifier, dueAt } of waiting) {
      if (this.#busy.has(notifier)) continue;
      const lane = this.#lanes.get(notifier);
      const readyAt = lane?.readyAt(dueAt) ?? dueAt;
      if (readyAt > now) next = Math.min(next, readyAt);
      else this.#start(notifier, lane ? lane.run() : this.#finishUnknown(notifier));
    }
    return Math.max(1, next - now);
  }

  #start(notifier: string, work: Promise<void>): void {
    const done = work
      .catch(async (error: unknown) => {
        this.#ports.onError(error);
        await this.#pause();
      })
      .finally(() => {
        this.#busy.delete(notifier);
        this.wake();
      });
    this.#busy.set(notifier, done);
  }

  #pause(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = this.#ports.clock.after(pauseAfterErrorMs, resolve);
    this.#stop.signal.addEventListener(
      'abort',
      () => {
        cancel();
        resolve();
      },
      { once: true },
    );
    return promise;
  }

  async #finishUnknown(notifier: string): Promise<void> {
    const { clock, outbox } = this.#ports;
    const now = clock.now();
    const rows = await outbox.claim({ notifier, now, leaseMs: 60_000, limit: 500 });
    await outbox.settle(
      rows.map(({ id }) => ({ id, outcome: 'unknown-notifier', at: now, text: 'no notifier has this name' })),
    );
  }
}

function isSame(known: NotifierPlan | undefined, plan: NotifierPlan): boolean {
  return known !== undefined && known.channel.type === plan.channel.type && textOf(known) === textOf(plan);
}

function textOf({ channel: { type: _type, ...channel }, ...plan }: NotifierPlan): string {
  return JSON.stringify([plan, channel]);
}
