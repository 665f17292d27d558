import type { Config } from '../../config/config.ts';
import { systemClock as clock } from '../../core/clock.ts';
import type { Network } from '../../core/network.ts';
import type { Say } from '../../core/say.ts';
import { EgressPolicy } from '../../net/dial/egress.ts';
import { createNetwork } from '../../net/network.ts';
import { NotifierDesk } from '../../server/outbox/notifier-desk.ts';
import { OutboxWorker } from '../../server/outbox/outbox-worker.ts';
import type { Outbox } from '../../server/store/outbox.ts';

type NotifiersConfig = Partial<Pick<Config, 'notifiers' | 'egress'>>;

/** Hands the messages of the store to the notifiers of the configuration; through the egress policy, as a check would. */
export class ServeNotifiers implements AsyncDisposable {
  readonly desk: NotifierDesk;
  readonly #worker: OutboxWorker;
  #net: Network = createNetwork({ clock });

  constructor(outbox: Outbox, say: Say) {
    // The one of the configuration that is in force.
    const current = (): Network => this.#net;
    this.desk = new NotifierDesk({
      clock,
      say,
      get net() {
        return current();
      },
    });
    this.#worker = new OutboxWorker({
      clock,
      outbox,
      get net() {
        return current();
      },
      random: Math.random,
      onHealth: (health) => this.desk.note(health),
      onError: (error) =>
        say(`Messages cannot be sent now: ${String(error)}.`, { event: 'outbox-error', level: 'error' }),
    });
  }

  follow({ notifiers = [], egress }: NotifiersConfig): void {
    this.#net = createNetwork({ clock, policy: new EgressPolicy(egress) });
    this.desk.follow(notifiers);
    this.#worker.use(notifiers);
  }

  /** There may be new messages. */
  wake(): void {
    this.#worker.wake();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.desk.stop();
    await this.#worker[Symbol.asyncDispose]();
  }
}
