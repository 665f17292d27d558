import { z } from 'zod';
import type { Clock, MachineTime } from '../core/clock.ts';
import type { AbsenceItem } from '../core/entry.ts';
import type { SmallFiles } from '../core/small-files.ts';
import { disturbances, type Clocks } from './disturbances.ts';

const livedSchema = z.strictObject({
  boot: z.string(),
  /** Wall clock, epoch milliseconds. */
  at: z.number(),
  /** Since the boot, also while the machine slept. */
  uptimeMs: z.number(),
  hasEnded: z.boolean(),
});
type Lived = z.output<typeof livedSchema>;

interface OwnTimeParts {
  readonly clock: Clock;
  readonly machine: MachineTime;
  readonly files: SmallFiles;
  readonly onAbsence: (absence: AbsenceItem) => void;
}

const fileName = 'lived.json';

/** Tells the time in which this agent ran nothing: before it was started, and while it was paused or its machine slept. */
export class OwnTime {
  readonly #parts: OwnTimeParts;
  #before: Clocks | undefined;

  constructor(parts: OwnTimeParts) {
    this.#parts = parts;
  }

  /** Throws the disk's error; the next start then reports a longer absence. */
  start(): void {
    const lived = this.#read();
    if (lived) this.#parts.onAbsence(absenceSince(lived, this.#now(false)));
    this.look();
  }

  /** To be called every `lookEveryMs`. Throws the disk's error. */
  look(): void {
    const { clock, machine, onAbsence } = this.#parts;
    const now = { wallMs: clock.now(), monotonicMs: clock.monotonic(), uptimeMs: machine.uptimeMs() };
    for (const disturbance of this.#before ? disturbances(this.#before, now) : []) {
      if (disturbance.event !== 'not-watching') continue;
      const from = now.wallMs - disturbance.seconds * 1000;
      onAbsence({ kind: 'absence', from: Math.max(0, from), to: now.wallMs, reason: disturbance.cause });
    }
    this.#before = now;
    this.#write(false);
  }

  /** Notes that the agent ends by order. Throws the disk's error. */
  stop(): void {
    this.#write(true);
  }

  #now(hasEnded: boolean): Lived {
    const { clock, machine } = this.#parts;
    return { boot: machine.boot, at: clock.now(), uptimeMs: machine.uptimeMs(), hasEnded };
  }

  #read(): Lived | undefined {
    try {
      return livedSchema.safeParse(JSON.parse(this.#parts.files.read(fileName) ?? 'null')).data;
    } catch {
      // A power cut may have left half of the file: then it is unknown when the agent last ran.
      return undefined;
    }
  }

  #write(hasEnded: boolean): void {
    this.#parts.files.replace(fileName, JSON.stringify(this.#now(hasEnded)), { isDurable: false });
  }
}

/** The time since the agent last ran. Within one boot, setting the clock does not change it. */
export function absenceSince(lived: Lived, now: Omit<Lived, 'hasEnded'>): AbsenceItem {
  const isSameBoot = lived.boot === now.boot;
  const awayMs = Math.max(0, isSameBoot ? now.uptimeMs - lived.uptimeMs : now.at - lived.at);
  const [ended, cut] = isSameBoot ? (['stopped', 'killed'] as const) : (['restarted', 'lost-power'] as const);
  return { kind: 'absence', from: Math.max(0, now.at - awayMs), to: now.at, reason: lived.hasEnded ? ended : cut };
}
