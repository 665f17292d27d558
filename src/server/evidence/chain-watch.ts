import type { Cancel, Clock } from '../../core/clock.ts';
import type { SealedRecord } from '../../core/entry.ts';
import type { SensorName } from '../../core/sensor.ts';
import { hashOf } from '../../records/chain.ts';
import { ProtocolError } from '../../protocol/frames.ts';
import type { AgentMessage, ChainHead, Heartbeat } from '../../protocol/messages.ts';
import type { Alarm, Anchor, ChainProgress, Cursor, Evidence, NewAlarm } from '../store/evidence.ts';
import { followLines, type ChainFault } from './follow-lines.ts';

export interface WatchParts {
  readonly clock: Clock;
  readonly store: Pick<Evidence, 'beginChain' | 'chains' | 'saveChains' | 'lines'>;
  /** A new alarm, which is durable. */
  readonly onAlarm: (alarm: Alarm) => void;
  /** Called when lines cannot be verified at the moment, once until it works again. */
  readonly onFault: (why: string) => void;
}

interface Watched {
  readonly chain: string;
  readonly agentId: string;
  readonly sensor: SensorName;
  cursor: Cursor;
  anchor: Anchor | undefined;
  /** There may be lines after the cursor. */
  isStale: boolean;
  /** The anchor is not saved yet. */
  isAnchorNew: boolean;
  /** Announced but not verified yet; given up when the agent has nothing older to send for this many heartbeats. */
  awaited: { readonly n: number; readonly at: number; beats: number } | undefined;
  /** Missing lines up to this one will not come. */
  givenUpTo: number;
  /** Missing lines were reported up to this one. */
  saidMissingTo: number;
}

/** An agent begins a new chain when its folder is lost; more than this many is no accident. */
const maxChainsOfAgent = 1000;
/** What was raised only spares writes, for the store raises an alarm once; and so many wait for a store that refuses. */
const maxRemembered = 10_000;
const beatsBeforeGivingUp = 2;
/** Records committed together are verified together. */
const gatherMs = 250;
const retryMs = 5000;
const linesAtOnce = 100;

/**
 * Verifies the chains of all agents: each line against the previous one, in whatever order they arrive, and the newest against
 * the agent's heartbeats. Progress is saved; a restart verifies nothing twice and leaves nothing out.
 */
export class ChainWatch {
  readonly #parts: WatchParts;
  readonly #chains = new Map<string, Watched>();
  /** How many each agent has. */
  readonly #counts = new Map<string, number>();
  #alarms: NewAlarm[] = [];
  /** What was raised since the start: a heartbeat repeats its cause every five seconds. */
  readonly #raised = new Set<string>();
  #cancel: Cancel | undefined;
  #looking: Promise<void> | undefined;
  #isStopped = false;
  #isFailing = false;

  constructor(parts: WatchParts) {
    this.#parts = parts;
  }

  async load(): Promise<void> {
    for (const { chain, agentId, sensor, cursor, anchor, last } of await this.#parts.store.chains()) {
      this.#watch({ chain, agentId, sensor, cursor, anchor }).isStale = last > cursor.n;
    }
    this.#settleSoon();
  }

  /** Resolves when everything so far is verified and saved, if the store allows. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancel?.();
    await this.#looking;
    while (this.#hasWork && (await this.#settle()));
  }

  /** Sensor and agent of a chain; undefined if the chain is unknown. */
  find(chain: string): { readonly agentId: string; readonly sensor: SensorName } | undefined {
    return this.#chains.get(chain);
  }

