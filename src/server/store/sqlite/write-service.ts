import { existsSync, renameSync, rmSync } from 'node:fs';
import { backup, type DatabaseSync } from 'node:sqlite';
import type { Clock } from '../../../core/clock.ts';
import { AppError } from '../../../core/errors.ts';
import type { Cutoffs, Dropped } from '../store.ts';
import { AccountWriter } from './accounts.ts';
import { DamagedHours } from './damaged-hours.ts';
import { openForReading, type Notice } from './database.ts';
import { LedgerWriter } from './ledger.ts';
import { Leftovers } from './leftovers.ts';
import type { WriterOperations } from './messages.ts';
import { NoticeWriter } from './notices.ts';
import { OutboxWriter } from './outbox.ts';
import { RecordWriter } from './record-writer.ts';
import { RoomWriter } from './rooms.ts';
import { RegistryWriter } from './registry.ts';
import type { Service } from './serve.ts';
import { StateWriter } from './state-writer.ts';
import { Upkeeper } from './upkeep.ts';
import { WriteQueue } from './write-queue.ts';

export interface WriteServiceParts {
  readonly db: DatabaseSync;
  readonly folder: string;
  readonly clock: Clock;
  /** A new UUID v7. */
  readonly newId: () => string;
  readonly say: (notice: Notice) => void;
}

/** The operations that write, for the only writer of the database. */
export function writeService({ db, folder, clock, newId, say }: WriteServiceParts): Service {
  const notices = new NoticeWriter(db);
  const records = new RecordWriter(db, notices);
  const outbox = new OutboxWriter(db, clock);
  const states = new StateWriter(db, { clock, outbox });
  const ledger = new LedgerWriter(db, { records, states });
  const onRollback = (): void => {
    ledger.forget();
    states.forget();
  };
  const queue = new WriteQueue(db, { clock, say, onRollback });
  const rooms = new RoomWriter(db);
  const accounts = new AccountWriter(db);
  const leftovers = new Leftovers(db, ledger);
  const upkeep = new Upkeeper(db, { ledger, damaged: new DamagedHours(db, say) });
  const operations: WriterOperations = {
    commit: (batch) => queue.add(() => ledger.commit(batch)),
    ...registryOperations(queue, new RegistryWriter(db, newId)),
    beginChain: (chain) => queue.add(() => records.beginChain(chain)),
    setRooms: (origin, list) => queue.add(() => rooms.setRooms(origin, list)),
    saveSession: (session) => queue.add(() => rooms.saveSession(session)),
    saveAccount: (account) => queue.add(() => accounts.saveAccount(account)),
    saveSignIn: (signIn) => queue.add(() => accounts.saveSignIn(signIn)),
    endSignIn: (key) => queue.add(() => accounts.endSignIn(key)),
    addNotice: (notice) => queue.add(() => notices.add(notice)),
    acknowledge: (id, acknowledged) => queue.add(() => notices.acknowledge(id, acknowledged)),
    saveChains: (progress, alarms) => queue.add(() => records.saveChains(progress, alarms)),
    ...stateOperations(queue, { states, outbox }),
    seal: (before) => sealAll(() => queue.add(() => upkeep.sealSome(before))),
    retain: (cutoffs) => retain(queue, cutoffs, { upkeep, records, leftovers }),
    backup: (file) => backUp(folder, file),
  };

  const close = (): void => {
    queue.close();
    db.close();
  };
  return { operations, close };
}

function registryOperations(queue: WriteQueue, registry: RegistryWriter) {
  return {
    saveAgent: (agent) => queue.add(() => registry.saveAgent(agent)),
    joinAgent: (agent, token) => queue.add(() => registry.joinAgent(agent, token)),
    revokeAgent: (agentId, at) => queue.add(() => registry.revokeAgent(agentId, at)),
    removeAgent: (agentId, at) => queue.add(() => registry.removeAgent(agentId, at)),
    saveAbsence: (agentId, absence) => queue.add(() => registry.saveAbsence(agentId, absence)),
    saveAgentStates: (states) => queue.add(() => registry.saveAgentStates(states)),
    createJoinToken: (token) => queue.add(() => registry.createJoinToken(token)),
    saveMonitor: (monitor) => queue.add(() => registry.saveMonitor(monitor)),
    deleteMonitor: (monitorId, at) => queue.add(() => registry.deleteMonitor(monitorId, at)),
    setPaused: (monitorId, isPaused) => queue.add(() => registry.setPaused(monitorId, isPaused)),
    assignTasks: (agentId, monitorIds) => queue.add(() => registry.assignTasks(agentId, monitorIds)),
  } satisfies Partial<WriterOperations>;
}

interface Retainers {
  readonly upkeep: Upkeeper;
  readonly records: RecordWriter;
  readonly leftovers: Leftovers;
}

async function retain(
  queue: WriteQueue,
  cutoffs: Cutoffs,
  { upkeep, records, leftovers }: Retainers,
): Promise<Dropped> {
  await queue.add(() => upkeep.raiseHorizon(cutoffs));
  while (await queue.add(() => upkeep.dropSome(cutoffs)));
  while (await queue.add(() => records.dropSome(cutoffs.recordsBefore ?? {})));
  const dropped: Dropped = { tasks: [], agents: [] };
  for (const step of leftovers.steps(cutoffs, dropped)) await queue.add(step);
  return dropped;
}

/** Those that keep what is believed, and what is told of it. */
function stateOperations(
  queue: WriteQueue,
  { states, outbox }: { readonly states: StateWriter; readonly outbox: OutboxWriter },
) {
  return {
    evaluate: (step) => queue.add(() => states.evaluate(step)),
    setPolicies: (policies, at) => queue.add(() => states.setPolicies(policies, at)),
    noteAgents: (agents) => queue.add(() => states.noteAgents(agents)),
    acknowledgeIncident: (id, ack) => queue.add(() => states.acknowledgeIncident(id, ack)),
    noteIncident: (id, line) => queue.add(() => states.noteIncident(id, line)),
    saveAlertWindow: (window, at) => queue.add(() => states.saveAlertWindow(window, at)),
    removeAlertWindow: (id, at) => queue.add(() => states.removeAlertWindow(id, at)),
    claim: (wanted) => queue.add(() => outbox.claim(wanted)),
    settle: (changes, added) => queue.add(() => outbox.settle(changes, added)),
  } satisfies Partial<WriterOperations>;
}

/** Resolves to the number of hours that were sealed, some in each step. */
async function sealAll(sealSome: () => Promise<number | undefined>): Promise<number> {
  let hours = 0;
  for (;;) {
    const sealed = await sealSome();
    if (sealed === undefined) return hours;
    hours += sealed;
  }
}

/**
 * The copy has its name only once it is whole. It is read over a connection of its own, which holds one snapshot: over the
 * writing one a copy fails, or has half of a transaction, when a transaction is open while it runs.
 */
async function backUp(folder: string, file: string): Promise<void> {
  if (existsSync(file))
    throw new AppError('usage', `Expected a new file for the backup, and ${file} is there already.`);
  const partial = `${file}.partial`;
  rmSync(partial, { force: true });
  using db = openForReading(folder);
  // The snapshot is taken by the first read (SQLite, "Isolation in SQLite").
  db.exec('BEGIN; SELECT 1 FROM sqlite_schema');
  await backup(db, partial, { rate: 256 });
  renameSync(partial, file);
}
