import type { DatabaseSync } from 'node:sqlite';
import { AccountReader } from './accounts.ts';
import { DamagedHours } from './damaged-hours.ts';
import type { Notice } from './database.ts';
import { HistoryReader } from './history.ts';
import type { Operations, Read } from './messages.ts';
import { NoticeReader } from './notices.ts';
import { OutboxReader } from './outbox.ts';
import { RecordReader } from './record-reader.ts';
import { RoomReader } from './rooms.ts';
import { RegistryReader } from './registry.ts';
import type { Service } from './serve.ts';
import { StateReader } from './state-reader.ts';

/** The operations that only read. */
export function readService(db: DatabaseSync, say: (notice: Notice) => void): Service {
  const history = new HistoryReader(db, new DamagedHours(db, say));
  const registry = new RegistryReader(db);
  const accounts = new AccountReader(db);
  const records = new RecordReader(db);
  const notices = new NoticeReader(db);
  const rooms = new RoomReader(db);
  const operations: Operations<Read> = {
    received: (agentId, epoch) => atOnce(() => history.received(agentId, epoch)),
    missing: () => atOnce(() => history.missing()),
    gaps: (agentId) => atOnce(() => history.gaps(agentId)),
    results: (query) => atOnce(() => history.results(query)),
    latest: () => atOnce(() => history.latest()),
    absences: (query) => atOnce(() => history.absences(query)),
    summaries: (query) => atOnce(() => history.summaries(query)),
    agents: () => atOnce(() => registry.agents()),
    agentStates: () => atOnce(() => registry.agentStates()),
    joinToken: (tokenId) => atOnce(() => registry.joinToken(tokenId)),
    tasks: () => atOnce(() => registry.tasks()),
    measured: () => atOnce(() => registry.measured()),
    monitors: () => atOnce(() => registry.monitors()),
    paused: () => atOnce(() => registry.paused()),
    accounts: () => atOnce(() => accounts.accounts()),
    signIns: (now) => atOnce(() => accounts.signIns(now)),
    chains: () => atOnce(() => records.chains()),
    lines: (query) => atOnce(() => records.lines(query)),
    records: (query) => atOnce(() => records.records(query)),
    recordsAfter: (position, limit) => atOnce(() => records.recordsAfter(position, limit)),
    rooms: () => atOnce(() => rooms.rooms()),
    sessions: (limit) => atOnce(() => rooms.sessions(limit)),
    notices: (query) => atOnce(() => notices.notices(query)),
    ...stateReads(db, atOnce),
    alarms: (query) => atOnce(() => records.alarms(query)),
    verify: () => history.verify(),
    decidedAt: () => history.decidedAt(),
  };

  /** One snapshot for the whole answer: sealing moves rows between two queries. */
  function atOnce<T>(ask: () => T): T {
    db.exec('BEGIN');
    try {
      return ask();
    } finally {
      db.exec('COMMIT');
    }
  }

  return { operations, close: () => db.close() };
}

function stateReads(db: DatabaseSync, atOnce: <T>(ask: () => T) => T) {
  const states = new StateReader(db);
  const outbox = new OutboxReader(db);
  return {
    voices: () => atOnce(() => states.voices()),
    states: () => atOnce(() => states.states()),
    incidents: (query) => atOnce(() => states.incidents(query)),
    incident: (id) => atOnce(() => states.incident(id)),
    incidentEvents: (id) => atOnce(() => states.incidentEvents(id)),
    alertWindows: () => atOnce(() => states.alertWindows()),
    stateChanges: (query) => atOnce(() => states.stateChanges(query)),
    waiting: () => atOnce(() => outbox.waiting()),
    receipt: (incident, notifier) => atOnce(() => outbox.receipt(incident, notifier)),
    told: (incident, notifier) => atOnce(() => outbox.told(incident, notifier)),
    standing: (incident) => atOnce(() => outbox.standing(incident)),
  } satisfies Partial<Operations<Read>>;
}