  /** Whether this agent may begin another chain. */
  hasRoom(agentId: string): boolean {
    return (this.#counts.get(agentId) ?? 0) < maxChainsOfAgent;
  }

  /** A chain that is first known by one of its records. */
  adopt(agentId: string, { chain, sensor, n }: Pick<SealedRecord, 'chain' | 'sensor' | 'n'>): void {
    this.#watch({ chain, agentId, sensor, cursor: { n: n - 1, head: undefined, key: undefined }, anchor: undefined });
  }

  /** Resolves when the chain's first key is durable: true; false if the agent must begin another. @throws {ProtocolError} */
  async begin(
    agentId: string,
    { chain, sensor, key }: Extract<AgentMessage, { type: 'chain-begin' }>,
  ): Promise<boolean> {
    const known = this.#chains.get(chain);
    if (known && known.agentId !== agentId) {
      this.#noteCopy(known, agentId);
      return false;
    }
    if (!this.hasRoom(agentId)) throw new ProtocolError('quota', `expected at most ${maxChainsOfAgent} chains`);
    const begunAt = this.#parts.clock.now();
    const head = hashOf(chain);
    const verdict = await this.#parts.store.beginChain({ chain, agentId, sensor, key, head, begunAt });
    if (verdict === 'known') return true;
    if (verdict === 'taken') {
      const message = `expected chain ${chain} with the first key it had, got another: the agent's folder was copied`;
      if (known) this.raise({ chain, n: 0, cause: 'forked', message });
      throw new ProtocolError('not-your-entries', message);
    }
    const others = this.#chainsOf(agentId).filter((other) => other.sensor === sensor && isSealed(other));
    this.#watch({ chain, agentId, sensor, cursor: { n: 0, head, key }, anchor: undefined });
    const last = others.at(-1);
    if (!last) return true;
    const before = `chain ${last.chain}, verified to line ${last.cursor.n}`;
    const message = `expected the agent to go on with ${before}; it began another, as after its folder was lost or removed`;
    this.raise({ chain, n: 0, cause: 'begun-anew', message });
    return true;
  }

  /** Called with committed new records. */
  committed(records: readonly SealedRecord[]): void {
    for (const { chain } of records) {
      const watched = this.#chains.get(chain);
      if (watched) watched.isStale = true;
    }
    if (records.length > 0) this.#settleSoon();
  }

  /** Returns the chains that were announced and cannot be verified, as after a backup was restored: the agent must begin others. */
  heard({ agentId }: { readonly agentId: string }, heartbeat: Heartbeat): readonly string[] {
    const unknown: string[] = [];
    for (const head of heartbeat.chains) {
      const watched = this.#chains.get(head.chain);
      const isOwn = watched?.agentId === agentId;
      if (!isOwn || !isSealed(watched)) unknown.push(head.chain);
      if (watched && !isOwn) this.#noteCopy(watched, agentId);
      if (!isOwn) continue;
      this.#compare(watched, head);
      this.#await(watched, head.n, heartbeat);
    }
    return unknown;
  }

  /** Saved with the next round, and reported once saved. */
  raise(alarm: Omit<NewAlarm, 'at'>): void {
    const about = `${alarm.chain} ${alarm.cause} ${alarm.n}`;
    if (this.#raised.has(about) || this.#alarms.length >= maxRemembered) return;
    if (this.#raised.size >= maxRemembered) this.#raised.clear();
    this.#raised.add(about);
    this.#alarms.push({ ...alarm, at: this.#parts.clock.now() });
    this.#settleSoon();
  }

  #chainsOf(agentId: string): readonly Watched[] {
    return [...this.#chains.values()].filter((watched) => watched.agentId === agentId);
  }

  #watch(known: Pick<Watched, 'chain' | 'agentId' | 'sensor' | 'cursor' | 'anchor'>): Watched {
    const watched = {
      ...known,
      isStale: false,
      isAnchorNew: false,
      awaited: undefined,
      givenUpTo: 0,
      saidMissingTo: 0,
    };
    this.#chains.set(known.chain, watched);
    this.#counts.set(known.agentId, (this.#counts.get(known.agentId) ?? 0) + 1);
    return watched;
  }

  /** Chain ids cannot be guessed. */
  #noteCopy({ chain }: Watched, agentId: string): void {
    const message = `expected this chain from its own agent alone, got it from agent ${agentId} too: the folder of one is a copy of the other's`;
    this.raise({ chain, n: 0, cause: 'forked', message });
  }

  /** Including the newest known line. */
  #compare(watched: Watched, { n, head }: ChainHead): void {
    const { chain, anchor, cursor } = watched;
    const newest = anchor && anchor.n > cursor.n ? anchor : cursor;
    if (n > newest.n) {
      watched.anchor = { n, head };
      watched.isAnchorNew = true;
      this.#settleSoon();
    } else if (n < newest.n) {
      const message = `expected line ${newest.n}, which the agent had written, to be behind it; it is at line ${n}: its folder was set back or cut`;
      this.raise({ chain, n: newest.n, cause: 'rolled-back', message });
    } else if (newest.head !== undefined && newest.head !== head) {
      const message = `expected line ${n} as it was announced or came before, got another: the agent's folder was copied or set back`;
      this.raise({ chain, n, cause: 'forked', message });
    }
  }

