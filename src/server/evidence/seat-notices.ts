import { BoundedMap } from '../../core/bounded-map.ts';
import type { Cancel, Clock } from '../../core/clock.ts';
import type { SensorRecord } from '../../core/record.ts';
import type { SensorName } from '../../core/sensor.ts';
import { isOfNetwork, networkNotice, type NetworkRecord } from '../../records/network-text.ts';
import { noticeOf, severityOf } from '../../records/record-text.ts';
import type { NewNotice } from '../store/notices.ts';
import { SeatNames, type Seat } from './seat-names.ts';

/** A record of a seat. */
export interface NoticedRecord {
  readonly seat: Omit<Seat, 'isPresent'>;
  readonly sensor: SensorName;
  readonly record: SensorRecord;
  /** How long ago it was written. */
  readonly ageMs: number;
}

interface NoticesParts {
  readonly clock: Clock;
  readonly seats: () => readonly Seat[];
  /** Whether the seat would itself record a contact now. */
  readonly countsTraffic: (agentId: string) => boolean;
  /** A notice that waited for the other side's record. */
  readonly onLate: (notice: NewNotice) => void;
}

interface Held {
  readonly agentId: string;
  readonly cancel: Cancel;
}

/** Within this time the records of both sides are of one contact. */
const pairMs = 600_000;
const maxRemembered = 10_000;
/** So long a seat has for its own record of what another says of it; its sensor looks at the counters every 2 s. */
const confirmMs = { contact: 2000, volume: 6000 } as const;

/**
 * The sentences about what the sensors of the seats see. Both sides of a contact record it, and it is told once. What one seat says that
 * another did is told when that one's own record says the same; if none comes, the sentence says so, for addresses can be forged.
 */
export class SeatNotices {
  readonly #parts: NoticesParts;
  readonly #names: SeatNames;
  readonly #told = new BoundedMap<string, { readonly agentId: string; readonly atMs: number }>(maxRemembered);
  /** Notices that wait for the other side. */
  readonly #held = new Map<string, Held>();

  constructor(parts: NoticesParts) {
    this.#parts = parts;
    this.#names = new SeatNames(parts.seats);
  }

  /** Undefined if the record needs no notice, the other side's was told, or it waits for the other side. */
  of(noticed: NoticedRecord): string | undefined {
    const { record, sensor, seat, ageMs } = noticed;
    this.#names.learn(seat.id, record);
    if (!isOfNetwork(record)) return noticeOf(record, { machine: seat.address ?? seat.name, sensor });
    const nameOf = (address: string): string => this.#names.nameOf(address, ageMs);
    const notice = networkNotice(record, { machine: seat.name, nameOf });
    if (notice === undefined || !isOfPair(record)) return notice;
    const other = nameOf(record.peer);
    const key = keyOf(record, { notice, pair: [seat.name, other] });
    if (this.#isToldByOther(key, seat.id)) return undefined;
    const held = this.#held.get(key);
    if (held && held.agentId !== seat.id) this.#release(key);
    else if (this.#isOnlyOneSideOf(record) && other === this.#names.seatAt(record.peer)?.name)
      return this.#hold(key, { noticed, notice, other });
    this.#told.set(key, { agentId: seat.id, atMs: this.#parts.clock.monotonic() });
    return notice;
  }

  stop(): void {
    for (const key of this.#held.keys()) this.#release(key);
  }

  /** A record that comes again, because it could not be kept the first time, has its notice. */
  #isToldByOther(key: string, agentId: string): boolean {
    const told = this.#told.get(key);
    return told !== undefined && told.agentId !== agentId && this.#parts.clock.monotonic() - told.atMs < pairMs;
  }

  /** True for what is told of another seat, which would record it too. */
  #isOnlyOneSideOf(record: PairRecord): boolean {
    const peer = this.#names.seatAt(record.peer);
    const isOwnDeed = 'direction' in record && record.direction === 'out';
    return !isOwnDeed && peer !== undefined && this.#parts.countsTraffic(peer.id);
  }

  #hold(key: string, waiting: Waiting): undefined {
    if (this.#held.has(key) || this.#held.size >= maxRemembered) return;
    const { clock, onLate } = this.#parts;
    const { record, seat } = waiting.noticed;
    const waitMs = record.event === 'contact-volume' ? confirmMs.volume : confirmMs.contact;
    const cancel = clock.after(waitMs, () => {
      this.#held.delete(key);
      onLate(lateNotice(waiting, clock.now()));
    });
    this.#held.set(key, { agentId: seat.id, cancel });
  }

  #release(key: string): void {
    this.#held.get(key)?.cancel();
    this.#held.delete(key);
  }
}

type PairRecord = Extract<NetworkRecord, { event: 'lan-access' | 'forbidden-peer' | 'contact-volume' | 'scan' }> & {
  readonly peer: string;
};

interface Waiting {
  readonly noticed: NoticedRecord;
  readonly notice: string;
  /** The other seat's name. */
  readonly other: string;
}

function isOfPair(record: NetworkRecord): record is PairRecord {
  return record.event !== 'peer-mac' && 'peer' in record && record.peer !== undefined;
}

function lateNotice({ noticed, notice, other }: Waiting, at: number): NewNotice {
  const { record, seat, sensor } = noticed;
  const address = 'peer' in record ? record.peer : undefined;
  const doubt = `only ${seat.name} has recorded it, ${other} has not: its rules may allow it, or another machine used its address ${address}`;
  const text = `${notice}; ${doubt}`;
  return { agentId: seat.id, sensor, kind: record.event, severity: severityOf(record), text, at };
}

interface PairSentence {
  readonly notice: string;
  readonly pair: readonly string[];
}

/** The same for the records of both sides, each of which counts from its own end, and not at the same moment. */
function keyOf(record: PairRecord, { notice, pair }: PairSentence): string {
  const both = pair.toSorted().join(' ');
  if (record.event === 'contact-volume')
    return `volume ${both} ${Math.floor(Math.log10(record.wire[0] + record.wire[1]))}`;
  if (record.event === 'scan') return `scan ${(record.direction === 'out' ? pair : pair.toReversed()).join(' ')}`;
  return record.direction === 'unknown' ? `packets ${both} ${record.protocol}` : notice;
}
