import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SensorRecord } from '../../core/record.ts';
import { FakeClock } from '../../testing/fake-clock.ts';
import { SeatNotices } from './seat-notices.ts';

const seats = [
  { name: 'seat-1', address: '10.20.1.1' },
  { name: 'seat-2', address: '10.20.1.2' },
  { name: 'seat-8', address: '10.20.1.8' },
  { name: 'seat-9', address: '10.20.1.8' },
];

class Stand {
  readonly clock = new FakeClock();
  readonly #notices = new SeatNotices({ clock: this.clock, seats: () => seats });

  from(name: string, record: SensorRecord): string | undefined {
    const seat = seats.find((each) => each.name === name) ?? assert.fail(name);
    return this.#notices.of({ agentId: name, seat, sensor: 'traffic', record });
  }
}

function contact(direction: 'in' | 'out', peer: string): SensorRecord {
  return { event: 'lan-access', interface: 'eth0', peer, class: 'intranet', direction, protocol: 'tcp', port: 22 };
}

test('SG10: both sides of a contact record it, and it is told once, in one direction', async () => {
  const stand = new Stand();
  const sentence = 'seat-1 contacted seat-2 on TCP port 22 (SSH)';
  assert.equal(stand.from('seat-2', contact('in', '10.20.1.1')), sentence);
  assert.equal(stand.from('seat-1', contact('out', '10.20.1.2')), undefined);
  // As after a store that refused.
  assert.equal(stand.from('seat-2', contact('in', '10.20.1.1')), sentence);
  assert.equal(stand.from('seat-2', contact('out', '10.20.1.1')), 'seat-2 contacted seat-1 on TCP port 22 (SSH)');
  await stand.clock.advance(600_000);
  assert.equal(stand.from('seat-1', contact('out', '10.20.1.2')), sentence);
});

function volume(peer: string, wire: [number, number]): SensorRecord {
  return { event: 'contact-volume', interface: 'eth0', peer, class: 'intranet', wire };
}

test('SG10: much traffic between two seats is told once', () => {
  const stand = new Stand();
  assert.equal(
    stand.from('seat-1', volume('10.20.1.2', [1_010_000, 9000])),
    'seat-1 has sent 1.01 MB to seat-2 and received 9.00 kB from it',
  );
  assert.equal(stand.from('seat-2', volume('10.20.1.1', [9100, 1_020_000])), undefined);
});

test('SG10: an address that is no seat’s, or several seats’, stays an address', () => {
  const stand = new Stand();
  assert.match(stand.from('seat-1', contact('out', '10.20.1.77')) ?? '', /^seat-1 contacted 10\.20\.1\.77 on/);
  assert.match(stand.from('seat-1', contact('in', '10.20.1.8')) ?? '', /^10\.20\.1\.8 contacted seat-1 on/);
});
