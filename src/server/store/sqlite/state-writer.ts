import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../../../core/clock.ts';
import type { AgentHealth } from '../../../core/state/agent-book.ts';
import type { StateChanges } from '../../../core/state/change-log.ts';
import type { IncidentAck, IncidentEvent, IncidentNews, IncidentRecord } from '../../../core/state/incident-record.ts';
import type { MonitorRun } from '../../../core/state/monitor-record.ts';
import type { AlertWindow, Policies } from '../../../core/state/policies.ts';
import { StateBook } from '../../../core/state/state-book.ts';
import type { Evaluation, EvaluationStep } from '../states.ts';
import type { PackedBatch } from './batch.ts';
import type { OutboxWriter } from './outbox.ts';
import type { StoredFinding } from './run.ts';
import { StateReader } from './state-reader.ts';

/** Batches that one step takes. */
const batchesPerStep = 200;
/** After a start agents have this long to come back before their voices fall silent. */
const returnMs = 60_000;
/** Ended incidents of which there may be more to tell. */
const recentMs = 3 * 3_600_000;

/**
 * Keeps what is believed of monitors and agents. Its memory is a copy of the rows, so `forget` is always safe. Every method is to
 * be called within a transaction.
 */
export class StateWriter {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #outbox: OutboxWriter;
  readonly #statements;
  readonly #reader: StateReader;
  #known: StateBook | undefined;
  /** Voices with results that wait to be taken: what comes after them must wait too. */
  readonly #waiting = new Set<string>();
  #noted: MonitorRun[] = [];

  constructor(
    db: DatabaseSync,
    { clock, outbox }: { readonly clock: Pick<Clock, 'now'>; readonly outbox: OutboxWriter },
  ) {
    this.#clock = clock;
    this.#outbox = outbox;
    this.#statements = prepare(db);
    this.#reader = new StateReader(db);
  }

  forget(): void {
    this.#known = undefined;
    this.#noted = [];
  }

  /** A result is the newest of its task. One that changes nothing is not worth a row. */
  note(batch: PackedBatch, index: number): void {
    // The columns are equally long, and point into lists that were made with them.
    const { monitorId } = batch.tasks[batch.taskOf[index]!]!;
    const finding = batch.findings[batch.findingOf[index]!]!;
    const { agentId, clockOffsetMs } = batch;
    const slot = batch.slots[index]!;
    const receivedAt = batch.receivedAt || slot;
    const at = slot - clockOffsetMs;
    const status = statusOf(finding);
    const run = { monitorId, agentId, status, at, receivedAt };
    if (!this.#mustWait(run) && this.#book.isQuiet(run)) return;
    this.#waiting.add(voiceKey(run));
    const { reason, source, message } = JSON.parse(finding) as StoredFinding;
    this.#noted.push({ ...run, reason, source, message });
  }

  /** Results of this voice that came before wait to be taken. */
  #mustWait(run: Pick<MonitorRun, 'monitorId' | 'agentId'>): boolean {
    return this.#waiting.size > 0 && this.#waiting.has(voiceKey(run));
  }

  keepNoted(): void {
    if (this.#noted.length === 0) return;
    this.#statements.addRuns.run(JSON.stringify(this.#noted));
    this.#noted = [];
  }

  evaluate({ now, steppedMs }: EvaluationStep): Evaluation {
    const book = this.#book;
    book.moveClock(steppedMs);
    const hasMore = this.#takeRuns(book);
    book.advance(now);
    return this.#keep(book, hasMore);
  }

  setPolicies(policies: Policies, at: number): Evaluation {
    const book = this.#current();
    this.#statements.savePolicies.run(JSON.stringify(policies));
    book.setPolicies(this.#withWindows(policies), at);
    return this.#keep(book);
  }

  noteAgents(agents: readonly AgentHealth[]): Evaluation {
    const book = this.#current();
    for (const health of agents) {
      book.noteAgent(health);
      if (health.status === 'gone') this.#statements.dropAgent.run(health.id);
      else this.#statements.saveAgent.run(health.id, JSON.stringify(health));
    }
    return this.#keep(book);
  }

  acknowledgeIncident(id: string, ack: IncidentAck): IncidentRecord | undefined {
    const book = this.#current();
    const isOpen = book.acknowledge(id, ack);
    this.#keep(book);
    return isOpen ? book.incident(id) : undefined;
  }

  noteIncident(id: string, line: Pick<IncidentEvent, 'kind' | 'at' | 'detail'>): void {
    const book = this.#current();
    book.noteIncident(id, line);
    this.#keep(book);
  }

  saveAlertWindow(window: AlertWindow, at: number): void {
    this.#statements.saveWindow.run(window.id, JSON.stringify(window));
    this.#useWindows(at);
  }

  removeAlertWindow(id: string, at: number): boolean {
    const { changes } = this.#statements.dropWindow.run(id);
    this.#useWindows(at);
    return Number(changes) > 0;
  }

  #useWindows(at: number): void {
    const book = this.#current();
    book.setPolicies(this.#withWindows(this.#reader.policies()), at);
    this.#keep(book);
  }

  #withWindows(policies: Policies): Policies {
    return { ...policies, windows: [...policies.windows, ...this.#reader.alertWindows()] };
  }

  get #book(): StateBook {
    this.#known ??= this.#load();
    return this.#known;
  }

  /** The book with every committed result taken. */
  #current(): StateBook {
    const book = this.#book;
    while (this.#takeRuns(book));
    return book;
  }

  #load(): StateBook {
    const reader = this.#reader;
    const book = new StateBook();
    const now = this.#clock.now();
    const incidents = reader.recentIncidents(now - recentMs);
    const rows = { voices: reader.voices(), states: reader.states(), agents: reader.agents(), incidents };
    book.load(rows, this.#withWindows(reader.policies()), now + returnMs);
    this.#waiting.clear();
    for (const { runs } of this.#runs(-1)) for (const run of runs) this.#waiting.add(voiceKey(run));
    return book;
  }

  /** True if there are more. */
  #takeRuns(book: StateBook): boolean {
    const batches = this.#runs(batchesPerStep);
    for (const { runs } of batches) {
      book.advance(runs[0]?.receivedAt ?? 0);
      for (const run of runs) book.takeRun(run);
    }
    const last = batches.at(-1)?.id;
    if (last === undefined) return false;
    this.#statements.dropRuns.run(last);
    const hasMore = batches.length === batchesPerStep;
    if (!hasMore) this.#waiting.clear();
    return hasMore;
  }

  /** A negative limit is none. */
  #runs(limit: number): readonly { readonly id: number; readonly runs: readonly MonitorRun[] }[] {
    // Only keepNoted writes there.
    return this.#statements.runs
      .all(limit)
      .map((row) => ({ id: Number(row['id']), runs: JSON.parse(String(row['runs'])) as MonitorRun[] }));
  }

  #keep(book: StateBook, hasMore = false): Evaluation {
    const changes = book.drain();
    this.#write(changes);
    const { transitions, wantedRuns, incidents, planned } = changes;
    const news = incidents.map(newsOf);
    return { transitions, wantedRuns, incidents: news, hasMessages: planned.length > 0, hasMore };
  }

