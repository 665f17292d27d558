import { http } from '../../checks/http/http.ts';
import type { Config } from '../../config/config.ts';
import { systemClock as clock } from '../../core/clock.ts';
import type { Say } from '../../core/say.ts';
import { EgressPolicy } from '../../net/dial/egress.ts';
import { createNetwork } from '../../net/network.ts';
import { runCheck } from '../../schedule/run-check.ts';
import { DeadMan } from '../../server/host/dead-man.ts';
import { ResultFlow } from '../../server/host/result-flow.ts';
import { adHocMonitor } from '../check/ad-hoc-monitor.ts';
import type { Server } from './build-server.ts';

const timeoutMs = 10_000;

/** What a reload changes. */
type DeadManConfig = Partial<Pick<Config, 'server' | 'egress'>>;

/** Asks for the URL of `deadman:` while results come and are kept; through the egress policy, as a check would. */
export class ServeDeadMan {
  readonly #deadMan: DeadMan;
  #policy = new EgressPolicy();

  constructor({ tasks, health, bus }: Pick<Server, 'tasks' | 'health' | 'bus'>, say: Say) {
    const flow = new ResultFlow({ clock, wanted: () => tasks.wanted });
    bus.subscribe((event) => flow.note(event));
    this.#deadMan = new DeadMan({
      clock,
      say,
      problem: () => (health.isReady ? flow.problem() : 'results are not being kept'),
      ping: (url) => this.#ping(url),
    });
  }

  follow({ server, egress }: DeadManConfig): void {
    this.#policy = new EgressPolicy(egress);
    const { deadman } = server ?? {};
    this.#deadMan.follow(deadman && { url: deadman.url, intervalMs: deadman.interval });
  }

  async #ping(url: string): Promise<string | undefined> {
    const options = http.options.parse({ url });
    const monitor = adHocMonitor(http, options, { intervalMs: Infinity, timeoutMs });
    // The whole URL is a secret, and messages may quote any part of it.
    const secret = { ...monitor, secrets: [url, new URL(url).pathname] };
    const net = createNetwork({ clock, policy: this.#policy });
    const { status, message } = await runCheck(http, secret, { clock, net, controller: new AbortController() });
    return status === 'up' || status === 'degraded' ? undefined : message;
  }
}
