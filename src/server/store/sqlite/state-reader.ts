import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import type { AgentHealth } from '../../../core/state/agent-book.ts';
import type { IncidentEvent, IncidentRecord } from '../../../core/state/incident-record.ts';
import type { StateRow, VoiceRow } from '../../../core/state/monitor-record.ts';
import { noPolicies, type AlertWindow, type Policies } from '../../../core/state/policies.ts';
import type { JsonObject } from '../../../core/outcome.ts';
import type { IncidentQuery, StateChangeQuery, StateChangeRow } from '../states.ts';

type Column = Readonly<Record<string, SQLOutputValue>>;

/** Reads what is believed, and what was told. Only StateWriter writes these rows, so that they are what their types say. */
export class StateReader {
  readonly #statements;

  constructor(db: DatabaseSync) {
    this.#statements = prepare(db);
  }

  voices(): readonly VoiceRow[] {
    return this.#statements.voices.all().map((row) => jsonIn(row) as VoiceRow);
  }

  states(): readonly StateRow[] {
    return this.#statements.states.all().map((row) => jsonIn(row) as StateRow);
  }

  agents(): readonly AgentHealth[] {
    return this.#statements.agents.all().map((row) => jsonIn(row) as AgentHealth);
  }

  policies(): Policies {
    const row = this.#statements.policies.get();
    return row ? (jsonIn(row) as Policies) : noPolicies;
  }

  alertWindows(): readonly AlertWindow[] {
    return this.#statements.windows.all().map((row) => jsonIn(row) as AlertWindow);
  }

  incident(id: string): IncidentRecord | undefined {
    const row = this.#statements.incident.get(id);
    return row && (jsonIn(row) as IncidentRecord);
  }

  incidents({
    limit,
    subject,
    isOpen,
    before,
    from = 0,
    to = Number.MAX_SAFE_INTEGER,
  }: IncidentQuery): readonly IncidentRecord[] {
    const open = isOpen === undefined ? null : Number(isOpen);
    const about = { kind: subject?.kind ?? null, subjectId: subject?.id ?? null };
    const rows = this.#statements.incidents.all({ limit, open, before: before ?? null, from, to, ...about });
    return rows.map((row) => jsonIn(row) as IncidentRecord);
  }

  /** Those that are open, ended so late that there may be more to tell of them, or are the last of their subject. */
  recentIncidents(endedSince: number): readonly IncidentRecord[] {
    return this.#statements.recent.all(endedSince).map((row) => jsonIn(row) as IncidentRecord);
  }

  incidentEvents(id: string): readonly IncidentEvent[] {
    return this.#statements.events.all(id).map((row) => ({
      incident: String(row['incident']),
      seq: Number(row['seq']),
      at: Number(row['at']),
      kind: String(row['kind']) as IncidentEvent['kind'],
      detail: JSON.parse(String(row['detail'])) as JsonObject,
    }));
  }

  stateChanges({ monitorId, from, to }: StateChangeQuery): readonly StateChangeRow[] {
    return this.#statements.changes.all({ monitorId, from, to }).map((row) => ({
      monitorId,
      at: Number(row['at']),
      since: Number(row['since']),
      state: String(row['state']) as StateChangeRow['state'],
      verdict: String(row['verdict']) as StateChangeRow['verdict'],
    }));
  }
}

function jsonIn({ json }: Column): unknown {
  return JSON.parse(String(json));
}

function prepare(db: DatabaseSync) {
  return {
    voices: db.prepare('SELECT json FROM voices ORDER BY monitorId, agentId'),
    states: db.prepare('SELECT json FROM states ORDER BY monitorId'),
    agents: db.prepare('SELECT json FROM agent_health ORDER BY agentId'),
    policies: db.prepare('SELECT json FROM policies'),
    windows: db.prepare('SELECT json FROM alert_windows ORDER BY id'),
    incident: db.prepare('SELECT json FROM incidents WHERE id = ?'),
    incidents: db.prepare(`
      SELECT json FROM incidents
      WHERE (:before IS NULL OR id < :before) AND (:open IS NULL OR (endedAt IS NULL) = :open)
        AND (:kind IS NULL OR (subjectKind = :kind AND subjectId = :subjectId))
        AND startedAt < :to AND (endedAt IS NULL OR endedAt >= :from)
      ORDER BY id DESC LIMIT :limit`),
    recent: db.prepare(`
      SELECT json FROM incidents WHERE endedAt IS NULL OR endedAt >= ?
      OR id IN (SELECT max(id) FROM incidents GROUP BY subjectKind, subjectId) ORDER BY id`),
    events: db.prepare('SELECT * FROM incident_events WHERE incident = ? ORDER BY seq'),
    changes: db.prepare(`
      SELECT * FROM state_changes WHERE monitorId = :monitorId AND at < :to
      AND at >= coalesce((SELECT max(at) FROM state_changes WHERE monitorId = :monitorId AND at < :from), :from)
      ORDER BY at, rowid`),
  };
}
