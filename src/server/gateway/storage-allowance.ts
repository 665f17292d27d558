import type { Clock } from '../../core/clock.ts';
import { refilled } from '../../core/rate.ts';

interface AllowanceParts {
  readonly clock: Pick<Clock, 'monotonic'>;
  /** How many results a second the agent's tasks make. */
  readonly resultsPerSecond: (agentId: string) => number;
  /** An agent has used up its allowance. */
  readonly onUsedUp: (agentId: string) => void;
}

/** Twice what a queue of an agent holds unless it is told otherwise: any backlog passes at once. */
const burst = 2 * 1024 * 1024 * 1024;
/** For records of sensors and what is told beside results. */
const leastPerSecond = 64 * 1024;
/** Far above a usual result, which has some hundred bytes. */
const bytesPerResult = 2048;

interface Account {
  left: number;
  filledMs: number;
}

/**
 * What each agent may send to be kept, over all its connections: a backlog, and then as much as its tasks make. An agent that sends
 * more is read more slowly, so that none fills the disk.
 */
export class StorageAllowance {
  readonly #parts: AllowanceParts;
  readonly #accounts = new Map<string, Account>();

  constructor(parts: AllowanceParts) {
    this.#parts = parts;
  }

  /** Takes these bytes, and says how long to wait before more may be taken; 0 while there is some left. */
  take(agentId: string, bytes: number): number {
    const { clock, resultsPerSecond, onUsedUp } = this.#parts;
    const nowMs = clock.monotonic();
    const account = this.#accounts.getOrInsertComputed(agentId, () => ({ left: burst, filledMs: nowMs }));
    const perSecond = leastPerSecond + bytesPerResult * resultsPerSecond(agentId);
    const left = refilled({ burst, perSecond }, account.left, nowMs - account.filledMs) - bytes;
    Object.assign(account, { left, filledMs: nowMs });
    if (left >= 0) return 0;
    onUsedUp(agentId);
    return (-left / perSecond) * 1000;
  }
}
