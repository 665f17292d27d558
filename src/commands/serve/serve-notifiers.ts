import type { Config } from '../../config/config.ts';
import { systemClock as clock } from '../../core/clock.ts';
import type { Network } from '../../core/network.ts';
import type { Say } from '../../core/say.ts';
import { EgressPolicy } from '../../net/dial/egress.ts';
import { createNetwork } from '../../net/network.ts';
import { NotifierDesk } from '../../server/outbox/notifier-desk.ts';

type NotifiersConfig = Partial<Pick<Config, 'notifiers' | 'egress'>>;

/** The notifiers of the configuration; they send through the egress policy, as a check would. */
export class ServeNotifiers implements Disposable {
  readonly desk: NotifierDesk;
  #net: Network = createNetwork({ clock });

  constructor(say: Say) {
    // The one of the configuration that is in force.
    const current = (): Network => this.#net;
    this.desk = new NotifierDesk({
      clock,
      say,
      get net() {
        return current();
      },
    });
  }

  follow({ notifiers = [], egress }: NotifiersConfig): void {
    this.#net = createNetwork({ clock, policy: new EgressPolicy(egress) });
    this.desk.follow(notifiers);
  }

  [Symbol.dispose](): void {
    this.desk.stop();
  }
}
