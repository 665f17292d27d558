import type { ReceivedResult } from './entry.ts';
import type { NoticeSeverity } from './notice.ts';
import type { Status } from './outcome.ts';
import type { SensorRecord } from './record.ts';
import type { SensorName } from './sensor.ts';
import type { Transition } from './state/change-log.ts';
import type { IncidentNews } from './state/incident-record.ts';
import type { Task } from './task.ts';

/** An event on the server, for consoles, live views and metrics. Nothing durable depends on it. */
export type ServerEvent =
  /** `isLate`: the task has a newer result already; this one completes the history. */
  | { readonly type: 'result'; readonly agentId: string; readonly result: ReceivedResult; readonly isLate: boolean }
  /** What is known of the target of a task has changed. */
  | {
      readonly type: 'state';
      readonly agentId: string;
      readonly name: string;
      readonly taskId: string;
      readonly monitorId: string;
      readonly monitor: string;
      readonly state: Status;
      readonly before: Status;
      /** By this server's clock, epoch milliseconds. */
      readonly at: number;
      /** Why, for people. */
      readonly message: string;
    }
  /** What is believed of a monitor has changed. */
  | ({ readonly type: 'transition'; readonly agentId?: undefined } & Transition)
  /** An incident was opened, changed, taken by somebody, or has ended. */
  | ({ readonly type: 'incident'; readonly agentId?: undefined } & IncidentNews)
  | { readonly type: 'gap'; readonly agentId: string; readonly cause: string; readonly missing: number }
  /** Task changes were sent to an agent. */
  | {
      readonly type: 'tasks';
      readonly agentId: string;
      readonly revision: number;
      /** New or changed tasks, and the ids of removed ones. */
      readonly set: readonly Task[];
      readonly removed: readonly string[];
    }
  /** An agent has applied its tasks up to this revision. */
  | { readonly type: 'tasks-applied'; readonly agentId: string; readonly revision: number }
  /** A record of an agent's sensor; committed, but not necessarily verified yet. */
  | {
      readonly type: 'record';
      readonly agentId: string;
      readonly name: string;
      /** Where the agent reports from. */
      readonly address: string | undefined;
      readonly sensor: SensorName;
      readonly n: number;
      /** By the agent's clock, epoch milliseconds. */
      readonly at: number;
      readonly record: SensorRecord;
      /** The sentence for people who watch many machines; absent if they need not be told. */
      readonly notice?: string;
    }
  /** A notice about a watched machine, as it is stored. It is sent again, with its new count, each time it recurs. */
  | {
      readonly type: 'notice';
      readonly agentId: string;
      readonly name: string;
      /** Number in the list of notices. */
      readonly id: number;
      /** Undefined where it is about the agent itself. */
      readonly sensor: SensorName | undefined;
      readonly kind: string;
      readonly severity: NoticeSeverity;
      readonly text: string;
      /** How often it has come, and when last, by this server's clock. */
      readonly count: number;
      readonly lastAt: number;
    }
  /** Records of an agent were changed or are missing. */
  | {
      readonly type: 'alarm';
      readonly agentId: string;
      readonly name: string;
      readonly sensor: SensorName;
      /** Number of the line concerned. */
      readonly n: number;
      readonly cause: AlarmCause;
      readonly message: string;
    }
  /** A room is watched from now on, or no longer. */
  | {
      readonly type: 'session';
      readonly agentId: undefined;
      readonly id: string;
      readonly room: string;
      readonly policy: string;
      readonly change: 'started' | 'ended' | 'seat-joined';
      /** By the server's clock, epoch milliseconds. */
      readonly until: number;
    }
  | {
      readonly type: 'agent';
      readonly agentId: string;
      readonly name: string;
      readonly address: string | undefined;
      readonly status: string;
      readonly before: string | undefined;
      /** Of an agent that was offline and is back: how long nothing was heard of it. */
      readonly awayMs?: number;
    };

/**
 * `malformed`, `edited`, `unlinked`: see records/chain.ts. `missing`: lines that were announced or followed never came.
 * `forked`: one number, two lines, as from a copied disk. `rolled-back`: the agent is at an earlier line than it was.
 * `begun-anew`: a chain took the place of another, which therefore ends. `not-watching`: the agent was killed, its machine lost power,
 * slept or halted it. `clock-jump`: its wall clock was set.
 */
export const alarmCauses = [
  'malformed',
  'edited',
  'unlinked',
  'missing',
  'forked',
  'rolled-back',
  'begun-anew',
  'not-watching',
  'clock-jump',
] as const;
export type AlarmCause = (typeof alarmCauses)[number];
