import type { PassedOn, Peer, SensorRecord, TrafficInterface } from '../../core/record.ts';
import type { LinkCount, MeteredPeer } from './meter.ts';
import type { BothWays } from './rates.ts';
import type { Interface } from './surroundings.ts';

export type TrafficRecord = Extract<SensorRecord, { event: 'traffic' }>;

/** The record but for its peers, which get the room that is left. */
export type TrafficFrame = Pick<TrafficRecord, 'event' | 'seconds' | 'interfaces' | 'overflow'>;

const maxPeers = 400;
/** Records for one time; peers beyond these are summed. */
const maxParts = 6;
const maxPassedOn = 50;
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

interface Counted {
  readonly peers: readonly RecentPeer[];
  /** Most bytes first. */
  readonly passedOn: readonly PassedOn[];
}

/** Peers with traffic, most bytes first, in as many records as they need, up to six; the last sums what the others had. */
export function trafficRecords(frame: TrafficFrame, { peers, passedOn }: Counted): readonly TrafficRecord[] {
  const active = peers.filter(({ sinceRecord }) => sum(sinceRecord) > 0);
  active.sort((one, other) => sum(other.sinceRecord) - sum(one.sinceRecord));
  const records = [recordOf({ ...frame, ...passedOnPart(passedOn) }, active)];
  let told = records[0]?.peers.length ?? 0;
  while (told < active.length && records.length < maxParts) {
    const next = recordOf({ ...frame, interfaces: [], part: records.length + 1 }, active.slice(told));
    records.push(next);
    told += next.peers.length;
  }
  const others = active.slice(told);
  const last = records.pop();
  if (last) records.push(others.length === 0 ? last : { ...last, others: sumOf(others) });
  return records;
}

/** A record with as many of the peers as there is room for: at least one. */
function recordOf(frame: Omit<TrafficRecord, 'peers'>, active: readonly RecentPeer[]): TrafficRecord {
  const told: Peer[] = [];
  let room = maxRecordBytes - Buffer.byteLength(JSON.stringify(frame));
  for (const { describe } of active.slice(0, maxPeers)) {
    const peer = describe();
    room -= Buffer.byteLength(JSON.stringify(peer)) + 1;
    if (room < 0 && told.length > 0) break;
    told.push(peer);
  }
  return { ...frame, peers: told };
}

/** What of the counts this machine passed on for others, most bytes first. */
export function passedOnIn(counted: Iterable<MeteredPeer>, nameOf: (index: number) => string): readonly PassedOn[] {
  return Array.from(counted)
    .flatMap(({ interfaceIndex, address, other, wire }) =>
      other === undefined || wire[0] === 0
        ? []
        : [{ interface: nameOf(interfaceIndex), source: other, destination: address, wire: wire[0] }],
    )
    .toSorted((one, another) => another.wire - one.wire);
}

function passedOnPart(passedOn: readonly PassedOn[]): Pick<TrafficRecord, 'passedOn' | 'passedOnOthers'> {
  const rest = passedOn.slice(maxPassedOn);
  const wire = rest.reduce((total, pair) => total + pair.wire, 0);
  return {
    ...(passedOn.length > 0 && { passedOn: passedOn.slice(0, maxPassedOn) }),
    ...(rest.length > 0 && { passedOnOthers: { pairs: rest.length, wire } }),
  };
}

function sumOf(peers: readonly RecentPeer[]): NonNullable<TrafficRecord['others']> {
  const wire: BothWays = [0, 0];
  for (const { sinceRecord } of peers) {
    wire[0] += sinceRecord[0];
    wire[1] += sinceRecord[1];
  }
  return { peers: peers.length, wire };
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
  const bridge = each.master === undefined ? undefined : (now.get(each.master)?.name ?? `#${each.master}`);
  return { ...trafficInterface(each), ...(bridge !== undefined && { portOf: bridge }), ...(check && { check }) };
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
