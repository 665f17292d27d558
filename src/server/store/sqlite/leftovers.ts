import type { DatabaseSync } from 'node:sqlite';
import { serverAgentId } from '../../../core/task.ts';
import type { RecordsBefore } from '../evidence.ts';
import type { Cutoffs, Dropped } from '../store.ts';
import { dayMs } from '../summary.ts';
import type { LedgerWriter } from './ledger.ts';

/** So long a join token that has expired is still told apart from one that never was. */
const expiredTokenMs = dayMs;

/**
 * Drops what belongs to nothing any more once its time has passed: series without results, tasks of monitors that are gone, agents
 * that were removed, and what was kept for them.
 */
export class Leftovers {
  readonly #ledger: LedgerWriter;
  readonly #statements;

  constructor(db: DatabaseSync, ledger: LedgerWriter) {
    this.#ledger = ledger;
    this.#statements = prepare(db);
  }

  /**
   * Call each in a transaction of its own, in this order, once results, summaries and records that are too old have gone. They
   * note in `dropped` which tasks and agents no longer exist.
   */
  steps(cutoffs: Cutoffs, dropped: Dropped): readonly (() => void)[] {
    const s = this.#statements;
    const { decidedAt, resultsBefore, daysBefore, recordsBefore = {}, monitorIds } = cutoffs;
    const monitors = monitorIds && JSON.stringify(monitorIds);
    const steps = [
      () => s.tokens.run(decidedAt - expiredTokenMs),
      () => s.signIns.run(decidedAt),
      () => s.gaps.run(daysBefore),
      () => s.epochs.run({ before: resultsBefore }),
      () => this.#dropSeries(daysBefore),
      () => this.#dropChains(recordsBefore),
      () => this.#dropNotices(recordsBefore),
      () => s.sessions.run(oldestOf(recordsBefore)),
      () => dropped.agents.push(...idsIn(s.agents.all(resultsBefore))),
      () => s.absences.run(daysBefore),
      () => this.#dropIncidents(daysBefore),
      () => s.healthOfNobody.run(),
      () => s.statesOfNobody.run(),
      () => dropped.tasks.push(...idsIn(s.tasksOfNobody.all())),
      () => s.assignmentsOfNobody.run(),
    ];
    if (monitors === undefined) return steps;
    const before = uuidOf(resultsBefore);
    const ofMonitors = [
      () => dropped.tasks.push(...idsIn(s.tasks.all({ monitors, before }))),
      () => s.paused.run(monitors),
      () => s.monitors.run(),
    ];
    return [...steps, ...ofMonitors];
  }

  #dropSeries(daysBefore: number): void {
    const { changes } = this.#statements.series.run(Math.floor(daysBefore / dayMs));
    this.#statements.latest.run();
    if (Number(changes) > 0) this.#ledger.forget();
  }

  #dropNotices(recordsBefore: RecordsBefore): void {
    this.#statements.notices.run({ first: oldestOf(recordsBefore), times: JSON.stringify(recordsBefore) });
  }

  /** Of the changes before, the last of each monitor stays: it says what was so since. */
  #dropIncidents(before: number): void {
    this.#statements.outbox.run(before);
    this.#statements.incidents.run(before);
    this.#statements.incidentEvents.run();
    this.#statements.stateChanges.run(before);
    this.#statements.windows.run(before);
  }

  #dropChains(recordsBefore: RecordsBefore): void {
    for (const [sensor, before] of Object.entries(recordsBefore)) {
      this.#statements.alarms.run({ sensor, before });
      this.#statements.chains.run({ sensor, before });
    }
  }
}

/** Before this time all records go. */
function oldestOf(recordsBefore: RecordsBefore): number {
  const times = Object.values(recordsBefore);
  return times.length === 0 ? 0 : Math.min(...times);
}

function idsIn(rows: readonly Record<string, unknown>[]): readonly string[] {
  return rows.map(({ id }) => String(id));
}