  #write({ voices, states, goneMonitors, goneVoices, incidents, events, planned, transitions }: StateChanges): void {
    const s = this.#statements;
    for (const row of voices) s.saveVoice.run(row.monitorId, row.agentId, JSON.stringify(row));
    for (const row of states) s.saveState.run(row.monitorId, JSON.stringify(row));
    for (const { monitorId, agentId } of goneVoices) s.dropVoice.run(monitorId, agentId);
    for (const id of goneMonitors) {
      s.dropVoices.run(id);
      s.dropState.run(id);
    }
    for (const record of incidents) {
      const { id, subject, startedAt, endedAt = null } = record.incident;
      s.saveIncident.run(id, subject.kind, subject.id, startedAt, endedAt, JSON.stringify(record));
    }
    for (const { incident, seq, at, kind, detail } of events)
      s.addEvent.run(incident, seq, at, kind, JSON.stringify(detail));
    for (const { monitorId, at, since, state, verdict } of transitions)
      s.addChange.run(monitorId, at, since, state, verdict);
    this.#outbox.add(planned);
  }
}

function voiceKey({ monitorId, agentId }: Pick<MonitorRun, 'monitorId' | 'agentId'>): string {
  return `${monitorId} ${agentId}`;
}

function newsOf({ incident, name, ack }: IncidentRecord): IncidentNews {
  return { ...incident, name, isAcknowledged: ack !== undefined };
}

/** The finding is JSON that begins with its status. */
function statusOf(finding: string): MonitorRun['status'] {
  return finding.startsWith('{"status":"up"') ? 'up' : (JSON.parse(finding) as StoredFinding).status;
}

function prepare(db: DatabaseSync) {
  return {
    addRuns: db.prepare('INSERT INTO inbox (runs) VALUES (?)'),
    runs: db.prepare('SELECT id, runs FROM inbox ORDER BY id LIMIT ?'),
    dropRuns: db.prepare('DELETE FROM inbox WHERE id <= ?'),
    savePolicies: db.prepare('INSERT OR REPLACE INTO policies VALUES (1, ?)'),
    saveWindow: db.prepare('INSERT OR REPLACE INTO alert_windows VALUES (?, ?)'),
    dropWindow: db.prepare('DELETE FROM alert_windows WHERE id = ?'),
    saveAgent: db.prepare('INSERT OR REPLACE INTO agent_health VALUES (?, ?)'),
    dropAgent: db.prepare('DELETE FROM agent_health WHERE agentId = ?'),
    saveVoice: db.prepare('INSERT OR REPLACE INTO voices VALUES (?, ?, ?)'),
    saveState: db.prepare('INSERT OR REPLACE INTO states VALUES (?, ?)'),
    dropVoice: db.prepare('DELETE FROM voices WHERE monitorId = ? AND agentId = ?'),
    dropVoices: db.prepare('DELETE FROM voices WHERE monitorId = ?'),
    dropState: db.prepare('DELETE FROM states WHERE monitorId = ?'),
    saveIncident: db.prepare('INSERT OR REPLACE INTO incidents VALUES (?, ?, ?, ?, ?, ?)'),
    addEvent: db.prepare('INSERT INTO incident_events VALUES (?, ?, ?, ?, ?)'),
    addChange: db.prepare('INSERT INTO state_changes (monitorId, at, since, state, verdict) VALUES (?, ?, ?, ?, ?)'),
  };
}
