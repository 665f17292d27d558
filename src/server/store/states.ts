import type { AgentHealth } from '../../core/state/agent-book.ts';
import type { Transition, WantedRun } from '../../core/state/change-log.ts';
import type { IncidentAck, IncidentEvent, IncidentNews, IncidentRecord } from '../../core/state/incident-record.ts';
import type { Subject } from '../../core/state/incident.ts';
import type { StateRow, VoiceRow } from '../../core/state/monitor-record.ts';
import type { AlertWindow, Policies } from '../../core/state/policies.ts';

/**
 * What is believed of monitors and agents, and who was told of it. Every step is one transaction: voices, states, incidents, their
 * timelines, messages for the outbox, and how far the committed results were taken.
 */
export interface States {
  /** Takes results that were committed since, in order, and what time alone changes. */
  evaluate(step: EvaluationStep): Promise<Evaluation>;
  /** These rule from now on, beside the windows that were added one by one. */
  setPolicies(policies: Policies, at: number): Promise<Evaluation>;
  noteAgents(agents: readonly AgentHealth[]): Promise<Evaluation>;
  /** Undefined if there is no such open incident. */
  acknowledgeIncident(id: string, ack: IncidentAck): Promise<IncidentRecord | undefined>;
  /** Adds a line to the timeline of an incident, as of evidence that was gathered. */
  noteIncident(id: string, line: Pick<IncidentEvent, 'kind' | 'at' | 'detail'>): Promise<void>;
  /** Adds a maintenance or a silence, or replaces the one of its id. */
  saveAlertWindow(window: AlertWindow, at: number): Promise<void>;
  /** False if there is none that was added. */
  removeAlertWindow(id: string, at: number): Promise<boolean>;

  voices(): Promise<readonly VoiceRow[]>;
  states(): Promise<readonly StateRow[]>;
  /** Newest first. */
  incidents(query: IncidentQuery): Promise<readonly IncidentRecord[]>;
  incident(id: string): Promise<IncidentRecord | undefined>;
  /** Oldest first. */
  incidentEvents(id: string): Promise<readonly IncidentEvent[]>;
  /** Those that were added one by one. */
  alertWindows(): Promise<readonly AlertWindow[]>;
  /** Confirmed changes of a monitor in [from, to), and the last one before, oldest first. */
  stateChanges(query: StateChangeQuery): Promise<readonly StateChangeRow[]>;
}

export interface EvaluationStep {
  /** By the server's clock, epoch milliseconds. */
  readonly now: number;
  /** By so much the wall clock was set since the last step: times until which voices are fresh move with it. */
  readonly steppedMs: number;
}

/** What a step changed, for whoever watches. */
export interface Evaluation {
  readonly transitions: readonly Transition[];
  readonly incidents: readonly IncidentNews[];
  readonly wantedRuns: readonly WantedRun[];
  /** Messages wait for the outbox. */
  readonly hasMessages: boolean;
  /** There are more results to take. */
  readonly hasMore: boolean;
}

export interface IncidentQuery {
  readonly limit: number;
  readonly subject?: Subject | undefined;
  readonly isOpen?: boolean | undefined;
  /** Only those with a lower id: they began before. */
  readonly before?: string | undefined;
  /** Those that were open at some time in [from, to). */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

export interface StateChangeQuery {
  readonly monitorId: string;
  /** Half-open, epoch milliseconds. */
  readonly from: number;
  readonly to: number;
}

export interface StateChangeRow extends Pick<Transition, 'monitorId' | 'since' | 'at' | 'state'> {
  readonly verdict: Transition['verdict'];
}
