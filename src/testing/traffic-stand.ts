import assert from 'node:assert/strict';
import { sensorRecord, type SensorRecord } from '../core/record.ts';
import { encodeMessage } from '../net/packets/dns/message.ts';
import { TrafficObserver } from '../sensors/traffic/observer.ts';
import { trafficOptions } from '../sensors/traffic/options.ts';
import type { TrafficRecord } from '../sensors/traffic/traffic-record.ts';
import { FakeClock } from './fake-clock.ts';
import { fakeGateway, fakeSelf, FakeNetwork } from './fake-network.ts';
import { ipv4Packet, udpDatagram } from './ip-packet.ts';
import { PacketCounter } from './packet-counter.ts';

export const gatewayMac = '02:00:00:00:00:01';
export const neighbourMac = '02:00:00:00:00:17';

/** A TCP or ICMP packet, UDP if neither is given. */
interface Sent {
  readonly payload?: Buffer;
  readonly protocol?: number;
  readonly from?: string;
}

/** An observer in a network of a test's making. */
export class TrafficStand {
  readonly clock = new FakeClock();
  readonly counter = new PacketCounter();
  readonly records: SensorRecord[] = [];
  readonly network = new FakeNetwork();
  readonly observer: TrafficObserver;

  constructor(options: Parameters<typeof trafficOptions.parse>[0] = {}, serverAddresses: readonly string[] = []) {
    this.observer = new TrafficObserver({
      options: trafficOptions.parse(options),
      clock: this.clock,
      record: (record) => this.records.push(sensorRecord.parse(record)),
      surroundings: this.network,
      serverAddresses: () => serverAddresses,
      openCounter: (options) => this.counter.open(options),
    });
  }

  /** Without the hosts that were there when the observer started. */
  get told(): readonly SensorRecord[] {
    return this.records.filter((record) => record.event !== 'surroundings' || record.change !== 'present');
  }

  receive(
    source: string,
    { mac = neighbourMac, port = 22, to = fakeSelf, isLost = false, bytes = 100, from = 40_000 } = {},
  ): void {
    const payload = udpDatagram([from, port], Buffer.alloc(bytes));
    const packet = ipv4Packet({ source, destination: to, protocol: 17, payload });
    this.counter.pass({ direction: 'in', bytes: packet, mac, isLost });
  }

  receiveIp(source: string, { payload = Buffer.alloc(0), protocol = 6, from = fakeSelf }: Sent): void {
    const bytes = ipv4Packet({ source, destination: from, protocol, payload });
    this.counter.pass({ direction: 'in', bytes, mac: neighbourMac });
  }

  send(
    destination: string,
    { payload = udpDatagram([40_000, 9], Buffer.alloc(100)), protocol = 17, from = fakeSelf }: Sent = {},
  ): void {
    this.counter.pass({ direction: 'out', bytes: ipv4Packet({ source: from, destination, protocol, payload }) });
  }

  /** Asks the gateway for a name, from a port. */
  ask(name: string, { id = 1, port = 40_053, server = fakeGateway } = {}): void {
    const message = encodeMessage({ ...emptyMessage, id, flags: ['rd'], questions: [{ name, type: 'A' }] });
    this.send(server, { payload: udpDatagram([port, 53], message) });
  }

  /** An answer of the gateway, whether or not anybody asked. */
  answer(name: string, address: string, { id = 1, port = 40_053, server = fakeGateway } = {}): void {
    const answers = [{ name, type: 'A', ttlSeconds: 60, data: address }];
    const message = encodeMessage({ ...emptyMessage, id, flags: ['qr'], questions: [{ name, type: 'A' }], answers });
    const payload = udpDatagram([53, port], message);
    const bytes = ipv4Packet({ source: server, destination: fakeSelf, protocol: 17, payload });
    this.counter.pass({ direction: 'in', bytes, mac: gatewayMac });
  }

  /** What a host announces to all by multicast DNS. */
  announce(source: string, name: string, address = source): void {
    const answers = [{ name, type: 'A', ttlSeconds: 60, data: address }];
    const message = encodeMessage({ ...emptyMessage, flags: ['qr'], answers });
    const payload = udpDatagram([5353, 5353], message);
    const bytes = ipv4Packet({ source, destination: '224.0.0.251', protocol: 17, payload });
    this.counter.pass({ direction: 'in', bytes, mac: neighbourMac });
  }

  /** Learns a name as programs do: asks, and is answered. */
  resolve(name: string, address: string): void {
    this.ask(name);
    this.answer(name, address);
  }

  takeRecord(): TrafficRecord {
    const [record] = this.observer.takeRecords();
    return record ?? assert.fail('there is no record');
  }

  async step(steps = 1): Promise<void> {
    for (let step = 0; step < steps; step++) {
      await this.clock.advance(2000);
      this.observer.step();
    }
  }

  events(): readonly string[] {
    return this.told.map((record) => ('peer' in record ? `${record.event} ${record.peer}` : record.event));
  }
}

const emptyMessage = {
  id: 0,
  opcode: 0,
  rcode: 0,
  questions: [],
  answers: [],
  authorities: [],
  additionals: [],
} as const;

export const tcpFlag = { syn: 2, reset: 4, synAck: 0x12, ack: 0x10 };

export function tcpSegment(
  port: number,
  data: Buffer = Buffer.alloc(0),
  { flags = tcpFlag.syn, from = 40_000 } = {},
): Buffer {
  const header = Buffer.alloc(20);
  header.writeUInt16BE(from, 0);
  header.writeUInt16BE(port, 2);
  header.writeUInt8(0x50, 12);
  header.writeUInt8(flags, 13);
  return Buffer.concat([header, data]);
}

/** The shortest ClientHello that has a server name. */
export function clientHello(name: string): Buffer {
  const bytes = Buffer.from(name, 'latin1');
  const list = Buffer.concat([Buffer.from([0]), u16(bytes.length), bytes]);
  const extension = Buffer.concat([u16(0), u16(list.length + 2), u16(list.length), list]);
  const suites = Buffer.from([0, 2, 0x13, 0x01, 1, 0]);
  const hello = Buffer.concat([Buffer.alloc(2 + 32), Buffer.from([0]), suites, u16(extension.length), extension]);
  return Buffer.concat([Buffer.from([22, 3, 1]), u16(hello.length + 4), Buffer.from([1, 0]), u16(hello.length), hello]);
}

function u16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 255]);
}
