import type { ResultItem } from './entry.ts';

/** What happened on the server, for whoever watches: a console, a live view, a metric. Nothing durable depends on it. */
export type ServerEvent =
  /** `isLate`: the task has a newer result already; this one completes the history. */
  | { readonly type: 'result'; readonly agentId: string; readonly result: ResultItem; readonly isLate: boolean }
  | { readonly type: 'gap'; readonly agentId: string; readonly cause: string; readonly missing: number }
  | {
      readonly type: 'agent';
      readonly agentId: string;
      readonly name: string;
      readonly status: string;
      readonly before: string | undefined;
    };