/** Every UUID v7 that was made before is less (RFC 9562, section 5.7). */
function uuidOf(at: number): string {
  const hex = Math.max(0, Math.floor(at)).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}`;
}

/** The server's own tasks are somebody's. */
const isOfNobody = `agentId NOT IN (SELECT id FROM agents) AND agentId <> '${serverAgentId}'`;

function prepare(db: DatabaseSync) {
  const isRemoved = 'SELECT 1 FROM agents a WHERE a.id = agentId AND a.removedAt IS NULL';
  return {
    tokens: db.prepare('DELETE FROM join_tokens WHERE expiresAt < ?'),
    signIns: db.prepare('DELETE FROM sign_ins WHERE expiresAt <= ? OR accountId NOT IN (SELECT id FROM accounts)'),
    gaps: db.prepare('DELETE FROM gaps WHERE receivedAt < ?'),
    // While results of its time are taken, its numbers tell repeats; after that they would be too old.
    epochs: db.prepare(`
      DELETE FROM epochs WHERE heardAt < :before AND id NOT IN (SELECT epochId FROM gaps)
      AND (id NOT IN (SELECT max(id) FROM epochs GROUP BY agentId) OR NOT EXISTS (${isRemoved}))`),
    series: db.prepare('DELETE FROM series WHERE lastDay < ? AND id NOT IN (SELECT series FROM unsealed)'),
    latest: db.prepare('DELETE FROM latest WHERE series NOT IN (SELECT id FROM series)'),
    // A notice goes with the records of its sensor; one of none, with those that go last.
    notices: db.prepare(`
      DELETE FROM notices WHERE lastAt <
      CASE WHEN sensor IS NULL THEN :first ELSE (SELECT value FROM json_each(:times) WHERE key = sensor) END`),
    sessions: db.prepare('DELETE FROM sessions WHERE endsAt < ?'),
    alarms: db.prepare(`
      DELETE FROM alarms WHERE at < :before AND chainId IN (SELECT id FROM chains WHERE sensor = :sensor)`),
    // A chain goes on until its agent begins another of the same sensor, or is removed.
    chains: db.prepare(`
      DELETE FROM chains WHERE sensor = :sensor AND begunAt < :before
      AND id NOT IN (SELECT chainId FROM records) AND id NOT IN (SELECT chainId FROM alarms)
      AND (NOT EXISTS (${isRemoved}) OR EXISTS (
        SELECT 1 FROM chains c WHERE c.agentId = chains.agentId AND c.sensor = :sensor
        AND c.id > chains.id AND c.begunAt < :before))`),
    agents: db.prepare(`
      DELETE FROM agents WHERE removedAt < ? AND id NOT IN (SELECT agentId FROM series)
      AND id NOT IN (SELECT agentId FROM epochs) AND id NOT IN (SELECT agentId FROM chains) RETURNING id`),
    absences: db.prepare('DELETE FROM absences WHERE toAt < ? OR agentId NOT IN (SELECT id FROM agents)'),
    ...prepareStates(db),
    statesOfNobody: db.prepare('DELETE FROM agent_states WHERE agentId NOT IN (SELECT id FROM agents)'),
    tasksOfNobody: db.prepare(`DELETE FROM tasks WHERE ${isOfNobody} RETURNING id`),
    assignmentsOfNobody: db.prepare(`DELETE FROM assignments WHERE ${isOfNobody}`),
    tasks: db.prepare(`
      DELETE FROM tasks WHERE monitorId NOT IN (SELECT value FROM json_each(:monitors)) AND id < :before
      AND id NOT IN (SELECT taskId FROM series) RETURNING id`),
    monitors: db.prepare(`
      DELETE FROM monitors WHERE deletedAt IS NOT NULL AND id NOT IN (SELECT monitorId FROM tasks)
      AND id NOT IN (SELECT monitorId FROM series)`),
    paused: db.prepare(`
      DELETE FROM paused WHERE monitorId NOT IN (SELECT value FROM json_each(?))
      AND monitorId NOT IN (SELECT monitorId FROM tasks)`),
  };
}

/** What is believed, and who was told of it. */
function prepareStates(db: DatabaseSync) {
  return {
    outbox: db.prepare('DELETE FROM outbox WHERE finishedAt < ?'),
    incidents: db.prepare(`
      DELETE FROM incidents WHERE endedAt < ? AND id NOT IN (SELECT incident FROM outbox WHERE outcome IS NULL)`),
    incidentEvents: db.prepare('DELETE FROM incident_events WHERE incident NOT IN (SELECT id FROM incidents)'),
    stateChanges: db.prepare(`
      DELETE FROM state_changes WHERE at < ? AND rowid NOT IN (
        SELECT rowid FROM (
          SELECT rowid, max(at) FROM state_changes WHERE monitorId IN (SELECT monitorId FROM states) GROUP BY monitorId))`),
    windows: db.prepare("DELETE FROM alert_windows WHERE json_extract(json, '$.schedule.to') < ?"),
    healthOfNobody: db.prepare('DELETE FROM agent_health WHERE agentId NOT IN (SELECT id FROM agents)'),
  };
}
