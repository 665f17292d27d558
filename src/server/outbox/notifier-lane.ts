import { Quota } from '../../core/quota.ts';
import type { MessageReceipt } from '../../core/message.ts';
import type { NotifierPlan } from '../../notify/notifier-plan.ts';
import type { SendPorts, SendResult } from '../../notify/notifier.ts';
import { sendMessage } from '../../notify/send.ts';
import type { NewOutboxRow, Outbox, OutboxChange, OutboxRow } from '../store/outbox.ts';
import { backoffMs } from './backoff.ts';
import { planDelivery, type Background, type PlannedDelivery } from './delivery-plan.ts';
import { endsIncident } from './digest.ts';
import { copiesFor, outageRows, reminderOf } from './further-rows.ts';

export interface LanePorts extends SendPorts {
  readonly outbox: Outbox;
  /** 0 to 1. */
  readonly random: () => number;
  readonly onHealth: (health: NotifierHealth) => void;
  /** A bug, or a store that does not answer. */
  readonly onError: (error: unknown) => void;
}

/** `failing`: tried again by itself; `broken`: somebody has to change something. */
export interface NotifierHealth {
  readonly notifier: string;
  readonly state: 'working' | 'failing' | 'broken';
  /** Since when it does not work, epoch milliseconds. */
  readonly since?: number;
  /** What the provider says. */
  readonly text: string;
}

const leaseMs = 60_000;
/** Two attempts of a message, the second in its short form, take this long at most. */
const longestSendMs = 45_000;
const claimLimit = 5000;
/** A broken notifier is asked again now and then: somebody may have mended it on the other side. */
const brokenRetryMs = 15 * 60_000;
/** Clocks are corrected by less while they run. */
const clockStepMs = 5000;
const digestEveryMs = 60_000;
const fallbackAfterMs = 120_000;
/** No row is put off for longer, but by quiet hours. */
const longestWaitMs = 3_600_000;

/** Sends what waits for one notifier, a message after the other. */
export class NotifierLane {
  readonly plan: NotifierPlan;
  readonly #ports: LanePorts;
  readonly #stop: AbortSignal;
  readonly #cap: Quota;
  readonly #pace: Quota;
  #failures = 0;
  #failingSince: number | undefined;
  #isBroken = false;
  /** Nothing is sent before, by the monotonic clock. */
  #notBeforeMs = 0;
  #isFresh = true;
  /** The wall clock minus the monotonic one, when it was last looked at. */
  #skewMs: number;

  constructor(plan: NotifierPlan, ports: LanePorts, stop: AbortSignal) {
    this.plan = plan;
    this.#ports = ports;
    this.#stop = stop;
    this.#cap = new Quota(ports.clock, { burst: plan.perMinute, perSecond: plan.perMinute / 60 });
    this.#pace = new Quota(ports.clock, plan.channel.type.rate);
    this.#skewMs = this.#skewNow();
  }

