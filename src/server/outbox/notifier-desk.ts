import { AppError } from '../../core/errors.ts';
import { messageIdOf, threadOf, type Message, type MessageReceipt } from '../../core/message.ts';
import { isSameName } from '../../core/names.ts';
import { quoted } from '../../core/quoted.ts';
import type { Say } from '../../core/say.ts';
import type { NotifierPlan } from '../../notify/notifier-plan.ts';
import type { SendPorts, SendResult } from '../../notify/notifier.ts';
import { sendMessage } from '../../notify/send.ts';
import type { NotifierHealth } from './notifier-lane.ts';

export interface DeskPorts extends SendPorts {
  readonly say: Say;
}

/** What came of one message of a test. */
export interface TestedMessage {
  readonly kind: 'problem' | 'recovery';
  readonly outcome: SendResult['outcome'];
  /** The provider's answer. */
  readonly text: string;
}

/** The notifiers of the configuration: how they are, and a way to try one. */
export class NotifierDesk {
  readonly #ports: DeskPorts;
  readonly #stop = new AbortController();
  readonly #health = new Map<string, NotifierHealth>();
  #plans: readonly NotifierPlan[] = [];

  constructor(ports: DeskPorts) {
    this.#ports = ports;
  }

  get plans(): readonly NotifierPlan[] {
    return this.#plans;
  }

  follow(plans: readonly NotifierPlan[]): void {
    this.#plans = plans;
    for (const name of this.#health.keys()) if (!plans.some((plan) => plan.name === name)) this.#health.delete(name);
  }

  /** Undefined: it has not failed since the start. */
  healthOf(name: string): NotifierHealth | undefined {
    return this.#health.get(name);
  }

  note(health: NotifierHealth): void {
    const { notifier, state, since, text } = health;
    this.#health.set(notifier, health);
    const fallback = this.#plans.find(({ name }) => name === notifier)?.fallback;
    const then =
      fallback === undefined ? 'It has no fallback' : `After two minutes its messages go to ${quoted(fallback)}`;
    const what = {
      broken: 'is broken: somebody has to change something',
      failing: 'fails and is tried again',
      working: 'works again',
    };
    const end = state === 'working' ? '' : `: ${text}. ${then}`;
    this.#ports.say(`Notifier ${quoted(notifier)} ${what[state]}${end}.`, {
      event: `notifier-${state}`,
      level: state === 'working' ? 'info' : 'warning',
      fields: { notifier, ...(since !== undefined && { since: new Date(since).toISOString() }) },
    });
  }

  /** Sends a problem and its recovery, past quiet hours and caps. @throws {AppError} not-found, unavailable */
  async test(name: string): Promise<readonly TestedMessage[]> {
    const plan = this.#plans.find((one) => isSameName(one.name, name));
    if (!plan) throw new AppError('not-found', this.#unknown(name));
    const [problem, recovery] = testMessages(plan.name, this.#ports.clock.now());
    const first = await this.#send(plan, problem);
    const receipt = first.outcome === 'delivered' ? first.receipt : undefined;
    const second = await this.#send(plan, recovery, receipt);
    return [
      { kind: 'problem', outcome: first.outcome, text: first.text ?? '' },
      { kind: 'recovery', outcome: second.outcome, text: second.text ?? '' },
    ];
  }

  stop(): void {
    this.#stop.abort(new AppError('unavailable', 'the server stops'));
  }

  async #send({ channel }: NotifierPlan, message: Message, previous?: MessageReceipt): Promise<SendResult> {
    return await sendMessage(channel, { message, previous, signal: this.#stop.signal }, this.#ports);
  }

  #unknown(name: string): string {
    const known = this.#plans.map((plan) => quoted(plan.name)).join(', ');
    return `there is no notifier ${quoted(name)}; ${known === '' ? 'the configuration has none' : `known are ${known}`}`;
  }
}

const shownMinuteMs = 60_000;

/** As of an incident a minute ago that is over now. */
function testMessages(notifier: string, now: number): readonly [Message, Message] {
  const incident = `test-${Math.floor(now).toString(36)}`;
  const common = { thread: threadOf(incident), subject: `test of ${notifier}`, since: now - shownMinuteMs, tags: [] };
  return [
    {
      ...common,
      id: messageIdOf({ incident, transition: 1, kind: 'problem', step: 0 }),
      kind: 'problem',
      state: 'down',
      severity: 'critical',
      headline: `TEST ${notifier}: this is what a problem looks like`,
      facts: [{ label: 'Nothing is wrong', text: 'somebody tried this notifier; its recovery follows' }],
    },
    {
      ...common,
      id: messageIdOf({ incident, transition: 2, kind: 'recovery', step: 0 }),
      kind: 'recovery',
      state: 'up',
      severity: 'info',
      headline: `TEST ${notifier}: and this is its recovery`,
      until: now,
      facts: [{ label: 'Nothing was wrong', text: 'this ends the test' }],
    },
  ];
}
