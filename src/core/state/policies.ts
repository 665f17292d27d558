import type { WindowSchedule } from '../calendar/window-schedule.ts';
import type { Milliseconds } from '../duration.ts';
import type { QuorumPolicy } from './quorum.ts';
import type { VoicePolicy } from './voice.ts';

/** Whom to tell, and how long after the confirmation; a step above 0 is an escalation. */
export interface NotifyStep {
  readonly notifier: string;
  readonly step: number;
  readonly afterMs: Milliseconds;
  /** Time from one reminder to the next, as long as nobody has taken the incident. */
  readonly repeatMs?: Milliseconds | undefined;
}

/** What decides the state of a monitor, and who is told of it. */
export interface MonitorPolicy extends VoicePolicy, QuorumPolicy {
  readonly id: string;
  readonly name: string;
  /** For people, without secrets. */
  readonly target: string;
  /** What it has in common with others that may fail with it: `host:db.example.net`. */
  readonly causes: readonly string[];
  readonly intervalMs: Milliseconds;
  readonly timeoutMs: Milliseconds;
  readonly isPaused: boolean;
  /** Ids of the agents that run it. */
  readonly agents: readonly string[];
  /** Changes when something else is measured: voices then begin anew. */
  readonly identity: string;
  /** Down again within this time after its end is the same incident. */
  readonly reopenMs: Milliseconds;
  /** Ids of the monitors on the way to this one: it is behind them when all are down, or any where `dependsOnAny`. */
  readonly dependsOn: readonly string[];
  readonly dependsOnAny: boolean;
  /** Those of the server where undefined. */
  readonly notify?: readonly NotifyStep[] | undefined;
}

export interface Policies {
  readonly monitors: readonly MonitorPolicy[];
  /** For monitors without steps of their own, and for agents, notifiers and the server. */
  readonly notify: readonly NotifyStep[];
  /** Maintenance and silences of the configuration. */
  readonly windows: readonly AlertWindow[];
}

/** A time in which people are not told of some monitors. A maintenance is also left out of the availability. */
export interface AlertWindow {
  readonly id: string;
  readonly kind: 'maintenance' | 'silence';
  readonly name: string;
  /** Patterns of monitor names, with `*`. */
  readonly monitors: readonly string[];
  readonly schedule: WindowSchedule;
}

export const noPolicies: Policies = { monitors: [], notify: [], windows: [] };
