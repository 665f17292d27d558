import type { SensorRecord } from '../../core/record.ts';
import { unmapped } from '../../core/target.ts';

/** A watched machine. */
export interface Seat {
  readonly id: string;
  readonly name: string;
  /** The address that it reports from; undefined if it never did. */
  readonly address: string | undefined;
  /** It is connected, or was until a moment ago: its address is its own. */
  readonly isPresent: boolean;
}

/** A record that is older than this may be of a time in which others had the addresses. */
const freshMs = 60_000;
const maxAddressesOfSeat = 64;

/**
 * Whose an address is. The address of a seat's connection counts, which an agent cannot choose; then those that the seats' own
 * records name. An address that several seats have names none of them.
 */
export class SeatNames {
  readonly #seats: () => readonly Seat[];
  /** By agent, as its records tell. */
  readonly #told = new Map<string, Set<string>>();

  constructor(seats: () => readonly Seat[]) {
    this.#seats = seats;
  }

  /** Takes the addresses that a record of a seat names as its own. */
  learn(agentId: string, record: SensorRecord): void {
    if (record.event === 'traffic') {
      const all = record.interfaces.flatMap(({ addresses }) => addresses);
      this.#told.set(agentId, new Set(all.slice(0, maxAddressesOfSeat)));
    } else if (record.event === 'surroundings' && record.kind === 'address') {
      const [address = ''] = record.value.split('/');
      const told = this.#told.getOrInsertComputed(agentId, () => new Set());
      if (record.change === 'gone') told.delete(address);
      else if (told.size < maxAddressesOfSeat) told.add(address);
    }
  }

  /** The present seat that has the address; undefined if there is none, or not one alone. */
  seatAt(address: string): Seat | undefined {
    const seats = this.#seats().filter(({ isPresent }) => isPresent);
    const connected = seats.filter((seat) => seat.address !== undefined && machineAt(seat.address) === address);
    if (connected.length > 0) return connected.length === 1 ? connected[0] : undefined;
    const telling = seats.filter(({ id }) => this.#told.get(id)?.has(address));
    return telling.length === 1 ? telling[0] : undefined;
  }

  /** What a sentence calls a host: a seat's name only if the address is certainly its own. */
  nameOf(address: string, ageMs: number): string {
    const seat = this.seatAt(address);
    if (seat) return ageMs <= freshMs ? seat.name : `${address} (now ${seat.name})`;
    const absent = this.#seats().filter(
      (each) => !each.isPresent && each.address !== undefined && machineAt(each.address) === address,
    );
    const [last] = absent;
    return last && absent.length === 1 ? `${address} (last used by ${last.name}, which is offline)` : address;
  }
}

/** The address without port: called agents are known with theirs. */
export function machineAt(place: string): string {
  const [, bracketed, plain] = /^\[(.+)\]:\d+$|^([^:]+):\d+$/.exec(place) ?? [];
  return unmapped(bracketed ?? plain ?? place);
}
