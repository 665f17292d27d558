import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  formatAgents,
  formatMonitors,
  formatQueues,
  formatTasks,
  queueOf,
  type AgentRow,
  type MonitorRow,
  type TaskRow,
} from './fleet-view.ts';
import { plain } from './paint.ts';
import { widthOf } from './text.ts';

const now = Date.UTC(2026, 10, 28, 12);
const at = (secondsAgo: number): string => new Date(now - secondsAgo * 1000).toISOString();
const id = '01a1fde4-6341-7da3-b4fb-a4fd5e19ecf5';

const agents: readonly AgentRow[] = ['local', 'seat-17.physics.example.org'].map((name, index) => ({
  id,
  name,
  status: index === 0 ? 'online' : 'reconnecting',
  since: at(7 + index * 90_000),
  address: index === 0 ? '127.0.0.1' : '2001:db8:1234:5678:9abc:def0:1234:5678',
  lastSeenAt: at(3),
  tasks: 12_345,
  queue: { depth: 98_765, bytes: 12_345_678, oldestUnsentAt: at(5000), at: at(1000) },
  lagMs: 176.4,
  clockOffsetMs: -1234.5,
  impaired: [],
  warnings: ['The disk of its folder has 12 MiB left, and the queue may then take no more; make room on it, soon'],
  sensors: [{ sensor: 'traffic', state: 'limited', message: 'it may not open a packet socket' }],
}));

const tasks: readonly TaskRow[] = ['www.example.org https', 'a monitor with a long name, as people write them'].map(
  (monitor, index) => ({
    id,
    monitor,
    agent: 'seat-17',
    type: 'http',
    target: 'https://www.example.org',
    intervalMs: 30_000,
    paused: index === 0,
    state: 'down',
    latest: {
      status: 'down',
      latencyMs: 1234.5,
      message: 'Connecting to 192.0.2.17:443: no route to the host (EHOSTUNREACH), and more was said of it than fits',
      startedAt: at(17),
    },
  }),
);

const monitors: readonly MonitorRow[] = tasks.map(({ monitor, target, paused }) => ({
  name: monitor,
  type: 'traceroute',
  target: `${target}/with/a/path/that/goes/on`,
  interval: '30s',
  agents: ['local', 'seat-17', 'seat-18', 'seat-19'],
  origin: 'file',
  paused,
  states: { up: 100, degraded: 10, down: 1, unknown: 1000 },
}));

const tables = {
  agents: (columns: number) => formatAgents(agents, { paint: plain, columns, now }),
  queues: (columns: number) => formatQueues(agents.map(queueOf), { paint: plain, columns, now }),
  tasks: (columns: number) => formatTasks(tasks, { paint: plain, columns, now }),
  monitors: (columns: number) => formatMonitors(monitors, { paint: plain, columns, now }),
};

/** Wherever they stand. */
function charactersBelowTitles(table: string): string {
  const lines = table.split('\n');
  const titles = lines.findIndex((line) => /^(?:Status|Agent|Task|Monitor) /.test(line));
  const below = lines.slice(titles + 1).join('');
  return below.replaceAll(/\s+/g, '').split('').toSorted().join('');
}

describe('CH13: each table of a fleet', () => {
  for (const [name, tableAt] of Object.entries(tables)) {
    for (const columns of [80, 120, 200]) {
      test(`${name} fits ${columns} columns, and nothing of it is cut`, () => {
        const table = tableAt(columns);
        for (const line of table.split('\n')) assert.ok(widthOf(line) <= columns, `${widthOf(line)}: ${line}`);
        assert.equal(charactersBelowTitles(table), charactersBelowTitles(tableAt(Infinity)));
        assert.ok(!table.includes('…'));
      });
    }

    test(`${name} without a terminal has a line a row, for scripts`, () => {
      const lines = tableAt(Infinity).split('\n');
      assert.equal(lines.filter((line) => line.includes(id)).length, name === 'monitors' ? 0 : 2);
    });
  }

  test('is wider where there is room', () => {
    assert.ok(tables.tasks(200).split('\n').length < tables.tasks(80).split('\n').length);
  });
});

test('SI3: the queue of an agent that is away has its age, and of one that never told it is unknown', () => {
  const view = { paint: plain, columns: 200, now };
  const [agent] = agents;
  assert.ok(agent?.queue);
  const told = (secondsAgo: number): AgentRow => ({
    ...agent,
    queue: { ...agent.queue!, depth: 256, at: at(secondsAgo) },
  });
  const silent: AgentRow = { ...agent, queue: null };
  const shown = [told(5), told(600), silent].map((row) => formatAgents([row], view));
  assert.match(shown[0] ?? '', / 256 /);
  assert.match(shown[1] ?? '', / 256, 10 min ago /);
  assert.match(shown[2] ?? '', / \? /);
  assert.match(formatQueues([queueOf(silent)], view), / \? +\? +- +never/);
});
