import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { systemClock, type Clock } from '../../core/clock.ts';
import { sensorRecord, type SensorRecord } from '../../core/record.ts';
import type { RunningSensor, SensorState } from '../../core/sensor.ts';
import { eventually } from '../../testing/eventually.ts';
import { FakeClock } from '../../testing/fake-clock.ts';
import { enterOwnNetwork } from '../../testing/netlab.ts';
import { traffic } from './traffic.ts';

const execute = promisify(execFile);
const skip = await enterOwnNetwork();

interface Started {
  readonly sensor: RunningSensor;
  readonly records: SensorRecord[];
  readonly states: SensorState[];
}

interface Wanted {
  readonly clock: Clock;
  readonly options?: Readonly<Record<string, unknown>>;
  readonly onRecord?: () => void;
}

/** The sensor as an agent runs it, in the network of this process. */
async function start(t: TestContext, { clock, options = {}, onRecord = () => {} }: Wanted): Promise<Started> {
  const records: SensorRecord[] = [];
  const states: SensorState[] = [];
  const record = (record: SensorRecord): void => {
    // Links and their IPv6 addresses become ready while a test runs.
    if (record.event === 'surroundings') return;
    records.push(sensorRecord.parse(record));
    onRecord();
  };
  const onState = (state: SensorState): void => void states.push(state);
  const sensor = await traffic.start(traffic.options.parse(options), { clock, record, onState });
  t.after(() => sensor.stop());
  return { sensor, records, states };
}

/** Each of these neighbours is known to the kernel, so that packets to it leave at once. */
async function neighbours(count: number): Promise<readonly string[]> {
  const addresses = Array.from({ length: count }, (_, index) => `10.91.0.${100 + index}`);
  for (const address of addresses)
    await execute('ip', ['neighbour', 'replace', address, 'lladdr', '02:00:00:00:00:09', 'dev', 'silent']);
  return addresses;
}

async function send(to: string, bytes: number): Promise<void> {
  const socket = createSocket('udp4');
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.send(Buffer.alloc(bytes), 9, to, (error) => (error ? reject(error) : resolve()));
  await promise;
  socket.close();
}

function trafficIn(records: readonly SensorRecord[]): readonly Extract<SensorRecord, { event: 'traffic' }>[] {
  return records.filter((record) => record.event === 'traffic');
}

test('E3: a record every 40 s with what the kernel counted, its seconds measured', { skip }, async (t) => {
  const clock = new FakeClock();
  const { records, states, sensor } = await start(t, { clock, options: { allow: ['10.91.0.0/24'] } });
  assert.equal(states[0]?.state, 'running');
  const [peer = ''] = await neighbours(1);
  await send(peer, 1972);
  await clock.advance(39_999);
  assert.deepEqual(records, []);
  await clock.advance(1);
  const [first] = trafficIn(records);
  const found = first?.peers.find(({ address }) => address === peer);
  assert.deepEqual(
    [first?.seconds, found?.class, found?.interface, found?.total, found?.rate40],
    // 2000 bytes with the headers, which left in fragments of 1500 bytes at most: the second one has a header too.
    [40, 'intranet', 'silent', [2020, 0], [51, 0]],
  );
  await send(peer, 72);
  await clock.advance(39_000);
  clock.stall(4000);
  await clock.advance(0);
  await sensor.stop();
  const [, second] = trafficIn(records);
  assert.deepEqual([second?.seconds, second?.peers[0]?.total], [43, [2120, 0]]);
  assert.equal(clock.pending, 0, 'a sensor that is stopped waits for nothing');
});

test('E4: each first contact is recorded when its packet passes, not with the next step', { skip }, async (t) => {
  const peers = await neighbours(50);
  const waits: number[] = [];
  let sentAtMs = 0;
  let heard = Promise.withResolvers<void>();
  const onRecord = (): void => {
    waits.push(performance.now() - sentAtMs);
    heard.resolve();
  };
  // No step ever comes: this clock stands still.
  const { records } = await start(t, { clock: new FakeClock(), onRecord });
  for (const peer of peers) {
    heard = Promise.withResolvers();
    sentAtMs = performance.now();
    await Promise.all([send(peer, 10), heard.promise]);
  }
  assert.deepEqual(
    records.map((record) => record.event === 'lan-access' && record.peer),
    peers,
  );
  const sorted = waits.toSorted((one, other) => one - other);
  t.diagnostic(`packet to record: median ${sorted[25]?.toFixed(2)} ms, longest ${sorted.at(-1)?.toFixed(2)} ms`);
});

test('without the right to see packets the sensor says so, and what to do', { skip }, async (t) => {
  process.seteuid?.(65_534);
  const { states, records } = await start(t, { clock: systemClock }).finally(() => process.seteuid?.(0));
  assert.equal(states[0]?.state, 'unavailable');
  assert.match(states[0]?.message ?? '', /CAP_NET_RAW/);
  assert.deepEqual(records, []);
});

test('a sensor started again meets its peers anew', { skip }, async (t) => {
  const [peer = ''] = await neighbours(1);
  for (let life = 0; life < 2; life++) {
    const { sensor, records } = await start(t, { clock: systemClock });
    await send(peer, 10);
    await eventually('the peer is met', () => records.some((record) => record.event === 'lan-access'));
    await sensor.stop();
    await sensor.stop();
    assert.equal(trafficIn(records).length, 1, 'what was counted is recorded when it stops, once');
  }
});

test('an option that is no network is refused with what was expected', () => {
  for (const allow of ['10.0.0.0/33', '10.0.0.1:22', 'seat-17', 'fe80::1%eth0', ''])
    assert.match(
      String(traffic.options.safeParse({ allow: [allow] }).error),
      /expected an address or a network/,
      allow,
    );
  const options = { allow: ['10.0.0.1', '10.0.0.0/8', 'fd00::/8', '::1'] };
  assert.deepEqual(traffic.options.parse(options).allow, options.allow);
});
