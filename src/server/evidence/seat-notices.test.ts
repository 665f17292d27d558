import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SensorRecord } from '../../core/record.ts';
import { FakeClock } from '../../testing/fake-clock.ts';
import type { NewNotice } from '../store/notices.ts';
import type { Seat } from './seat-names.ts';
import { SeatNotices } from './seat-notices.ts';

const room: readonly (readonly [name: string, address: string])[] = [
  ['seat-1', '10.20.1.1:50123'],
  ['seat-2', '10.20.1.2:50124'],
  ['seat-8', '10.20.1.8:50125'],
  ['seat-9', '10.20.1.8:50126'],
];

class Stand {
  readonly clock = new FakeClock();
  readonly late: NewNotice[] = [];
  readonly absent = new Set<string>();
  readonly blind = new Set<string>();
  readonly #notices = new SeatNotices({
    clock: this.clock,
    seats: () => this.#seats,
    countsTraffic: (agentId) => !this.blind.has(agentId),
    onLate: (notice) => this.late.push(notice),
  });

  get #seats(): readonly Seat[] {
    return room.map(([name, address]) => ({ id: name, name, address, isPresent: !this.absent.has(name) }));
  }

  from(name: string, record: SensorRecord, ageMs = 0): string | undefined {
    const seat = this.#seats.find((each) => each.name === name) ?? assert.fail(name);
    return this.#notices.of({ seat, sensor: 'traffic', record, ageMs });
  }
}

type Direction = 'in' | 'out' | 'unknown';

function contact(direction: Direction, peer: string): SensorRecord {
  return { event: 'lan-access', interface: 'eth0', peer, class: 'intranet', direction, protocol: 'tcp', port: 22 };
}

const sentence = 'seat-1 contacted seat-2 on TCP port 22 (SSH)';
const doubt =
  'only seat-2 has recorded it, seat-1 has not: its rules may allow it, or another machine used its address 10.20.1.1';

test('SG10: both sides of a contact record it, and it is told once, in one direction', async () => {
  const stand = new Stand();
  assert.equal(stand.from('seat-1', contact('out', '10.20.1.2')), sentence);
  assert.equal(stand.from('seat-2', contact('in', '10.20.1.1')), undefined);
  // As after a store that refused.
  assert.equal(stand.from('seat-1', contact('out', '10.20.1.2')), sentence);
  assert.equal(stand.from('seat-2', contact('out', '10.20.1.1')), 'seat-2 contacted seat-1 on TCP port 22 (SSH)');
  await stand.clock.advance(600_000);
  assert.equal(stand.from('seat-1', contact('out', '10.20.1.2')), sentence);
  assert.deepEqual(stand.late, []);
});

test('SG10: what a seat says of another waits until that one says so too, and is told once', async () => {
  const stand = new Stand();
  assert.equal(stand.from('seat-2', contact('in', '10.20.1.1')), undefined);
  assert.equal(stand.from('seat-2', contact('in', '10.20.1.1')), undefined);
  await stand.clock.advance(1999);
  assert.equal(stand.from('seat-1', contact('out', '10.20.1.2')), sentence);
  await stand.clock.advance(60_000);
  assert.deepEqual(stand.late, []);
});

test('SG10: if that one never says so, the notice says that its address may have been forged', async () => {
  const stand = new Stand();
  assert.equal(stand.from('seat-2', contact('in', '10.20.1.1')), undefined);
  await stand.clock.advance(2000);
  assert.deepEqual(
    stand.late.map(({ agentId, kind, severity, text }) => ({ agentId, kind, severity, text })),
    [{ agentId: 'seat-2', kind: 'lan-access', severity: 'notice', text: `${sentence}; ${doubt}` }],
  );
  // A confession that comes later is told as well.
  assert.equal(stand.from('seat-1', contact('out', '10.20.1.2')), sentence);
});

test('SG10: a seat whose sensor does not work, or that is no seat, is not waited for', () => {
  const stand = new Stand();
  stand.blind.add('seat-1');
  assert.equal(stand.from('seat-2', contact('in', '10.20.1.1')), sentence);
  assert.equal(stand.from('seat-2', contact('in', '10.20.1.77')), '10.20.1.77 contacted seat-2 on TCP port 22 (SSH)');
});

