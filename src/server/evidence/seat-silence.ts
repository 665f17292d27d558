import type { ServerEvent } from '../../core/event.ts';
import { agentEnds, type SensorRecord } from '../../core/record.ts';
import { formatSpan } from '../../core/span.ts';
import type { NewNotice } from '../store/notices.ts';

interface SilenceParts {
  readonly now: () => number;
  /** Whether somebody has ordered that the seat is watched now. */
  readonly isWatched: (seat: NamedSeat) => boolean;
  /** How many seats are to be watched, and how many of them are silent. */
  readonly room: () => { readonly silent: number; readonly watched: number };
  readonly onNotice: (notice: NewNotice) => void;
}

type AgentChange = Pick<Extract<ServerEvent, { type: 'agent' }>, 'agentId' | 'name' | 'status' | 'awayMs'>;

interface NamedSeat {
  readonly id: string;
  readonly name: string;
}

/** Tells when a seat that is to be watched falls silent, and when it is heard again. */
export class SeatSilence {
  readonly #parts: SilenceParts;
  /** Seats whose agents said that they end. */
  readonly #stopped = new Set<string>();

  constructor(parts: SilenceParts) {
    this.#parts = parts;
  }

  /** Takes a record of a seat: an agent that is stopped says so. */
  note(agentId: string, record: SensorRecord): void {
    if (record.event === 'sensor-stopped' && record.message === agentEnds) this.#stopped.add(agentId);
    else this.#stopped.delete(agentId);
  }

  /** Takes a change of an agent's status. */
  noteAgent({ agentId: id, name, status, awayMs }: AgentChange): void {
    if (status === 'offline') this.#tellSilence({ id, name });
    else if (awayMs !== undefined) this.#tellReturn({ id, name }, awayMs);
  }

  #tellSilence({ id, name }: NamedSeat): void {
    if (!this.#parts.isWatched({ id, name })) return;
    if (this.#stopped.has(id))
      return this.#tell(id, { kind: 'silent', severity: 'notice', text: `${name} is silent: its agent was stopped` });
    const why = 'its agent was killed, its machine sleeps or is off, or the network between is gone';
    const room = this.#parts.room();
    const isCommon = room.silent > 2 && 2 * room.silent >= room.watched;
    const doubt = isCommon
      ? `; so have ${room.silent} of ${room.watched} watched seats: look at the server's own network first`
      : '';
    this.#tell(id, { kind: 'silent', severity: 'alarm', text: `${name} has fallen silent: ${why}${doubt}` });
  }

  #tellReturn({ id, name }: NamedSeat, silentMs: number): void {
    if (!this.#parts.isWatched({ id, name })) return;
    const text = `${name} is heard again after ${formatSpan(silentMs)} of silence; its records say whether it watched meanwhile`;
    this.#tell(id, { kind: 'returned', severity: 'notice', text });
  }

  #tell(agentId: string, notice: Pick<NewNotice, 'kind' | 'severity' | 'text'>): void {
    this.#parts.onNotice({ agentId, sensor: undefined, at: this.#parts.now(), ...notice });
  }
}
