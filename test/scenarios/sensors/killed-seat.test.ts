import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { contentOf, type LineContent } from '../../../src/records/record-line.ts';
import { eventually } from '../../../src/testing/eventually.ts';
import { Fleet, type FleetAgent } from '../../../src/testing/fleet.ts';

const order = { by: 'the test', until: new Date(Date.now() + 3600_000).toISOString(), usb: {} };

test('E5, SG5: a seat that is killed again and again while the server is away goes on watching, and the server gets every record and an alarm for each kill', async (t) => {
  await using fleet = await Fleet.open({ agents: 1, monitorsPerAgent: 1, sensors: [order] });
  const [seat] = fleet.agents as [FleetAgent];
  await untilStarted(seat, 1);

  await fleet.server.kill();
  for (let life = 2; life <= 5; life++) {
    await seat.program.kill();
    seat.program.start();
    await untilStarted(seat, life);
  }
  fleet.server.start();
  await fleet.untilConnected();
  const orderedAt = Date.now();
  fleet.watch([]);
  const stopped = await eventually('the watching has ended', () =>
    contents(seat).find(({ record }) => record.event === 'sensor-stopped'),
  );
  t.diagnostic(
    `stopped ${(stopped.stamp.at - orderedAt).toFixed()} ms after the server was told to read its file again`,
  );

  const written = contents(seat);
  assert.deepEqual(
    written.map(({ n }) => n),
    Array.from(written, (_, index) => index + 1),
  );
  await eventually('the server has every record', async () => {
    const received = await recordsOf(fleet);
    return received.length === written.length && received;
  });
  assert.deepEqual(
    (await recordsOf(fleet)).toSorted((one, other) => one.n - other.n).map(({ record }) => record),
    written.map(({ record }) => record),
  );
  const blind = written.filter(({ record }) => record.event === 'not-watching');
  assert.deepEqual(
    blind.map(({ record }) => 'cause' in record && record.cause),
    ['killed', 'killed', 'killed', 'killed'],
  );
  await eventually('each kill is an alarm', async () => (await alarmsOf(fleet)).length === 4);
  assert.deepEqual(
    (await alarmsOf(fleet)).toReversed().map(({ cause, n }) => ({ cause, n })),
    blind.map(({ n }) => ({ cause: 'not-watching', n })),
  );
});

/** What the seat's own files say. */
function contents({ folder }: FleetAgent): readonly LineContent[] {
  const files = globSync(join(folder, 'evidence', 'usb', '*.jsonl')).toSorted();
  return files.flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => contentOf(line)!),
  );
}

async function untilStarted(seat: FleetAgent, times: number): Promise<void> {
  await eventually(`the sensor has started ${times} times`, () => {
    const events = contents(seat).map(({ record }) => record.event);
    return events.filter((event) => event === 'sensor-started').length === times && events.at(-1) !== 'sensor-started';
  });
}

async function alarmsOf(fleet: Fleet): Promise<readonly { readonly cause: string; readonly n: number }[]> {
  type Answer = { readonly alarms: readonly { readonly cause: string; readonly n: number }[] };
  return (await fleet.ask<Answer>('/alarms')).alarms;
}

async function recordsOf(fleet: Fleet): Promise<readonly Pick<LineContent, 'n' | 'record'>[]> {
  const times = `from=${new Date(0).toISOString()}&to=${new Date(Date.now() + 60_000).toISOString()}`;
  type Answer = { readonly records: readonly Pick<LineContent, 'n' | 'record'>[] };
  return (await fleet.ask<Answer>(`/records?agent=agent-1&limit=1000&${times}`)).records;
}
