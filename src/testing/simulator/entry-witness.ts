import { renewalCauses, type AbsenceItem, type Item, type ResultItem } from '../../core/entry.ts';
import type { SpoolReply, SpoolRequest } from '../../agent/spool/messages.ts';
import { RangeSet } from '../../core/ranges.ts';
import type { AgentLife } from './agent-machine.ts';
import { absenceKey, keyOf, type Declared } from './kept-results.ts';
import type { World } from './world.ts';

/** A result as the agent gave it to its spool. */
export interface Appended {
  readonly agentId: string;
  readonly item: ResultItem | AbsenceItem;
  readonly key: string;
  readonly droppable: boolean;
  /** A copy of the agent's folder said it. */
  readonly isOfCopy: boolean;
  /** True time, and the order among all. */
  readonly atMs: number;
  readonly order: number;
  /** Where it stands once it is synced. */
  recorded?: { readonly epoch: string; readonly seq: number } | undefined;
  /** Why it may be lost without a word: the disk that had it is no more. */
  excuse?: string | undefined;
}

export type AppendedResult = Appended & { readonly item: ResultItem };

const keptSince = Date.UTC(2025, 11, 31, 12);
/** What was recorded a moment ago may be on its way. */
const transitMs = 60_000;

/** What a store knows, in the words of the store. */
export interface Kept {
  /** How often each result is stored, by its key. */
  readonly counts: ReadonlyMap<string, number>;
  gapsOf(agentId: string): readonly Declared[];
}

/** Remembers every result that an agent recorded, and compares that with what the server keeps. */
export class EntryWitness {
  recordedCount = 0;
  readonly #world: World;
  readonly #byKey = new Map<string, Appended[]>();
  readonly #byTask = new Map<string, AppendedResult[]>();
  readonly #byLife = new Map<number, Map<number, Appended>>();

  constructor(world: World) {
    this.#world = world;
  }

  /** Of each task, in the order in which they were given to a spool. */
  get tasks(): ReadonlyMap<string, readonly AppendedResult[]> {
    return this.#byTask;
  }

  byKey(key: string): readonly Appended[] {
    return this.#byKey.get(key) ?? [];
  }

  /** Returns what was appended, gaps and records apart. */
  onRequest(
    agentId: string,
    life: AgentLife,
    { request, isOfCopy }: { readonly request: SpoolRequest; readonly isOfCopy: boolean },
  ): readonly (ResultItem | AbsenceItem)[] {
    if (request.type !== 'append') return [];
    const tickets = this.#byLife.getOrInsertComputed(life.id, () => new Map());
    return request.jsons.flatMap((json, index) => {
      if (json === '') return [];
      const item = JSON.parse(json) as Item;
      if (item.kind !== 'result' && item.kind !== 'absence') return [];
      const key = item.kind === 'result' ? keyOf(item) : absenceKey(agentId, item.from, item.to);
      const place = { atMs: this.#world.nowMs, order: this.#world.nextNumber() };
      const droppable = request.droppable[index] === 'd';
      const appended: Appended = { agentId, item, key, droppable, isOfCopy, ...place };
      if (item.kind === 'absence' && item.to < keptSince) appended.excuse = 'retention drops what a wrong clock says';
      tickets.set(request.firstTicket + index, appended);
      this.#byKey.getOrInsertComputed(key, () => []).push(appended);
      if (item.kind === 'result') this.#byTask.getOrInsertComputed(item.taskId, () => []).push({ ...appended, item });
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
      this.#world.note(`recorded ${appended.key} ${said(appended)} as ${seq}`);
    }
  }

  /** The disk of this agent went back, or away: what it recorded since then need not come. */
  excuse(agentId: string, sinceMs: number, why: string): void {
    for (const appended of [...this.#byKey.values()].flat())
      if (appended.agentId === agentId && appended.atMs >= sinceMs) appended.excuse ??= why;
  }

  /** A copy of the agent's folder is gone with what it had not sent. */
  excuseCopy(agentId: string): void {
    for (const appended of [...this.#byKey.values()].flat())
      if (appended.agentId === agentId && appended.isOfCopy) appended.excuse ??= 'the copy is gone';
  }

  /**
   * Each recorded result is stored once, or declared missing with a reason; and nothing else is stored. That a server sees a hole
   * among the numbers is no reason.
   */
  check(kept: Kept): void {
    const { counts } = kept;
    const declared = new Map<string, RangeSet>();
    const declaredFor = (agentId: string, epoch: string): RangeSet =>
      declared.getOrInsertComputed(`${agentId} ${epoch}`, () => {
        // What is sent again in a later epoch is declared there; that epoch's own beginning closes numbers and declares none.
        const gaps = kept.gapsOf(agentId).filter((gap) => gap.epoch === epoch || !isRenewal(gap.cause));
        return new RangeSet(gaps.flatMap(({ ranges }) => ranges));
      });
    for (const [key, appended] of this.#byKey) {
      const count = counts.get(key) ?? 0;
      if (count > appended.length) this.#world.find('stored once', `${key} is stored ${count} times`);
      const isMissing = (each: Appended): boolean =>
        each.recorded !== undefined &&
        this.#world.nowMs - each.atMs > transitMs &&
        each.excuse === undefined &&
        !declaredFor(each.agentId, each.recorded.epoch).has(each.recorded.seq);
      const mustHave = appended.filter(isMissing);
      if (count < mustHave.length) this.#lost(mustHave[0]);
    }
    for (const key of counts.keys())
      if (!this.#byKey.has(key)) this.#world.find('nothing invented', `${key} is stored, and no agent said it`);
  }

  #lost(appended: Appended | undefined): void {
    if (!appended?.recorded) return;
    const { agentId, key, recorded } = appended;
    const text = `${key} (${said(appended)}) of agent ${agentId}, number ${recorded.seq} of epoch ${recorded.epoch}`;
    this.#world.find('recorded is stored or declared missing', text);
  }
}

function said({ item }: Appended): string {
  return item.kind === 'result' ? item.status : 'absent';
}

function isRenewal(cause: string): boolean {
  return (renewalCauses as readonly string[]).includes(cause);
}
