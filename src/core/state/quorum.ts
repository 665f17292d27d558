import type { Status } from '../outcome.ts';

/** How many fresh voices must say that a monitor fails. */
export const quorumWords = ['any', 'majority', 'all'] as const;
export type Quorum = (typeof quorumWords)[number] | number;

export interface QuorumPolicy {
  readonly quorum: Quorum;
  /** With fewer fresh voices the monitor is unknown. */
  readonly minVoices: number;
}

/** What the fresh and healthy voices of a monitor say; the others have no vote. */
export interface Votes {
  readonly up: number;
  readonly degraded: number;
  readonly down: number;
}

export function votesOf(states: Iterable<Status>): Votes {
  const votes = { up: 0, degraded: 0, down: 0 };
  for (const state of states) if (state !== 'unknown') votes[state]++;
  return votes;
}

/**
 * The state that the votes make together. With too few voices it is unknown, never down. It is unknown too if some voices see
 * a failure, and there are not enough voices to reach the quorum at all.
 */
export function stateOfVotes({ up, degraded, down }: Votes, { quorum, minVoices }: QuorumPolicy): Status {
  const fresh = up + degraded + down;
  if (fresh < Math.max(1, minVoices)) return 'unknown';
  const needed = neededOf(quorum, fresh);
  if (down >= needed) return 'down';
  if (down + degraded >= needed) return 'degraded';
  return needed > fresh && down + degraded > 0 ? 'unknown' : 'up';
}

function neededOf(quorum: Quorum, fresh: number): number {
  if (quorum === 'any') return 1;
  if (quorum === 'all') return fresh;
  return quorum === 'majority' ? Math.floor(fresh / 2) + 1 : quorum;
}
