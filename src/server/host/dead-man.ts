import type { Cancel, Clock } from '../../core/clock.ts';
import type { Milliseconds } from '../../core/duration.ts';
import type { Say } from '../../core/say.ts';

/** A URL that is asked for as long as the server works: its owner raises the alarm when that stops. */
export interface DeadManPlan {
  /** Secret. */
  readonly url: string;
  readonly intervalMs: Milliseconds;
}

interface DeadManParts {
  readonly clock: Clock;
  readonly say: Say;
  /** Why the server does not do its work, a sentence; undefined while it does. */
  readonly problem: () => string | undefined;
  /** Asks for the URL; resolves to why it could not, without the URL. */
  readonly ping: (url: string) => Promise<string | undefined>;
}

/** Tells somebody outside, again and again, that this server works. When it does not, it says nothing, and that is the alarm. */
export class DeadMan {
  readonly #parts: DeadManParts;
  #plan: DeadManPlan | undefined;
  #said: string | undefined;
  #cancel: Cancel = () => {};

  constructor(parts: DeadManParts) {
    this.#parts = parts;
  }

  /** Follows this plan from now on; none ends it. */
  follow(plan: DeadManPlan | undefined): void {
    const { url, intervalMs } = this.#plan ?? {};
    if (plan?.url === url && plan?.intervalMs === intervalMs) return;
    this.#cancel();
    this.#plan = plan;
    if (plan) void this.#tell(plan);
  }

  async #tell(plan: DeadManPlan): Promise<void> {
    this.#cancel = this.#parts.clock.after(plan.intervalMs, () => void this.#tell(plan));
    const problem = this.#parts.problem();
    if (problem !== undefined) return this.#say(`The dead-man's URL is not asked for: ${problem}.`);
    const fault = await this.#parts.ping(plan.url);
    // It may have been changed meanwhile.
    if (this.#plan !== plan) return;
    this.#say(fault === undefined ? undefined : `The dead-man's URL could not be asked for: ${fault}`);
  }

  /** Each change once. */
  #say(what: string | undefined): void {
    if (what === this.#said) return;
    if (what !== undefined) this.#parts.say(what, { event: 'deadman-silent', level: 'warning' });
    else this.#parts.say("The dead-man's URL is asked for again.", { event: 'deadman-again' });
    this.#said = what;
  }
}
