import type { ResultItem } from './entry.ts';
import type { SensorRecord } from './record.ts';
import type { SensorName } from './sensor.ts';
import type { Task } from './task.ts';

/** What happened on the server, for whoever watches: a console, a live view, a metric. Nothing durable depends on it. */
export type ServerEvent =
  /** `isLate`: the task has a newer result already; this one completes the history. */
  | { readonly type: 'result'; readonly agentId: string; readonly result: ResultItem; readonly isLate: boolean }
  | { readonly type: 'gap'; readonly agentId: string; readonly cause: string; readonly missing: number }
  /** An agent was told of changes in its tasks. */
  | {
      readonly type: 'tasks';
      readonly agentId: string;
      readonly revision: number;
      /** Those that are new or changed, and the ids of those it no longer has. */
      readonly set: readonly Task[];
      readonly removed: readonly string[];
    }
  /** An agent works by what it was told up to this revision. */
  | { readonly type: 'tasks-applied'; readonly agentId: string; readonly revision: number }
  /** What a sensor of an agent saw; committed, and not necessarily verified yet. */
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
    }
  /** Records of an agent are not what the agent wrote, or not all of it. */
  | {
      readonly type: 'alarm';
      readonly agentId: string;
      readonly name: string;
      readonly sensor: SensorName;
      /** The line that it is about. */
      readonly n: number;
      readonly cause: AlarmCause;
      readonly message: string;
    }
  | {
      readonly type: 'agent';
      readonly agentId: string;
      readonly name: string;
      readonly address: string | undefined;
      readonly status: string;
      readonly before: string | undefined;
    };

/**
 * `malformed`, `edited`, `unlinked`: see records/chain.ts. `missing`: lines that were announced or followed never came.
 * `forked`: one number, two lines, as from a copied disk. `rolled-back`: the agent is at an earlier line than it was.
 * `begun-anew`: a chain took the place of another, which therefore ends.
 */
export const alarmCauses = [
  'malformed',
  'edited',
  'unlinked',
  'missing',
  'forked',
  'rolled-back',
  'begun-anew',
] as const;
export type AlarmCause = (typeof alarmCauses)[number];
