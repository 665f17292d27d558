import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { SensorPlan } from '../../core/sensor-plan.ts';
import type { ServerMessage } from '../../protocol/messages.ts';
import { FakeClock } from '../../testing/fake-clock.ts';
import { orderFor, SensorOrders } from './sensor-orders.ts';

const usb = { sensor: 'usb', options: {} } as const;
const traffic = { sensor: 'traffic', options: { names: 'none' } } as const;

const seat = (name: string) => ({ id: `id of ${name}`, name });

function plan(fields: Partial<SensorPlan> = {}): SensorPlan {
  return { by: 'Physics', sensors: [usb], ...fields };
}

function sensorsFor(name: string, agents: readonly string[]): number {
  return orderFor(seat(name), [plan({ agents })], 0).sensors.length;
}

describe('an order for an agent', () => {
  test('is empty where no plan fits', () => {
    assert.deepEqual(orderFor(seat('seat-1'), [], 0), { sensors: [], by: '' });
    assert.deepEqual(orderFor(seat('seat-1'), [plan({ agents: ['office'] })], 0), { sensors: [], by: '' });
  });

  for (const [pattern, name, isFit] of [
    ['seat-1', 'seat-1', true],
    ['seat-1', 'seat-17', false],
    ['seat-*', 'seat-17', true],
    ['seat-*', 'a seat-17', false],
    ['*', 'anything', true],
    ['*-lab-*', 'a-lab-1', true],
    ['*-lab-*', 'a-lab', false],
    ['a*a', 'a', false],
    ['a*b*b', 'acb', false],
    ['seat.1', 'seatX1', false],
  ] as const)
    test(`${pattern} ${isFit ? 'fits' : 'does not fit'} ${name}`, () =>
      assert.equal(sensorsFor(name, [pattern]), isFit ? 1 : 0));

  test('is what all plans that fit come to, and of two for one sensor the later', () => {
    const order = orderFor(
      seat('seat-1'),
      [
        plan({ purpose: 'Inventory' }),
        plan({ by: 'Room 101', sensors: [traffic], purpose: 'Exam', until: 5000 }),
        plan({ by: 'Room 102', sensors: [{ sensor: 'traffic', options: {} }], until: 9000 }),
      ],
      0,
    );
    const sensors = [usb, { sensor: 'traffic', options: {} }];
    assert.deepEqual(order, { sensors, by: 'Physics; Room 102', purpose: 'Inventory', until: 9000 });
  });

  test('ends with the first of its plans, and is given anew for the rest', async () => {
    const clock = new FakeClock();
    const orders = new SensorOrders(clock);
    const told: ServerMessage[] = [];
    orders.reconcile([plan(), plan({ sensors: [traffic], until: clock.now() + 60_000 })]);
    orders.connect({ agentId: 'a', name: 'seat-1', send: (message) => void told.push(message) });
    const now = clock.now();
    const until = now + 60_000;
    assert.deepEqual(told, [{ type: 'sensors', order: { sensors: [usb, traffic], by: 'Physics', until }, now }]);
    await clock.advance(60_000);
    assert.deepEqual(told.slice(1), [{ type: 'sensors', order: { sensors: [usb], by: 'Physics' }, now: until }]);
    orders.stop();
  });

  test('is told when it changes, and only then; one that no plan fits any more collects nothing', () => {
    const clock = new FakeClock();
    const orders = new SensorOrders(clock);
    const told: ServerMessage[] = [];
    const recipient = { agentId: 'a', name: 'seat-1', send: (message: ServerMessage) => void told.push(message) };
    orders.reconcile([plan()]);
    orders.connect(recipient);
    orders.reconcile([plan(), plan({ agents: ['office'], sensors: [traffic] })]);
    assert.equal(told.length, 1);
    orders.reconcile([]);
    assert.deepEqual(told.at(-1), { type: 'sensors', order: { sensors: [], by: '' }, now: clock.now() });
    orders.disconnect(recipient);
    orders.reconcile([plan()]);
    assert.equal(told.length, 2);
  });
});