function volume(peer: string, wire: [number, number]): SensorRecord {
  return { event: 'contact-volume', interface: 'eth0', peer, class: 'intranet', wire };
}

test('SG10: much traffic between two seats is told once, when both have counted it', async () => {
  const stand = new Stand();
  assert.equal(stand.from('seat-1', volume('10.20.1.2', [1_010_000, 9000])), undefined);
  await stand.clock.advance(4000);
  assert.equal(
    stand.from('seat-2', volume('10.20.1.1', [9100, 1_020_000])),
    'seat-2 has sent 9.10 kB to seat-1 and received 1.02 MB from it',
  );
  assert.equal(stand.from('seat-1', volume('10.20.1.2', [1_030_000, 9000])), undefined);
  await stand.clock.advance(60_000);
  assert.deepEqual(stand.late, []);
});

test('SG10: packets whose beginning neither side saw are told once', async () => {
  const stand = new Stand();
  assert.equal(stand.from('seat-1', contact('unknown', '10.20.1.2')), undefined);
  assert.match(
    stand.from('seat-2', contact('unknown', '10.20.1.1')) ?? '',
    /^packets .* passed between seat-2 and seat-1/,
  );
  assert.equal(stand.from('seat-1', contact('unknown', '10.20.1.2')), undefined);
  await stand.clock.advance(60_000);
  assert.deepEqual(stand.late, []);
});

test('SG10: an address that is no seat’s, or several seats’, stays an address', () => {
  const stand = new Stand();
  assert.match(stand.from('seat-1', contact('out', '10.20.1.77')) ?? '', /^seat-1 contacted 10\.20\.1\.77 on/);
  assert.match(stand.from('seat-1', contact('in', '10.20.1.8')) ?? '', /^10\.20\.1\.8 contacted seat-1 on/);
});

test('SG10: the address of a seat that is offline, or was another’s when the record was written, accuses nobody', () => {
  const stand = new Stand();
  const minutes = 60_000;
  assert.equal(
    stand.from('seat-1', contact('out', '10.20.1.2'), 2 * minutes),
    'seat-1 contacted 10.20.1.2 (now seat-2) on TCP port 22 (SSH)',
  );
  stand.absent.add('seat-2');
  assert.equal(
    stand.from('seat-1', contact('in', '10.20.1.2')),
    '10.20.1.2 (last used by seat-2, which is offline) contacted seat-1 on TCP port 22 (SSH)',
  );
});

function addresses(...all: readonly string[]): SensorRecord {
  const interfaces = [{ name: 'eth0', addresses: [...all] }];
  return { event: 'traffic', seconds: 40, interfaces, peers: [], overflow: [0, 0] };
}

test('SG10: over IPv6 seats are known by the addresses that their own records name; of two that name one, neither', () => {
  const stand = new Stand();
  stand.from('seat-1', addresses('10.20.1.1', 'fd20::1', 'fe80::1', '172.17.0.1'));
  stand.from('seat-2', addresses('10.20.1.2', 'fd20::2', 'fe80::2', '172.17.0.1'));
  assert.equal(stand.from('seat-1', contact('out', 'fd20::2')), sentence);
  assert.equal(stand.from('seat-2', contact('in', 'fd20::1')), undefined);
  assert.equal(stand.from('seat-2', contact('in', 'fe80::1')), undefined);
  assert.match(stand.from('seat-1', contact('out', '172.17.0.1')) ?? '', /^seat-1 contacted 172\.17\.0\.1 on/);
  // Nobody takes the address of another's connection by naming it.
  stand.from('seat-8', addresses('10.20.1.2', 'fd20::2'));
  assert.equal(stand.from('seat-1', contact('out', '10.20.1.2')), sentence);
  assert.match(stand.from('seat-1', contact('out', 'fd20::2')) ?? '', /^seat-1 contacted fd20::2 on/);
});

test('SG10: another MAC address under a seat’s address is told as what this seat sees, not as the other’s deed', () => {
  const stand = new Stand();
  const [before, now] = ['02:00:00:00:00:01', '02:00:00:00:00:66'];
  const record = { event: 'peer-mac', interface: 'eth0', peer: '10.20.1.2', role: 'peer', before, now } as const;
  assert.equal(stand.from('seat-1', record), `seat-1 now reaches seat-2 at the MAC address ${now}, before ${before}`);
});
