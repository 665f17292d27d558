import type { ResultItem } from './entry.ts';
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
  | {
      readonly type: 'agent';
      readonly agentId: string;
      readonly name: string;
      readonly address: string | undefined;
      readonly status: string;
      readonly before: string | undefined;
    };
