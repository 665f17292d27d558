import type { Status } from '../outcome.ts';
import type { PlannedMessage } from './incident-book.ts';
import type { Incident } from './incident.ts';
import type { IncidentEvent, IncidentRecord } from './incident-record.ts';
import type { MonitorRecord, StateRow, VoiceEntry, VoiceRow } from './monitor-record.ts';

/** A change of what is believed of a monitor. */
export interface Transition extends Pick<Incident, 'state' | 'verdict'> {
  readonly monitorId: string;
  readonly name: string;
  readonly before: Status;
  /** Epoch milliseconds; of a failure, its first failing run. */
  readonly since: number;
  readonly at: number;
  /** The incident that is open, or was ended by it. */
  readonly incident?: string | undefined;
  /** For people. */
  readonly summary: string;
}

/** Runs that would tell more at once. */
export interface WantedRun {
  readonly monitorId: string;
  /** Who saw the failure; undefined to ask everybody who runs it. */
  readonly agentId?: string | undefined;
  readonly why: 'first-failure' | 'parent' | 'child';
}

export type VoiceKey = Pick<VoiceRow, 'monitorId' | 'agentId'>;

/** What is to be kept, told and asked. */
export interface StateChanges {
  readonly voices: readonly VoiceRow[];
  readonly states: readonly StateRow[];
  /** Monitors that there are no more: their voices go too. */
  readonly goneMonitors: readonly string[];
  readonly goneVoices: readonly VoiceKey[];
  readonly incidents: readonly IncidentRecord[];
  readonly events: readonly IncidentEvent[];
  readonly planned: readonly PlannedMessage[];
  readonly transitions: readonly Transition[];
  readonly wantedRuns: readonly WantedRun[];
}

/** Gathers what a step changes. */
export class ChangeLog {
  readonly #voices = new Set<VoiceEntry>();
  readonly #states = new Set<MonitorRecord>();
  #goneMonitors: string[] = [];
  #goneVoices: VoiceKey[] = [];
  #transitions: Transition[] = [];
  #wantedRuns: WantedRun[] = [];

  voice(entry: VoiceEntry): void {
    this.#voices.add(entry);
  }

  state(monitor: MonitorRecord): void {
    this.#states.add(monitor);
  }

  goneVoice(entry: VoiceEntry): void {
    const { monitorId, agentId } = entry.row;
    this.#voices.delete(entry);
    this.#goneVoices.push({ monitorId, agentId });
  }

  goneMonitor(monitor: MonitorRecord): void {
    this.#states.delete(monitor);
    for (const entry of monitor.voices.values()) this.#voices.delete(entry);
    this.#goneMonitors.push(monitor.policy.id);
  }

  transition(transition: Transition): void {
    this.#transitions.push(transition);
  }

  want(run: WantedRun): void {
    this.#wantedRuns.push(run);
  }

  drain() {
    const changes = {
      voices: [...this.#voices].map(({ row }) => row),
      states: [...this.#states].map(({ row }) => row),
      goneMonitors: this.#goneMonitors,
      goneVoices: this.#goneVoices,
      transitions: this.#transitions,
      wantedRuns: this.#wantedRuns,
    };
    this.#voices.clear();
    this.#states.clear();
    [this.#goneMonitors, this.#goneVoices, this.#transitions, this.#wantedRuns] = [[], [], [], []];
    return changes;
  }
}
