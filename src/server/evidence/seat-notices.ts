import { BoundedMap } from '../../core/bounded-map.ts';
import type { Clock } from '../../core/clock.ts';
import type { SensorRecord } from '../../core/record.ts';
import type { SensorName } from '../../core/sensor.ts';
import { isOfNetwork, networkNotice } from '../../records/network-text.ts';
import { noticeOf } from '../../records/record-text.ts';

/** An agent and the address that it reports from. */
export interface Seat {
  readonly name: string;
  readonly address: string | undefined;
}

/** A record of a seat. */
export interface NoticedRecord {
  readonly agentId: string;
  readonly seat: Seat;
  readonly sensor: SensorName;
  readonly record: SensorRecord;
}

interface NoticesParts {
  readonly clock: Clock;
  readonly seats: () => readonly Seat[];
}

/** Within this time the records of both sides are of one contact. */
const pairMs = 600_000;
const maxRemembered = 10_000;

/** The sentences about what the sensors of the seats see: both sides of a contact record it, and it is told once. */
export class SeatNotices {
  readonly #parts: NoticesParts;
  readonly #told = new BoundedMap<string, { readonly agentId: string; readonly atMs: number }>(maxRemembered);

  constructor(parts: NoticesParts) {
    this.#parts = parts;
  }

  /** Undefined if the record needs no notice, or the other side's was told. */
  of(noticed: NoticedRecord): string | undefined {
    const { record, sensor, seat } = noticed;
    if (!isOfNetwork(record)) return noticeOf(record, { machine: seat.address ?? seat.name, sensor });
    const names = this.#namesByAddress();
    const nameOf = (address: string): string => names.get(address) ?? address;
    const notice = networkNotice(record, { machine: seat.name, nameOf });
    if (notice === undefined || !('peer' in record) || record.peer === undefined) return notice;
    const key = record.event === 'contact-volume' ? volumeKey(record, [seat.name, nameOf(record.peer)]) : notice;
    return this.#isToldByOther(key, noticed) ? undefined : notice;
  }

  /** A record that comes again, because it could not be kept the first time, has its notice. */
  #isToldByOther(key: string, { agentId }: NoticedRecord): boolean {
    const nowMs = this.#parts.clock.monotonic();
    const told = this.#told.get(key);
    if (told && told.agentId !== agentId && nowMs - told.atMs < pairMs) return true;
    this.#told.set(key, { agentId, atMs: nowMs });
    return false;
  }

  /** By the address of the connection, which an agent cannot choose; an address that several share names none of them. */
  #namesByAddress(): ReadonlyMap<string, string> {
    const byAddress = Map.groupBy(this.#parts.seats(), ({ address }) => address ?? '');
    const single = [...byAddress].filter(([address, seats]) => address !== '' && seats.length === 1);
    return new Map(single.map(([address, [seat]]) => [address, seat?.name ?? address]));
  }
}

/** Both sides count the same bytes, each from its own end, and not at the same moment. */
function volumeKey({ wire }: Extract<SensorRecord, { event: 'contact-volume' }>, pair: readonly string[]): string {
  return `${pair.toSorted().join(' ')} ${Math.floor(Math.log10(wire[0] + wire[1]))}`;
}
