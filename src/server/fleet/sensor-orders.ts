import { isDeepStrictEqual } from 'node:util';
import type { Cancel, Clock } from '../../core/clock.ts';
import type { NamedAgent } from '../../core/room.ts';
import type { SensorPlan } from '../../core/sensor-plan.ts';
import { fitsWildcard } from '../../core/wildcard.ts';
import type { SensorOrder, ServerMessage } from '../../protocol/messages.ts';

export interface OrderRecipient {
  readonly agentId: string;
  readonly name: string;
  send(message: ServerMessage): void;
}

interface Line {
  readonly recipient: OrderRecipient;
  sent: SensorOrder | undefined;
}

/** A timer takes no longer delays; what ends later is looked at again. */
const longestLookMs = 24 * 3_600_000;
const maxByLength = 300;
const maxPurposeLength = 1000;

/** Tells each connected agent what it is to watch on its own machine: at once, and whenever that changes or ends. */
export class SensorOrders {
  readonly #clock: Clock;
  readonly #lines = new Map<string, Line>();
  #plans: readonly SensorPlan[] = [];
  #sessionPlans: readonly SensorPlan[] = [];
  #cancelLook: Cancel = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Makes these the plans of the configuration. */
  reconcile(plans: readonly SensorPlan[]): void {
    this.#plans = plans;
    this.#tellAll();
  }

  /** Makes these the plans of the sessions that last, which win over those of the configuration. */
  useSessions(plans: readonly SensorPlan[]): void {
    this.#sessionPlans = plans;
    this.#tellAll();
  }

  connect(recipient: OrderRecipient): void {
    const line: Line = { recipient, sent: undefined };
    this.#lines.set(recipient.agentId, line);
    this.#tell(line);
  }

  /** Names have changed. */
  refresh(): void {
    this.#tellAll();
  }

  disconnect(recipient: OrderRecipient): void {
    if (this.#lines.get(recipient.agentId)?.recipient === recipient) this.#lines.delete(recipient.agentId);
  }

  /** Whether somebody has ordered that the agent watches its machine now. */
  isWatched(agent: NamedAgent): boolean {
    return orderFor(agent, this.#allPlans, this.#clock.now()).sensors.length > 0;
  }

  stop(): void {
    this.#cancelLook();
  }

  #tellAll(): void {
    this.#cancelLook();
    for (const line of this.#lines.values()) this.#tell(line);
    const now = this.#clock.now();
    const next = Math.min(...this.#allPlans.map(({ until = Infinity }) => (until > now ? until : Infinity)));
    if (next === Infinity) return;
    this.#cancelLook = this.#clock.after(Math.min(next - now, longestLookMs), () => this.#tellAll());
  }

  get #allPlans(): readonly SensorPlan[] {
    return [...this.#plans, ...this.#sessionPlans];
  }

  #tell(line: Line): void {
    const now = this.#clock.now();
    const { agentId: id, name } = line.recipient;
    const order = orderFor({ id, name }, this.#allPlans, now);
    if (isDeepStrictEqual(order, line.sent)) return;
    line.sent = order;
    line.recipient.send({ type: 'sensors', order, now });
  }
}

/**
 * What the plans that fit an agent and have not ended come to: of two that name one sensor the later has it. The order ends with the
 * first of them to end, and is then given anew for the rest: nobody is watched longer than was said, whether or not the
 * server can be reached.
 */
export function orderFor(agent: NamedAgent, plans: readonly SensorPlan[], now: number): SensorOrder {
  const bySensor = new Map<string, { readonly plan: SensorPlan; readonly sensor: SensorOrder['sensors'][number] }>();
  for (const plan of plans) {
    if ((plan.until ?? Infinity) <= now || !fits(plan, agent)) continue;
    for (const sensor of plan.sensors) bySensor.set(sensor.sensor, { plan, sensor });
  }
  const chosen = [...bySensor.values()];
  const until = Math.min(...chosen.map(({ plan }) => plan.until ?? Infinity));
  const purpose = together(chosen.map(({ plan }) => plan.purpose ?? ''));
  return {
    sensors: chosen.map(({ sensor }) => sensor),
    by: together(chosen.map(({ plan }) => plan.by)).slice(0, maxByLength),
    ...(purpose !== '' && { purpose: purpose.slice(0, maxPurposeLength) }),
    ...(until !== Infinity && { until }),
  };
}

function together(texts: readonly string[]): string {
  return [...new Set(texts.filter((text) => text !== ''))].join('; ');
}

function fits({ agents, agentIds }: SensorPlan, { id, name }: NamedAgent): boolean {
  if (!agents && !agentIds) return true;
  return (agentIds?.includes(id) ?? false) || (agents?.some((pattern) => fitsWildcard(pattern, name)) ?? false);
}
