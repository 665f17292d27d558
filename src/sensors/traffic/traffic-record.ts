import type { Peer, SensorRecord, TrafficInterface } from '../../core/record.ts';
import type { LinkCount } from './meter.ts';
import type { BothWays } from './rates.ts';
import type { Interface } from './surroundings.ts';

export type TrafficRecord = Extract<SensorRecord, { event: 'traffic' }>;

/** The record but for its peers, which get the room that is left. */
export type TrafficFrame = Omit<TrafficRecord, 'peers' | 'others'>;

const maxPeers = 400;
/** Of the text, so that with the seal around it a line stays below 190 KiB. */
const maxRecordBytes = 180 * 1024;
const maxInterfaces = 64;
const maxAddresses = 8;

/** A peer as it is recorded, and what passed since the record before, on the wire. */
export interface RecentPeer {
  readonly sinceRecord: Readonly<BothWays>;
  /** Made only for those that find room. */
  readonly describe: () => Peer;
}

/** Peers with traffic, most bytes first, as many as there is room for; what the others had is summed. */
export function trafficRecord(frame: TrafficFrame, peers: readonly RecentPeer[]): TrafficRecord {
  const active = peers.filter(({ sinceRecord }) => sum(sinceRecord) > 0);
  active.sort((one, other) => sum(other.sinceRecord) - sum(one.sinceRecord));
  const told: Peer[] = [];
  let room = maxRecordBytes - Buffer.byteLength(JSON.stringify(frame));
  for (const { describe } of active.slice(0, maxPeers)) {
    const peer = describe();
    room -= Buffer.byteLength(JSON.stringify(peer)) + 1;
    if (room < 0) break;
    told.push(peer);
  }
  const rest = active.slice(told.length);
  if (rest.length === 0) return { ...frame, peers: told };
  const wire: BothWays = [0, 0];
  for (const { sinceRecord } of rest) {
    wire[0] += sinceRecord[0];
    wire[1] += sinceRecord[1];
  }
  return { ...frame, peers: told, others: { peers: rest.length, wire } };
}

function sum([sent, received]: Readonly<BothWays>): number {
  return sent + received;
}

/** What was counted on the interfaces since the record before, and what they themselves counted then. */
export interface InterfaceCounts {
  /** By interface index. */
  readonly counted: ReadonlyMap<number, LinkCount>;
  readonly before: ReadonlyMap<number, Interface>;
  readonly now: ReadonlyMap<number, Interface>;
}

/** The interfaces that have an address or had traffic, those with the most traffic first. One that is gone has only its name. */
export function interfacesOf(counts: InterfaceCounts): TrafficInterface[] {
  const { counted, before, now } = counts;
  const bytesOf = ({ index }: Interface): number => sum(counted.get(index)?.taps ?? [0, 0]);
  const shown = new Map([...before, ...now])
    .values()
    .filter((each) => bytesOf(each) > 0 || (now.has(each.index) && each.addresses.length > 0))
    .toArray()
    .toSorted((one, other) => bytesOf(other) - bytesOf(one));
  return shown.slice(0, maxInterfaces).map((each) => interfaceOf(each, counts));
}

function interfaceOf(each: Interface, { counted, before, now }: InterfaceCounts): TrafficInterface {
  const { index, name } = each;
  if (!now.has(index)) return { name, addresses: [] };
  const check = checkOf(each, before.get(index), counted.get(index));
  return { ...trafficInterface(each), ...(check && { check }) };
}

/** An interface as it is recorded, without its check. */
export function trafficInterface({ name, addresses, mac }: Interface): TrafficInterface {
  const texts = addresses.slice(0, maxAddresses).map(({ address }) => address);
  return { name, addresses: texts, ...(mac && { mac }) };
}

/**
 * None for a link without MAC addresses, whose headers are not Ethernet's, and none where the counter began anew. One that was
 * not there before has counted from nothing.
 */
function checkOf(
  now: Interface,
  before: Interface | undefined,
  counted: LinkCount = { taps: [0, 0], wire: [0, 0] },
): TrafficInterface['check'] {
  if (now.mac === undefined) return undefined;
  const sent = now.sent - (before?.sent ?? 0);
  const received = now.received - (before?.received ?? 0);
  if (sent < 0 || received < 0) return undefined;
  const { taps, wire } = counted;
  return {
    counted: [nearer(sent, taps[0], wire[0]), nearer(received, taps[1], wire[1])],
    counter: [sent, received],
  };
}

/** A virtual interface counts packets before they are cut, as the taps see them; a network card counts what is on the wire. */
function nearer(counter: number, taps: number, wire: number): number {
  return Math.abs(taps - counter) <= Math.abs(wire - counter) ? taps : wire;
}
