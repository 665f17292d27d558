import type { Clock } from '../../core/clock.ts';
import type { Say } from '../../core/say.ts';

interface FaultLogParts {
  readonly clock: Clock;
  readonly say: Say;
  /** What its lines are about. */
  readonly event: string;
}

interface Told {
  readonly atMs: number;
  /** How often it happened since, and was not told. */
  unsaid: number;
}

const quietMs = 600_000;
/** Kinds remembered at a time. With so many told in ten minutes more lines help nobody: the counters go on. */
const maxKinds = 500;

/** Says what others do wrong: each kind once, then at most every ten minutes with how often it happened. */
export class FaultLog {
  readonly #parts: FaultLogParts;
  readonly #told = new Map<string, Told>();

  constructor(parts: FaultLogParts) {
    this.#parts = parts;
  }

  /** `kind` names who did what, so that the same fault of the same agent is one kind. */
  tell(kind: string, text: string): void {
    const { clock, say, event } = this.#parts;
    const nowMs = clock.monotonic();
    const told = this.#told.get(kind);
    if (told && nowMs - told.atMs < quietMs) {
      told.unsaid++;
      return;
    }
    if (!told && this.#isFull(nowMs)) return;
    this.#told.set(kind, { atMs: nowMs, unsaid: 0 });
    const again = told && told.unsaid > 0 ? ` (and ${told.unsaid} times since this was last said)` : '';
    say(text + again, { event, level: 'warning', fields: { kind } });
  }

  #isFull(nowMs: number): boolean {
    if (this.#told.size < maxKinds) return false;
    for (const [kind, { atMs }] of this.#told) if (nowMs - atMs >= quietMs) this.#told.delete(kind);
    return this.#told.size >= maxKinds;
  }
}
