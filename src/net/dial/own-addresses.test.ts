import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { FakeClock } from '../../testing/fake-clock.ts';
import { enterOwnNetwork } from '../../testing/netlab.ts';
import { OwnAddresses } from './own-addresses.ts';

const skip = await enterOwnNetwork();
const ip = (command: string) => promisify(execFile)('ip', command.split(' '));

test('the source of packets is asked of the kernel, and asked again after a second', { skip }, async () => {
  const clock = new FakeClock();
  const own = new OwnAddresses(clock);
  const [known, unknown] = ['10.91.0.9', '10.92.0.9'].map((address) => ({ ip: address, family: 4 }) as const);
  assert.ok(known && unknown);
  assert.deepEqual(own.sourceOf(known), { ip: '10.91.0.1', prefixBits: 24 });
  assert.equal(own.sourceOf(unknown), undefined);
  await ip('address add 10.92.0.1/28 dev silent');
  await clock.advance(999);
  assert.equal(own.sourceOf(unknown), undefined);
  await clock.advance(1);
  assert.deepEqual(own.sourceOf(unknown), { ip: '10.92.0.1', prefixBits: 28 });
  assert.ok(own.sourceOf(known));
  await ip('address del 10.91.0.1/24 dev silent');
  assert.ok(own.sourceOf(known), 'within the same second');
  await clock.advance(1000);
  assert.equal(own.sourceOf(known), undefined);
});

test('a machine has the families of its addresses beyond loopback', { skip }, async () => {
  const clock = new FakeClock();
  const own = new OwnAddresses(clock);
  assert.ok(own.families().includes(4));
  await ip('address add 2001:db8::1/64 dev silent nodad');
  await clock.advance(1000);
  assert.deepEqual(own.families(), [4, 6]);
});
