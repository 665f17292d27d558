import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually } from '../../src/testing/eventually.ts';
import { runWatchkeeper } from '../../src/testing/watchkeeper.ts';
import { Served } from './served.ts';

const configuration = `
rooms:
  - name: lab 101
    seats: [local, 101-2]
    places: { local: front }
    policies:
      - { name: exam, by: Physics department, purpose: Exam of 2 December, usb: {} }
      - { name: practice, by: Physics department, mounts: {} }
`;

/** The sensors that the server's own agent says it runs. */
async function sensorsOf(served: Served): Promise<readonly string[]> {
  const { body } = await served.ask('GET', '/agents');
  return body.agents[0].sensors.map(({ sensor }: { sensor: string }) => sensor);
}

test('a room is watched in a session, which outlives the server, and not otherwise', async () => {
  await using served = await Served.start(configuration);
  const run = async (...words: readonly string[]) => await runWatchkeeper(served.words(...words));
  const rooms = await run('rooms');
  assert.match(rooms.stdout, /lab 101 +2 +1 +- +exam, practice/);
  assert.deepEqual(await sensorsOf(served), []);

  const undecided = await run('session', 'start', 'lab 101', '--until', '2h');
  assert.equal(undecided.code, 3);
  assert.match(undecided.stderr, /room "lab 101" has several policies: say which with --policy: exam, practice/);
  const started = await run('session', 'start', 'lab 101', '--until', '2h', '--policy', 'exam', '--by', 'Ada');
  assert.match(started.stdout, /^exam in lab 101: lasts until .*\nStarted by Ada at .*; session [\w-]{36}\.\n/);
  assert.match(started.stdout, /Watched by Physics department, for Exam of 2 December: usb\./);
  assert.match(started.stdout, /1 of 2 seats are there; missing: 101-2\./);
  await eventually('the seat is watched', async () => (await sensorsOf(served)).join(',') === 'usb');

  await served.stop();
  await served.startAgain();
  await eventually('the seat is watched again', async () => (await sensorsOf(served)).join(',') === 'usb');
  const { code, stderr } = await run('session', 'start', 'lab 101', '--until', '2h', '--policy', 'practice');
  assert.deepEqual([code, /there is a session in "lab 101" already/.test(stderr)], [3, true]);

  const ended = await run('session', 'end', 'lab 101', '--by', 'Grace');
  assert.match(ended.stdout, /^exam in lab 101: ended at .*, by Grace\.\n/);
  await eventually('nothing is watched any more', async () => (await sensorsOf(served)).length === 0);
  const again = await run('session', 'end', 'lab 101');
  assert.deepEqual([again.code, /has ended at/.test(again.stderr)], [3, true]);
  const list = await run('session', 'list', '--json');
  assert.deepEqual(
    list.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).endedBy),
    ['Grace'],
  );
  const missing = await run('notices', '--room', 'lab 101', '--json');
  assert.match(
    missing.stdout,
    /missing at the start of exam in lab 101, because they have not joined this server: 101-2/,
  );

  const folder = join(served.folder, 'report');
  const report = await run('session', 'report', folder, '--zone', 'Europe/Berlin');
  assert.match(report.stdout, /GENUINE, with 2 seats of 2 to be looked at/, report.stderr);
  assert.equal(report.code, 1, '101-2 was never there, and the restart of the server ended its agent');
  const stranger = await runWatchkeeper(['verify', folder]);
  assert.match(stranger.stdout, /^SIGNER UNKNOWN/);
  const page = await readFile(join(folder, 'report.html'), 'utf8');
  await writeFile(join(folder, 'report.html'), page.replace('Ada', 'Eve'));
  const altered = await runWatchkeeper(['verify', folder]);
  assert.deepEqual([altered.code, /report\.html: expected the file with the hash/.test(altered.stdout)], [2, true]);
});

test('rooms are made, changed and deleted through the interface, and those of the file are not', async () => {
  await using served = await Served.start(configuration, { localAgent: false });
  const policies = [{ name: 'exam', by: 'Chemistry' }];
  const made = await served.ask('POST', '/rooms', { name: 'lab 102', seats: ['102-*'], policies });
  assert.equal(made.status, 201);
  const { id } = made.body.room;
  const renamed = await served.ask('PUT', `/rooms/${id}`, { name: 'lab two', policies });
  assert.deepEqual([renamed.status, renamed.body.room.id, renamed.body.room.name], [200, id, 'lab two']);
  const sensors = renamed.body.room.policies[0].sensors.map(({ sensor }: { sensor: string }) => sensor);
  assert.deepEqual(sensors, ['usb', 'mounts', 'traffic']);
  for (const [method, path, body, status, detail] of [
    ['POST', '/rooms', { name: 'LAB 101', policies }, 409, /there is a room "lab 101" already/],
    ['POST', '/rooms', { name: 'lab 103', policies: [] }, 400, /policies: expected a list of 1 to 100 policies/],
    ['POST', '/rooms', { name: '${HOME}', policies }, 400, /variables like \$\{NAME\}/],
    ['PUT', '/rooms/lab%20101', { name: 'x', policies }, 409, /is written in the configuration file/],
    ['DELETE', '/rooms/lab%20101', undefined, 409, /is written in the configuration file/],
    ['GET', '/rooms/lab%20202', undefined, 404, /there is no room "lab 202"; did you mean "lab 101"\?/],
  ] as const) {
    const answer = await served.ask(method, path, body);
    assert.deepEqual([answer.status, detail.test(answer.body.detail)], [status, true], answer.body.detail);
  }
  assert.equal((await served.ask('DELETE', `/rooms/${id}`)).status, 200);
  const { rooms } = (await served.ask('GET', '/rooms')).body;
  assert.deepEqual(
    rooms.map(({ name, origin }: { name: string; origin: string }) => [name, origin]),
    [['lab 101', 'file']],
  );
});
