import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../testing/fake-clock.ts';
import { DatagramGuard } from './datagram-guard.ts';

const plenty = { perSecond: 1e6, burst: 1e6 };
const client = { address: '192.0.2.1', port: 40_000 };

test('a source port below 1024 is a service, and is never answered', () => {
  const guard = new DatagramGuard({ clock: new FakeClock(), perSource: plenty, overall: plenty });
  for (const port of [0, 7, 19, 53, 123, 1023]) assert.equal(guard.admits({ ...client, port }), false, `port ${port}`);
  assert.equal(guard.admits({ ...client, port: 1024 }), true);
});

test('a source gets its burst, then its rate, whatever port it sends from', async () => {
  const clock = new FakeClock();
  const guard = new DatagramGuard({ clock, perSource: { perSecond: 10, burst: 3 }, overall: plenty });
  const admitted = (): number =>
    [40_000, 40_001, 40_002, 40_003, 40_004].filter((port) => guard.admits({ ...client, port })).length;
  assert.equal(admitted(), 3);
  await clock.advance(200);
  assert.equal(admitted(), 2);
  await clock.advance(60_000);
  assert.equal(admitted(), 3);
});

test('many forged sources together are held by the overall rate, and forgotten again', () => {
  const guard = new DatagramGuard({
    clock: new FakeClock(),
    perSource: { perSecond: 10, burst: 3 },
    overall: { perSecond: 10, burst: 50 },
  });
  let admitted = 0;
  for (let host = 0; host < 30_000; host++) {
    if (guard.admits({ address: `192.0.${host >> 8}.${host & 255}`, port: 40_000 })) admitted++;
  }
  assert.equal(admitted, 50);
  assert.equal(guard.size, 10_000);
});
