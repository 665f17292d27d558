import type { Absence, Entry, GapItem, ReceivedResult, SealedRecord, SeqRange } from '../../core/entry.ts';
import type { JsonObject } from '../../core/outcome.ts';
import type { Accounts } from './accounts.ts';
import type { CommittedRecords, Evidence, RecordsBefore } from './evidence.ts';
import type { Notices } from './notices.ts';
import type { Outbox } from './outbox.ts';
import type { Rooms } from './rooms.ts';
import type { States } from './states.ts';
import type { Resolution, Summary } from './summary.ts';

/**
 * The server's durable state. A resolved operation is on disk; a rejected one has not happened, unless the store was closed
 * meanwhile. Operations reject with an AppError: `unavailable` when the same call may succeed later (disk full, too much waiting),
 * `usage` when it never will.
 */
export interface Store
  extends Ledger, History, States, Outbox, Evidence, Notices, Rooms, Registry, Accounts, Maintenance, AsyncDisposable {}

/** Entries of agents, each stored once. */
export interface Ledger {
  /**
   * Keeps the entries that are new and resolves when they are durable. Commits that wait for the same disk write share it.
   * Rejects `unavailable` beyond the limit of what may wait, `usage` if the agent's numbers are no longer nearly contiguous.
   */
  commit(batch: Batch): Promise<Committed>;
  /**
   * Sequence numbers that need not be sent again: kept, or closed by a gap. Ascending and disjoint. If the agent has begun another
   * epoch since, a number that it never gave away is among them: it sees that its folder is an older one, and begins a new epoch.
   * In the old one nothing that it says would ever be the newest.
   */
  received(agentId: string, epoch: string): Promise<readonly SeqRange[]>;
  /** Every epoch of every agent whose numbers have holes, and the holes: entries that are on their way, or lost. */
  missing(): Promise<readonly Missing[]>;
  /** Gaps that agents declared, oldest first. */
  gaps(agentId: string): Promise<readonly Gap[]>;
}

export interface Batch {
  readonly agentId: string;
  readonly epoch: string;
  readonly entries: readonly Entry[];
  /** The records among the entries, parsed; a record that is missing here is not stored. */
  readonly records?: readonly SealedRecord[];
  /** When the server received it, epoch milliseconds. */
  readonly receivedAt?: number;
  /** The agent's clock minus the server's when it was received. */
  readonly clockOffsetMs?: number;
}

export interface Committed extends CommittedRecords, KeptResults {
  /** The numbers of this batch that were not received before; ascending and disjoint. */
  readonly added: readonly SeqRange[];
}

/** What became of the results of a batch, by number; ascending and disjoint. */
export interface KeptResults {
  /** Each is the newest of its task: of the later epoch, in the order in which they were first met, and the highest number in it. */
  readonly newest: readonly SeqRange[];
  /** They are older than what is kept: a gap says so in their place. */
  readonly tooOld: readonly SeqRange[];
  /** Another entry was received under the same number: they are not kept, and a gap says so. */
  readonly conflicting: readonly SeqRange[];
}

export interface Missing {
  readonly agentId: string;
  readonly epoch: string;
  readonly ranges: readonly SeqRange[];
}

export interface Gap extends Omit<GapItem, 'kind' | 'cause'> {
  readonly epoch: string;
  /**
   * `too-old`: the results came, and their time is no longer kept. `conflicting`: they came, and their numbers belong to other
   * entries. `at` is that of the oldest.
   */
  readonly cause: GapItem['cause'] | 'too-old' | 'conflicting';
  /** When the server was told, epoch milliseconds; 0 if it did not say. */
  readonly receivedAt: number;
}

/** Queries on measurements. */
export interface History {
  /**
   * Results of a task whose slots lie in [from, to), oldest first, `limit` at most. Times are exact to the millisecond; once their hour
   * is sealed, latency, duration and fractional metrics are exact to 1 % of the hour's median; columns of whole numbers stay exact.
   */
  results(query: ResultQuery): Promise<readonly StoredResult[]>;
  /** The newest result of every task, as `Committed.newest` has it. */
  latest(): Promise<readonly StoredResult[]>;
  /** One summary for each minute, hour or day of [from, to) that has results, oldest first. Buckets are UTC. */
  summaries(query: SummaryQuery): Promise<readonly Summary[]>;
  /**
   * The times in [from, to) in which the agent of the task ran nothing or was not heard, oldest first. Where it has results of the
   * task within such a time, it ran until the last of them.
   */
  absences(query: TimeRange & { readonly taskId: string }): Promise<readonly Absence[]>;
}

export interface StoredResult extends ReceivedResult {
  readonly agentId: string;
}

export interface TimeRange {
  /** Epoch milliseconds, included. */
  readonly from: number;
  /** Epoch milliseconds, not included. */
  readonly to: number;
}

export interface ResultQuery extends TimeRange {
  readonly taskId: string;
  /** 1 to 100,000. */
  readonly limit: number;
}

export interface SummaryQuery extends TimeRange {
  readonly taskId: string;
  readonly resolution: Resolution;
}