  #await(watched: Watched, n: number, { at, queue, health }: Heartbeat): void {
    const { cursor, awaited, givenUpTo } = watched;
    if (!awaited || cursor.n >= awaited.n) {
      watched.awaited = n > Math.max(cursor.n, givenUpTo) ? { n, at, beats: 0 } : undefined;
      return;
    }
    // Records that an impaired spool refuses wait in the agent's memory, uncounted.
    const isSpoolWell = !health.impaired.some(({ part }) => part === 'spool');
    const isSentBefore = isSpoolWell && (queue.depth === 0 || (queue.oldestUnsentAt ?? 0) > awaited.at);
    if (!isSentBefore || ++awaited.beats < beatsBeforeGivingUp) return;
    watched.givenUpTo = awaited.n;
    watched.awaited = undefined;
    watched.isStale = true;
    this.#settleSoon();
  }

  #settleSoon(delayMs = gatherMs): void {
    if (this.#isStopped) return;
    this.#cancel ??= this.#parts.clock.after(delayMs, () => {
      this.#looking = this.#look();
    });
  }

  async #look(): Promise<void> {
    const isWell = await this.#settle();
    this.#cancel = undefined;
    if (this.#hasWork) this.#settleSoon(isWell ? gatherMs : retryMs);
  }

  get #hasWork(): boolean {
    return this.#alarms.length > 0 || this.#dirty().length > 0;
  }

  #dirty(): readonly Watched[] {
    return [...this.#chains.values()].filter(({ isStale, isAnchorNew }) => isStale || isAnchorNew);
  }

  /** One round: some lines of each chain that has any, then all that was found in one transaction. False if the store refused. */
  async #settle(): Promise<boolean> {
    // Commits and alarms from now on belong to the next round.
    const [dirty, taken] = [this.#dirty(), [...this.#alarms]];
    for (const watched of dirty) watched.isStale = false;
    try {
      const steps = [];
      for (const watched of dirty) steps.push(await this.#step(watched));
      const at = this.#parts.clock.now();
      const found = steps.flatMap(({ chain, findings }) => findings.map((finding) => ({ ...finding, chain, at })));
      const alarms = await this.#parts.store.saveChains(steps, [...taken, ...found]);
      this.#alarms = this.#alarms.slice(taken.length);
      for (const step of steps) this.#advance(step);
      for (const alarm of alarms) this.#parts.onAlarm(alarm);
      this.#isFailing = false;
    } catch (error) {
      for (const watched of dirty) watched.isStale = true;
      if (!this.#isFailing) this.#parts.onFault((error as Error).message);
      this.#isFailing = true;
    }
    return !this.#isFailing;
  }

  #advance({ chain, cursor, anchor, isEnd, saidMissingTo }: Step): void {
    const watched = this.#chains.get(chain);
    if (!watched) return;
    watched.cursor = cursor;
    watched.saidMissingTo = saidMissingTo;
    if (!isEnd) watched.isStale = true;
    if (watched.anchor === anchor) watched.isAnchorNew = false;
  }

  async #step(watched: Watched): Promise<Step> {
    const { chain, cursor: before, anchor } = watched;
    const lines = await this.#parts.store.lines({ chain, from: before.n + 1, limit: linesAtOnce });
    const areAll = lines.length < linesAtOnce;
    const givenUpTo = areAll ? watched.givenUpTo : Math.min(watched.givenUpTo, lines.at(-1)?.n ?? 0);
    const course = { chain, cursor: before, anchor, givenUpTo, saidMissingTo: watched.saidMissingTo };
    const followed = followLines(course, lines);
    const { cursor } = followed;
    return { ...followed, chain, anchor, isEnd: areAll || cursor.n === before.n };
  }
}

/** Its lines can be verified by their seals, not by their links alone. */
function isSealed({ cursor }: Watched): boolean {
  return cursor.key !== undefined;
}

interface Step extends ChainProgress {
  readonly findings: readonly ChainFault[];
  readonly saidMissingTo: number;
  readonly isEnd: boolean;
}
