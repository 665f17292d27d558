import type { JsonObject } from './outcome.ts';

/** What a line for the operator is about, for programs that read the log. */
export interface Occurrence {
  /** `agent-online`: the same for every line of its kind. */
  readonly event: string;
  /** `info` if absent. */
  readonly level?: 'info' | 'warning' | 'error';
  readonly fields?: JsonObject;
}

/** Writes a line for the operator. */
export type Say = (text: string, about?: Occurrence) => void;