  /** When rows that are due at `dueAt` can be worked on. */
  readyAt(dueAt: number): number {
    if (this.#isFresh || this.#steppedMs() !== 0) return 0;
    return Math.max(dueAt, Math.min(this.#notBefore(), this.#copiesDueAt()));
  }

  /** Works on everything that is due. */
  async run(): Promise<void> {
    const { clock, outbox } = this.#ports;
    const now = clock.now();
    const steppedMs = this.#steppedMs();
    this.#skewMs = this.#skewNow();
    // After a start, and when the clock was set, rows that were put off are due again: else the end of an incident could
    // overtake its beginning.
    const isAnew = this.#isFresh || steppedMs !== 0;
    const aheadMs = isAnew ? longestWaitMs + Math.max(0, -steppedMs) : 0;
    const wanted = { notifier: this.plan.name, now: now + aheadMs, leaseMs: leaseMs - aheadMs, limit: claimLimit };
    const rows = await outbox.claim(wanted);
    this.#isFresh = false;
    if (rows.length === 0) return;
    if (clock.monotonic() < this.#notBeforeMs) return await this.#keepWaiting(rows);
    await this.#deliver(rows, now);
  }

  async #deliver(rows: readonly OutboxRow[], now: number): Promise<void> {
    const { outbox, clock } = this.#ports;
    // Over a restart the rows know when an outage began.
    const tried = rows.filter(({ attempts }) => attempts > 0).flatMap(({ triedAt }) => triedAt ?? []);
    if (tried.length > 0) this.#failingSince ??= Math.min(...tried);
    const { changes, deliveries } = planDelivery(rows, this.plan, {
      now,
      left: this.#cap.left,
      wasFailing: this.#failingSince !== undefined,
      backgroundOf: await this.#backgrounds(rows),
    });
    if (changes.length > 0) await outbox.settle(changes);
    if (deliveries.length > 0 && this.#cap.left < 1) return await this.#holdForDigest(deliveries, now);
    const untilMs = clock.monotonic() + leaseMs - longestSendMs;
    for (const [index, delivery] of deliveries.entries()) {
      const waitMs = Math.max(this.#pace.waitMs, clock.monotonic() > untilMs ? 1 : 0);
      const mayGoOn = waitMs === 0 && (await this.#send(delivery));
      if (!mayGoOn) return await this.#putBack(deliveries.slice(waitMs === 0 ? index + 1 : index), waitMs);
    }
  }

  async #backgrounds(rows: readonly OutboxRow[]): Promise<(incident: string) => Background> {
    const { outbox } = this.#ports;
    const found = new Map<string, Background>();
    const asking = rows.filter(
      (row) => endsIncident(row.message) || row.kind === 'reminder' || row.kind === 'escalation',
    );
    for (const { incident } of asking) {
      if (found.has(incident)) continue;
      const [standing, told] = await Promise.all([outbox.standing(incident), outbox.told(incident, this.plan.name)]);
      found.set(incident, { standing, told });
    }
    return (incident) => found.get(incident) ?? { standing: undefined, told: undefined };
  }

  /** False if the lane has to wait now. */
  async #send({ settled, message }: PlannedDelivery): Promise<boolean> {
    const { outbox, net, clock } = this.#ports;
    const rows = settled.flatMap(({ rows }) => rows);
    const previous = message.kind === 'digest' ? undefined : await this.#receiptOf(rows);
    this.#cap.take(1);
    this.#pace.take(1);
    const result = await this.#attempt(() =>
      sendMessage(this.plan.channel, { message, previous, signal: this.#stop }, { net, clock }),
    );
    if (!result) {
      await outbox.settle(rows.map(released));
      return false;
    }
    const at = clock.now();
    if (result.outcome === 'delivered' || result.outcome === 'refused') {
      const isDelivered = result.outcome === 'delivered';
      const news = isDelivered ? this.#works(result.text ?? '') : [];
      const added = isDelivered ? reminderOf(rows, at) : copiesFor(this.plan.fallback, rows, at);
      await outbox.settle(finished(rows, result, { at, isDigest: message.kind === 'digest' }), [...added, ...news]);
      return true;
    }
    await this.#fail(rows, result);
    return false;
  }

  /** Undefined if the server stops meanwhile. A bug in one notifier must not stop the others: its message is tried again. */
  async #attempt(send: () => Promise<SendResult>): Promise<SendResult | undefined> {
    try {
      return await send();
    } catch (error) {
      if (this.#stop.aborted) return undefined;
      this.#ports.onError(error);
      return { outcome: 'retry', text: 'an internal error, which the log of the server has' };
    }
  }

  async #receiptOf(rows: readonly OutboxRow[]): Promise<MessageReceipt | undefined> {
    const [first] = rows;
    return first && (await this.#ports.outbox.receipt(first.incident, this.plan.name));
  }

  /** The news for its fallback, if that was told that it does not work. */
  #works(text: string): readonly NewOutboxRow[] {
    const [since, isBroken] = [this.#failingSince, this.#isBroken];
    const now = this.#ports.clock.now();
    const isTold = now >= this.#copiesDueAt();
    [this.#failures, this.#failingSince, this.#isBroken, this.#notBeforeMs] = [0, undefined, false, 0];
    if (since === undefined) return [];
    this.#ports.onHealth({ notifier: this.plan.name, state: 'working', text });
    return isTold ? outageRows(this.plan, { since, until: now, text, isBroken }) : [];
  }

  async #fail(
    rows: readonly OutboxRow[],
    result: Exclude<SendResult, { readonly outcome: 'delivered' }>,
  ): Promise<void> {
    const { clock, random, onHealth } = this.#ports;
    const now = clock.now();
    const isBroken = result.outcome === 'broken';
    this.#failures += 1;
    const isNews = this.#failures === 1 || isBroken !== this.#isBroken;
    this.#failingSince ??= now;
    this.#isBroken = isBroken;
    const waitMs = isBroken
      ? brokenRetryMs
      : backoffMs(this.#failures, random(), 'afterMs' in result ? result.afterMs : undefined);
    this.#notBeforeMs = clock.monotonic() + waitMs;
    const state = isBroken ? 'broken' : 'failing';
    if (isNews) onHealth({ notifier: this.plan.name, state, since: this.#failingSince, text: result.text });
    await this.#putOff(rows, { tried: 1, text: result.text });
  }

  /** Rows that came while the provider fails are not sent; the fallback gets them. */
  async #keepWaiting(rows: readonly OutboxRow[]): Promise<void> {
    await this.#putOff(rows, { tried: 0, text: 'waits for the notifier to work again' });
  }

  async #putOff(
    rows: readonly OutboxRow[],
    { tried, text }: { readonly tried: number; readonly text: string },
  ): Promise<void> {
    const now = this.#ports.clock.now();
    const copiesDueAt = this.#copiesDueAt();
    const notBefore = Math.max(now, this.#notBefore());
    const dueAt = now < copiesDueAt ? Math.min(notBefore, copiesDueAt) : notBefore;
    const changes = rows.map((row): OutboxChange => ({
      id: row.id,
      dueAt,
      attempts: row.attempts + tried,
      triedAt: row.triedAt ?? this.#failingSince ?? now,
      ...(row.held !== undefined && { held: row.held }),
      text,
    }));
    await this.#ports.outbox.settle(changes, now < copiesDueAt ? [] : this.#handOn(rows, text));
  }

  #handOn(rows: readonly OutboxRow[], text: string): readonly NewOutboxRow[] {
    const now = this.#ports.clock.now();
    const outage = { since: this.#failingSince ?? now, text, isBroken: this.#isBroken };
    return [...outageRows(this.plan, outage), ...copiesFor(this.plan.fallback, rows, now)];
  }

  #copiesDueAt(): number {
    const isPossible = this.plan.fallback !== undefined && this.#failingSince !== undefined;
    return isPossible ? (this.#failingSince ?? 0) + fallbackAfterMs : Infinity;
  }

  /** The cap is reached: what comes within a minute is told together. */
  async #holdForDigest(deliveries: readonly PlannedDelivery[], now: number): Promise<void> {
    this.#notBeforeMs = this.#ports.clock.monotonic() + digestEveryMs;
    const dueAt = now + digestEveryMs;
    const held = `more than ${this.plan.perMinute} messages in a minute`;
    const rows = rowsOf(deliveries);
    await this.#ports.outbox.settle(rows.map(({ id, attempts }) => ({ id, attempts, dueAt, held })));
  }

  /** As an instant, epoch milliseconds; long ago if there is nothing to wait for. */
  #notBefore(): number {
    const waitMs = this.#notBeforeMs - this.#ports.clock.monotonic();
    return waitMs > 0 ? this.#ports.clock.now() + waitMs : 0;
  }

  #skewNow(): number {
    return this.#ports.clock.now() - this.#ports.clock.monotonic();
  }

  /** By how much the wall clock was set since it was last looked at; 0 for what is only its correction. */
  #steppedMs(): number {
    const steppedMs = this.#skewNow() - this.#skewMs;
    return Math.abs(steppedMs) > clockStepMs ? steppedMs : 0;
  }

  async #putBack(deliveries: readonly PlannedDelivery[], waitMs: number): Promise<void> {
    if (waitMs > 0) this.#notBeforeMs = Math.max(this.#notBeforeMs, this.#ports.clock.monotonic() + waitMs);
    const rows = rowsOf(deliveries);
    if (rows.length > 0) await this.#ports.outbox.settle(rows.map(released));
  }
}

function rowsOf(deliveries: readonly PlannedDelivery[]): readonly OutboxRow[] {
  return deliveries.flatMap(({ settled }) => settled.flatMap(({ rows }) => rows));
}

function released({ id, dueAt, attempts, held }: OutboxRow): OutboxChange {
  return { id, dueAt, attempts, ...(held !== undefined && { held }) };
}

function finished(
  rows: readonly OutboxRow[],
  result: Extract<SendResult, { readonly outcome: 'delivered' | 'refused' }>,
  { at, isDigest }: { readonly at: number; readonly isDigest: boolean },
): readonly OutboxChange[] {
  const { outcome, text } = result;
  const receipt = outcome === 'delivered' && !isDigest ? result.receipt : undefined;
  return rows.map(({ id }, index): OutboxChange => {
    const isTold = isDigest || index === rows.length - 1;
    const own = outcome === 'refused' ? 'refused' : isDigest ? 'digested' : isTold ? 'delivered' : 'superseded';
    return { id, outcome: own, at, ...(text !== undefined && { text }), ...(isTold && receipt && { receipt }) };
  });
}
