import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AgentHealth } from '../../core/state/agent-book.ts';
import { noPolicies } from '../../core/state/policies.ts';
import { FakeClock } from '../../testing/fake-clock.ts';
import type { AgentView } from '../fleet/fleet.ts';
import type { Evaluation } from '../store/states.ts';
import { StateKeeper } from './state-keeper.ts';

const nothing: Evaluation = { transitions: [], incidents: [], wantedRuns: [], hasMessages: false, hasMore: false };

/** A keeper over a store that only remembers what it was asked. */
class Stand {
  readonly clock = new FakeClock();
  readonly steps: number[] = [];
  readonly noted: AgentHealth[] = [];
  readonly faults: (string | undefined)[] = [];
  views: readonly AgentView[] = [];
  policies = noPolicies;
  policySets = 0;
  fault: string | undefined;
  readonly keeper = new StateKeeper({
    clock: this.clock,
    store: {
      evaluate: async ({ steppedMs }) => {
        this.steps.push(steppedMs);
        if (this.fault !== undefined) throw new Error(this.fault);
        return nothing;
      },
      setPolicies: async () => {
        this.policySets++;
        return nothing;
      },
      noteAgents: async (agents) => {
        this.noted.push(...agents);
        return nothing;
      },
    },
    policies: () => this.policies,
    agents: () => this.views,
    publish: () => {},
    onWanted: () => {},
    onMessages: () => {},
    onStep: (fault) => this.faults.push(fault),
  });
}

function agent(id: string, status: AgentView['status'], since: number): AgentView {
  const none = { address: undefined, version: undefined, lastSeenAt: undefined, queue: undefined, tasks: 0, lagMs: 0 };
  return { id, name: id, status, since, ...none, clockOffsetMs: 0, impaired: [], warnings: [], sensors: [] };
}

test('results that come together are taken in one step, and time alone makes a step each second', async () => {
  const stand = new Stand();
  await stand.keeper.start();
  for (let result = 0; result < 100; result++) stand.keeper.noteResults();
  await stand.clock.advance(100);
  assert.equal(stand.steps.length, 1);
  await stand.clock.advance(3000);
  assert.equal(stand.steps.length, 4);
  await stand.keeper.stop();
  assert.equal(stand.clock.pending, 0);
});

test('a step that fails is told, and the next one goes on', async () => {
  const stand = new Stand();
  await stand.keeper.start();
  stand.fault = 'the disk is full';
  await stand.clock.advance(1000);
  assert.equal(stand.faults.at(-1), 'the disk is full');
  stand.fault = undefined;
  await stand.clock.advance(1000);
  assert.equal(stand.faults.at(-1), undefined);
  await stand.keeper.stop();
});

test('C3.22: a wall clock that is set by a day moves what is fresh, and one that is corrected does not', async () => {
  const stand = new Stand();
  await stand.keeper.start();
  await stand.clock.advance(1000);
  stand.clock.stepWall(86_400_000);
  await stand.clock.advance(1000);
  stand.clock.stepWall(-86_400_000);
  await stand.clock.advance(1000);
  stand.clock.stepWall(200);
  await stand.clock.advance(1000);
  assert.deepEqual(
    stand.steps.map((ms) => Math.round(ms)),
    [0, 86_400_000, -86_400_000, 0],
  );
  await stand.keeper.stop();
});

test('C3.21: agents have a minute to come back after a start before they are said to be offline', async () => {
  const stand = new Stand();
  const since = stand.clock.now() - 5000;
  stand.views = [agent('a', 'offline', since), agent('b', 'online', since)];
  await stand.keeper.start();
  await stand.clock.advance(59_000);
  assert.deepEqual(
    stand.noted.map(({ id, status }) => [id, status]),
    [['b', 'well']],
  );
  await stand.clock.advance(2000);
  assert.deepEqual(
    stand.noted.map(({ id, status, at }) => [id, status, at]),
    [
      ['b', 'well', since],
      ['a', 'offline', since],
    ],
  );
  stand.views = [agent('b', 'impaired', since)];
  await stand.clock.advance(1000);
  assert.deepEqual(
    stand.noted.slice(2).map(({ id, status }) => [id, status]),
    [
      ['b', 'impaired'],
      ['a', 'gone'],
    ],
  );
  await stand.keeper.stop();
});

test('policies are set when they differ, once for many changes', async () => {
  const stand = new Stand();
  await stand.keeper.start();
  assert.equal(stand.policySets, 1);
  for (let change = 0; change < 10; change++) stand.keeper.policiesChanged();
  await stand.clock.advance(500);
  assert.equal(stand.policySets, 1, 'they are as they were');
  stand.policies = { ...noPolicies, notify: [{ notifier: 'mail', step: 0, afterMs: 0 }] };
  for (let change = 0; change < 10; change++) stand.keeper.policiesChanged();
  await stand.clock.advance(500);
  assert.equal(stand.policySets, 2);
  await stand.keeper.stop();
});
