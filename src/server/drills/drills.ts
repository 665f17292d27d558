import type { Cancel, Clock } from '../../core/clock.ts';
import type { Milliseconds } from '../../core/duration.ts';
import { messageIdOf, threadOf, type Message, type MessageKey } from '../../core/message.ts';
import type { NotifyStep } from '../../core/state/policies.ts';
import type { Outbox } from '../store/outbox.ts';

interface DrillPorts {
  readonly clock: Clock;
  readonly outbox: Pick<Outbox, 'settle' | 'told'>;
  /** A new UUID v7. */
  newId(): string;
  /** There are new messages in the outbox. */
  onQueued(): void;
  onError(error: unknown): void;
}

/** A message of a drill on its way to a notifier. Times are epoch milliseconds. */
export interface DrillDelivery extends Pick<NotifyStep, 'notifier' | 'step'> {
  readonly queuedAt: number;
  readonly deliveredAt?: number | undefined;
}

/** A failure that is none, told as if it were one: how long until a person has it? */
export interface Drill {
  readonly id: string;
  readonly monitor: string;
  readonly startedAt: number;
  readonly deliveries: readonly DrillDelivery[];
  readonly taken?: { readonly by: string; readonly at: number } | undefined;
  readonly endedAt?: number | undefined;
}

interface Running {
  drill: Drill;
  readonly recipients: Set<string>;
  readonly cancels: Set<Cancel>;
}

const lookMs = 250;
/** Kept to be asked for after their end. */
const maxKept = 100;

/** Drills, in memory: nothing real is touched, no state, no incident, no figure. */
export class Drills {
  readonly #ports: DrillPorts;
  readonly #running = new Map<string, Running>();

  constructor(ports: DrillPorts) {
    this.#ports = ports;
  }

  /** Tells the people of a monitor, step by step, until somebody takes it or the time is over. */
  start(monitor: string, steps: readonly NotifyStep[], limitMs: Milliseconds): Drill {
    const { clock } = this.#ports;
    const drill = { id: this.#ports.newId(), monitor, startedAt: clock.now(), deliveries: [] };
    const running: Running = { drill, recipients: new Set(), cancels: new Set() };
    this.#forgetOldest();
    this.#running.set(drill.id, running);
    for (const step of steps)
      if (step.afterMs < limitMs) running.cancels.add(clock.after(step.afterMs, () => this.#tell(running, step)));
    running.cancels.add(clock.after(limitMs, () => this.#end(running)));
    this.#look(running);
    return drill;
  }

  get(id: string): Drill | undefined {
    return this.#running.get(id)?.drill;
  }

  /** Somebody has it: the drill is over. Undefined if there is no such drill, or it has ended. */
  take(id: string, by: string): Drill | undefined {
    const running = this.#running.get(id);
    if (!running || running.drill.endedAt !== undefined) return undefined;
    running.drill = { ...running.drill, taken: { by, at: this.#ports.clock.now() } };
    this.#end(running);
    return running.drill;
  }

  stop(): void {
    for (const { cancels } of this.#running.values()) for (const cancel of cancels) cancel();
  }

  #tell(running: Running, { notifier, step }: NotifyStep): void {
    const { drill } = running;
    const queuedAt = this.#ports.clock.now();
    running.drill = { ...drill, deliveries: [...drill.deliveries, { notifier, step, queuedAt }] };
    running.recipients.add(notifier);
    const text = `DRILL: ${drill.monitor} is not down, and this is told as if it were`;
    this.#queue(running, { notifier, step, transition: 1, headline: text, state: 'down' });
  }

  #end(running: Running): void {
    if (running.drill.endedAt !== undefined) return;
    const endedAt = this.#ports.clock.now();
    const { drill } = running;
    running.drill = { ...drill, endedAt };
    for (const cancel of running.cancels) cancel();
    running.cancels.clear();
    const by = drill.taken ? `${drill.taken.by} has it` : 'nobody took it';
    for (const notifier of running.recipients)
      this.#queue(running, {
        notifier,
        step: 0,
        transition: 2,
        headline: `DRILL over: ${drill.monitor}, ${by}`,
        state: 'up',
      });
    this.#look(running);
  }

  #queue(
    { drill }: Running,
    {
      notifier,
      headline,
      state,
      step,
      transition,
    }: Pick<NotifyStep, 'notifier' | 'step'> & Pick<Message, 'headline' | 'state'> & Pick<MessageKey, 'transition'>,
  ): void {
    const { id: incident, monitor, startedAt } = drill;
    const key: MessageKey = { incident, transition, kind: 'test', step };
    const message: Message = {
      id: messageIdOf(key),
      thread: threadOf(incident),
      kind: 'test',
      state,
      severity: 'critical',
      subject: monitor,
      headline,
      since: startedAt,
      facts: state === 'up' ? [] : [{ label: 'To take it', text: `watchkeeper ack ${incident}` }],
      tags: ['drill'],
    };
    this.#ports.outbox.settle([], [{ ...key, notifier, dueAt: this.#ports.clock.now(), message }]).then(
      () => this.#ports.onQueued(),
      (error: unknown) => this.#ports.onError(error),
    );
  }

  /** Notes what has been delivered, and looks again as long as something is on its way. */
  #look(running: Running): void {
    const cancel = this.#ports.clock.after(lookMs, () => {
      running.cancels.delete(cancel);
      void this.#noteDelivered(running).catch((error: unknown) => this.#ports.onError(error));
    });
    running.cancels.add(cancel);
  }

  async #noteDelivered(running: Running): Promise<void> {
    const { clock, outbox } = this.#ports;
    for (const { notifier, deliveredAt } of running.drill.deliveries) {
      if (deliveredAt !== undefined || !(await outbox.told(running.drill.id, notifier))) continue;
      const at = clock.now();
      const deliveries = running.drill.deliveries.map((one) =>
        one.notifier === notifier && one.deliveredAt === undefined ? { ...one, deliveredAt: at } : one,
      );
      running.drill = { ...running.drill, deliveries };
    }
    if (running.drill.endedAt === undefined) this.#look(running);
  }

  #forgetOldest(): void {
    for (const [id, { drill }] of this.#running) {
      if (this.#running.size < maxKept) return;
      if (drill.endedAt !== undefined) this.#running.delete(id);
    }
  }
}
