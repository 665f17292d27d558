import type { AbsenceItem } from '../../core/entry.ts';
import type { AgentLife, AgentMachine } from './agent-machine.ts';
import type { World } from './world.ts';

interface Started {
  /** How long nothing had run. */
  readonly deadMs: number;
  told: boolean;
}

/** A life that ends sooner may have told it to nobody; the next one tells a longer time. */
const tellsWithinMs = 5000;
/** An agent notes that it runs every two seconds. */
const slackMs = 100;

/** Watches that each agent that starts tells the time in which it ran nothing. */
export class AbsenceWitness {
  readonly #world: World;
  readonly #started = new Map<number, Started>();
  /** When each machine's last life ended. */
  readonly #endedMs = new Map<AgentMachine, number>();

  constructor(world: World) {
    this.#world = world;
  }

  onStarted(machine: AgentMachine, life: AgentLife): void {
    const endedMs = this.#endedMs.get(machine);
    if (endedMs === undefined || machine.files.get('lived.json') === undefined) return;
    const started: Started = { deadMs: this.#world.nowMs - endedMs, told: false };
    this.#started.set(life.id, started);
    this.#world.after(tellsWithinMs, () => {
      this.#started.delete(life.id);
      // A disk that fails holds up its start.
      if (started.told || !life.agent || !life.process.isAlive || life.process.isPaused) return;
      const text = `${machine.name} does not tell that it ran nothing for ${Math.round(started.deadMs / 1000)} s`;
      this.#world.find('time in which nothing ran is told', text);
    });
  }

  onAbsence(life: AgentLife, { from, to }: AbsenceItem): void {
    const started = this.#started.get(life.id);
    if (started && to - from >= started.deadMs - slackMs) started.told = true;
  }

  onEnded(machine: AgentMachine): void {
    this.#endedMs.set(machine, this.#world.nowMs);
  }

  /** Its clock was set, or its folder is an older one: what it tells next can be wrong. */
  forget(machine: AgentMachine): void {
    this.#endedMs.delete(machine);
  }
}