/** Agents, monitors and tasks. */
export interface Registry {
  /** Adds or replaces an agent. */
  saveAgent(agent: Agent): Promise<void>;
  /**
   * Adds the agent or brings it back, and uses its token up, in one step; without a token it is one that this server called.
   * Of any number of concurrent calls with one token one gets `accepted`; an id stays with the key that had it first.
   */
  joinAgent(agent: Agent, token?: TokenUse): Promise<JoinVerdict>;
  agents(): Promise<readonly Agent[]>;
  /** False if there is no such agent, or it is revoked already. */
  revokeAgent(agentId: string, at: number): Promise<boolean>;
  /** Revokes the agent, and forgets it once nothing of it is kept any more. False if there is no such agent, or it is removed already. */
  removeAgent(agentId: string, at: number): Promise<boolean>;

  /** Keeps what is known of agents: each state replaces the one before. Of agents that do not exist nothing is kept. */
  saveAgentStates(states: readonly StoredAgentState[]): Promise<void>;
  /** Of an agent that does not exist nothing is kept. */
  saveAbsence(agentId: string, absence: Absence): Promise<void>;
  agentStates(): Promise<readonly StoredAgentState[]>;

  createJoinToken(token: JoinToken): Promise<void>;
  /** Undefined if there is no such token. */
  joinToken(tokenId: string): Promise<Pick<JoinToken, 'key' | 'numbersNames'> | undefined>;

  /** Adds the monitor or replaces its definition. */
  saveMonitor(monitor: SavedMonitor): Promise<void>;
  monitors(): Promise<readonly SavedMonitor[]>;
  /** False if there is no such monitor. Its results stay until retention drops them. */
  deleteMonitor(monitorId: string, at: number): Promise<boolean>;
  /** Records that a person paused or resumed a monitor. */
  setPaused(monitorId: string, isPaused: boolean): Promise<void>;
  /** Ids of paused monitors. */
  paused(): Promise<readonly string[]>;

  /** The tasks of these monitors on this agent, made where there is none yet: the same pair has the same id for ever. */
  assignTasks(agentId: string, monitorIds: readonly string[]): Promise<Assignment>;
  /** Every task that was ever assigned. */
  tasks(): Promise<readonly KnownTask[]>;
  /** Every task that has results, or summaries, also of monitors and agents that are gone. */
  measured(): Promise<readonly MeasuredTask[]>;
}

export interface Agent {
  readonly id: string;
  readonly name: string;
  readonly publicKey: string;
  readonly joinedAt: number;
  readonly revokedAt?: number;
  /** It is no longer listed, and goes when the last of its results, gaps and records has gone. */
  readonly removedAt?: number;
}

export interface StoredAgentState {
  readonly agentId: string;
  readonly state: JsonObject;
}

export interface JoinToken {
  readonly id: string;
  /** Proves the secret and is not it; the secret itself is never kept. */
  readonly key: string;
  readonly createdAt: number;
  readonly expiresAt: number;
  /** An agent whose name is taken gets a number behind it. */
  readonly numbersNames: boolean;
}

export interface TokenUse {
  readonly id: string;
  readonly at: number;
}

/** `unknown`, `expired` and `used` are said of the token, `taken` of the id: it belongs to another key. */
export type JoinVerdict = 'accepted' | 'unknown' | 'expired' | 'used' | 'taken';

/** A monitor made through the API; its definition is what the API took. */
export interface SavedMonitor {
  readonly id: string;
  readonly definition: JsonObject;
}

export interface Assignment {
  /** Higher than that of any assignment of this agent before. */
  readonly revision: number;
  readonly tasks: readonly AssignedTask[];
}

export interface AssignedTask {
  /** UUID v7. */
  readonly id: string;
  readonly monitorId: string;
}

export interface KnownTask extends AssignedTask {
  readonly agentId: string;
}

export interface MeasuredTask extends KnownTask {
  /** Of a monitor that was made through the API, as it was last called; undefined for those of a file. */
  readonly monitorName: string | undefined;
  /** As its agent was last called; undefined if it was never known here. */
  readonly agentName: string | undefined;
}

/** What keeps the store small and sound; called from time to time, while commits continue. */
export interface Maintenance {
  /** Packs the hours that ended before, with what came late for hours packed earlier. Resolves to the number of hours packed. */
  seal(before: number): Promise<number>;
  /** The time by which `retain` last decided; undefined if it never did. Epoch milliseconds. */
  decidedAt(): Promise<number | undefined>;
  /**
   * Drops, for good, what is older; what arrives for such times later is not kept, and a gap says so. What then belongs to nothing
   * any more goes too.
   */
  retain(cutoffs: Cutoffs): Promise<Dropped>;
  /** Writes a consistent copy to a new file while the store is in use. */
  backup(file: string): Promise<void>;
  /** Reads all stored data and returns its faults; empty if there are none. */
  verify(): Promise<readonly string[]>;
}

/** Epoch milliseconds before which each class of data is dropped, at the precision of an hour. */
export interface Cutoffs {
  /** The time that the rest is worked out from. */
  readonly decidedAt: number;
  readonly resultsBefore: number;
  readonly hoursBefore: number;
  readonly daysBefore: number;
  /** To the millisecond; all of a sensor that is not here are kept. */
  readonly recordsBefore?: RecordsBefore;
  /** Every monitor that there is; tasks of others go with the last of their results. No task goes if absent. */
  readonly monitorIds?: readonly string[];
}

/** Ids of what there is no longer. */
export interface Dropped {
  readonly tasks: string[];
  readonly agents: string[];
}
