import type { ResultItem } from '../../core/entry.ts';
import type { SpoolReply, SpoolRequest } from '../../agent/spool/messages.ts';
import { RangeSet } from '../../core/ranges.ts';
import type { Gap, StoredResult } from '../../server/store/store.ts';
import type { AgentLife } from './agent-machine.ts';
import type { World } from './world.ts';

/** A result as the agent gave it to its spool. */
export interface Appended {
  readonly agentId: string;
  readonly item: ResultItem;
  readonly key: string;
  readonly droppable: boolean;
  /** True time, and the order among all. */
  readonly atMs: number;
  readonly order: number;
  /** Where it stands once it is synced. */
  recorded?: { readonly epoch: string; readonly seq: number } | undefined;
  /** Why it may be lost without a word: the disk that had it is no more. */
  excuse?: string | undefined;
}

/** What was recorded a moment ago may be on its way. */
const transitMs = 60_000;

/** What a store knows, in the words of the store. */
export interface Kept {
  readonly results: readonly StoredResult[];
  gapsOf(agentId: string): readonly Gap[];
  /** Numbers that the store says are missing. */
  readonly missing: readonly {
    readonly agentId: string;
    readonly epoch: string;
    readonly ranges: readonly (readonly [number, number])[];
  }[];
}

/** Names one run of one task, as exactly as the store keeps it. */
export function keyOf({
  taskId,
  scheduledAt,
  startedAt,
}: Pick<ResultItem, 'taskId' | 'scheduledAt' | 'startedAt'>): string {
  return `${taskId} ${Math.round(scheduledAt)} ${Math.round(startedAt)}`;
}

/** Remembers every result that an agent recorded, and compares that with what the server keeps. */
export class EntryWitness {
  recordedCount = 0;
  readonly #world: World;
  readonly #byKey = new Map<string, Appended[]>();
  readonly #byLife = new Map<number, Map<number, Appended>>();

  constructor(world: World) {
    this.#world = world;
  }

  /** Every result that is known here, in the order in which they were given to a spool. */
  get all(): readonly Appended[] {
    return [...this.#byKey.values()].flat();
  }

  byKey(key: string): readonly Appended[] {
    return this.#byKey.get(key) ?? [];
  }

  /** Returns the results among the appended entries. */
  onRequest(agentId: string, life: AgentLife, request: SpoolRequest): readonly ResultItem[] {
    if (request.type !== 'append') return [];
    const tickets = this.#byLife.getOrInsertComputed(life.id, () => new Map());
    return request.jsons.flatMap((json, index) => {
      if (json === '') return [];
      const item = JSON.parse(json) as ResultItem;
      if (item.kind !== 'result') return [];
      const key = keyOf(item);
      const place = { atMs: this.#world.nowMs, order: this.#world.nextNumber() };
      const appended: Appended = { agentId, item, key, droppable: request.droppable[index] === 'd', ...place };
      tickets.set(request.firstTicket + index, appended);
      this.#byKey.getOrInsertComputed(key, () => []).push(appended);
      return [item];
    });
  }

  onReply(life: AgentLife, reply: SpoolReply): void {
    if (reply.type !== 'receipts') return;
    for (const { ticket, seq } of reply.receipts) {
      const appended = this.#byLife.get(life.id)?.get(ticket);
      this.#byLife.get(life.id)?.delete(ticket);
      if (!appended || seq === undefined) continue;
      appended.recorded = { epoch: String(reply.stats.epoch), seq };
      this.recordedCount++;
      this.#world.note(`recorded ${appended.key} ${appended.item.status} as ${seq}`);
    }
  }

  /** The disk of this agent went back, or away: what it recorded since then need not come. */
  excuse(agentId: string, sinceMs: number, why: string): void {
    for (const appended of this.all)
      if (appended.agentId === agentId && appended.atMs >= sinceMs) appended.excuse ??= why;
  }

  /** Each recorded result is stored once, or declared missing; and nothing else is stored. */
  check(kept: Kept): void {
    const { results, missing } = kept;
    const stored = Map.groupBy(results, keyOf);
    const declared = new Map<string, RangeSet>();
    const declaredFor = (agentId: string, epoch: string): RangeSet =>
      declared.getOrInsertComputed(`${agentId} ${epoch}`, () => {
        const gaps = kept.gapsOf(agentId).filter((gap) => gap.epoch === epoch);
        const holes = missing.filter((hole) => hole.agentId === agentId && hole.epoch === epoch);
        return new RangeSet([...gaps, ...holes].flatMap(({ ranges }) => ranges));
      });
    for (const [key, appended] of this.#byKey) {
      const count = stored.get(key)?.length ?? 0;
      if (count > appended.length) this.#world.find('stored once', `${key} is stored ${count} times`);
      const isMissing = (each: Appended): boolean =>
        each.recorded !== undefined &&
        this.#world.nowMs - each.atMs > transitMs &&
        each.excuse === undefined &&
        !declaredFor(each.agentId, each.recorded.epoch).has(each.recorded.seq);
      const mustHave = appended.filter(isMissing);
      if (count < mustHave.length) this.#lost(mustHave[0]);
    }
    for (const [key, [result]] of stored)
      if (!this.#byKey.has(key))
        this.#world.find('nothing invented', `${key} (${result?.status}) is stored, and no agent said it`);
  }

  #lost(appended: Appended | undefined): void {
    if (!appended?.recorded) return;
    const { agentId, key, item, recorded } = appended;
    const text = `${key} (${item.status}) of agent ${agentId}, number ${recorded.seq} of epoch ${recorded.epoch}`;
    this.#world.find('recorded is stored or declared missing', text);
  }
}
