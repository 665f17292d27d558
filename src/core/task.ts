import type { Milliseconds } from './duration.ts';
import type { JsonObject } from './outcome.ts';

/** Stands for an agent's id in tasks and results of monitors that no agent runs: the server itself makes their results. */
export const serverAgentId = 'server';

/** The options of a task as JSON, in bytes: the task fits the largest frame between server and agent with room to spare. */
export const maxOptionsBytes = 768 * 1024;

/** A monitor handed to one agent. The id is created once, and every result of the task carries it. */
export interface Task {
  /** UUID v7. */
  readonly id: string;
  readonly monitorId: string;
  readonly monitorName: string;
  readonly type: string;
  readonly target: string;
  /** As written, not parsed: the agent parses them with its own schema of the type. */
  readonly options: JsonObject;
  readonly intervalMs: Milliseconds;
  readonly timeoutMs: Milliseconds;
  /** A paused task keeps its place and does not run. */
  readonly paused: boolean;
}

/** What an agent says of a run that it was asked for. */
export type RunAnswer =
  | { readonly refusal: string }
  /** The run has begun; its result has this time. */
  | { readonly scheduledAt: number };
