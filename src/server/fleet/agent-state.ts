import { z } from 'zod';
import type { JsonObject } from '../../core/outcome.ts';
import { agentMessage, type Heartbeat } from '../../protocol/messages.ts';

const stateSchema = z.object({
  isAway: z.boolean(),
  since: z.number(),
  address: z.string().optional(),
  version: z.string().optional(),
  lastSeenAt: z.number().optional(),
  clockOffsetMs: z.number(),
  heartbeat: z.unknown(),
  toldAt: z.number().optional(),
});

/** What the server last knew of an agent, kept for its next start. Times are the server's, epoch milliseconds. */
export interface AgentState {
  readonly agentId: string;
  /** It was offline, since then. */
  readonly isAway: boolean;
  readonly since: number;
  readonly address?: string | undefined;
  readonly version?: string | undefined;
  readonly lastSeenAt?: number | undefined;
  readonly clockOffsetMs: number;
  readonly heartbeat?: Heartbeat | undefined;
  /** When the heartbeat came. */
  readonly toldAt?: number | undefined;
}

/** Undefined if another version of this program wrote it so that it cannot be read. */
export function readAgentState({
  agentId,
  state,
}: {
  readonly agentId: string;
  readonly state: JsonObject;
}): AgentState | undefined {
  const read = stateSchema.safeParse(state).data;
  if (!read) return undefined;
  const heartbeat = agentMessage.safeParse(read.heartbeat).data;
  return { agentId, ...read, heartbeat: heartbeat?.type === 'heartbeat' ? heartbeat : undefined };
}

export function writeAgentState({ agentId, ...state }: AgentState): {
  readonly agentId: string;
  readonly state: JsonObject;
} {
  // Numbers, texts and the heartbeat, which came as JSON.
  return { agentId, state: state as unknown as JsonObject };
}
