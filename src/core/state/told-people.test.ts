import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { monitorPolicy } from '../../testing/monitor-policy.ts';
import type { Status } from '../outcome.ts';
import type { AgentHealth } from './agent-book.ts';
import type { IncidentEvent } from './incident-record.ts';
import type { PlannedMessage } from './incident-book.ts';
import type { AlertWindow, MonitorPolicy, NotifyStep } from './policies.ts';
import { StateBook } from './state-book.ts';

const start = Date.UTC(2026, 10, 28);
const minuteMs = 60_000;
const mail: NotifyStep = { notifier: 'mail', step: 0, afterMs: 0 };
const letters: Readonly<Record<string, Status>> = { U: 'up', D: 'down', G: 'degraded', '?': 'unknown' };

interface Scene {
  readonly monitors: readonly MonitorPolicy[];
  readonly notify?: readonly NotifyStep[];
  readonly windows?: readonly AlertWindow[];
}

/** Monitors that run every ten seconds, and what people are told. */
class Life {
  readonly book = new StateBook();
  readonly messages: PlannedMessage[] = [];
  readonly events: IncidentEvent[] = [];
  now = start;
  #scene: Scene;

  constructor(scene: Scene) {
    this.#scene = scene;
    this.rule({});
  }

  rule(changes: Partial<Scene>): void {
    this.#scene = { ...this.#scene, ...changes };
    const { monitors, notify = [mail], windows = [] } = this.#scene;
    this.book.setPolicies({ monitors, notify, windows }, this.now);
    this.#drain();
  }

  /** A run every ten seconds of each monitor named, on each agent named, as the letter says; `.` is none. */
  run(runs: string, ids: readonly string[] = ['web'], agents: readonly string[] = ['a']): void {
    for (const letter of runs.split('')) {
      this.now += 10_000;
      const status = letters[letter];
      const pairs = ids.flatMap((monitorId) => agents.map((agentId) => ({ monitorId, agentId })));
      if (status) for (const pair of pairs) this.#take(pair, status);
      this.#advance();
    }
  }

  #take(pair: { readonly monitorId: string; readonly agentId: string }, status: Status): void {
    const reason = status === 'down' ? ('refused' as const) : undefined;
    this.book.takeRun({ ...pair, status, at: this.now, receivedAt: this.now, reason, message: status });
  }

  /** Time passes, and the same is seen all the while. */
  stay(letter: string, forMs: number, ids: readonly string[] = ['web']): void {
    this.run(letter.repeat(Math.ceil(forMs / 10_000)), ids);
  }

  agent(id: string, status: AgentHealth['status']): void {
    this.book.noteAgent({ id, name: id, status, message: status, at: this.now });
    this.#drain();
  }

  /** Subject, kind and state of what was told since it was last asked. */
  told(): readonly string[] {
    return this.messages.splice(0).map(({ kind, message }) => `${message.subject} ${kind} ${message.state}`);
  }

  held(): readonly unknown[] {
    return this.events.flatMap(({ kind, detail }) => (kind === 'held' ? [detail['reason']] : []));
  }

  #advance(): void {
    this.book.advance(this.now);
    this.#drain();
  }

  #drain(): void {
    const { planned, events } = this.book.drain();
    this.messages.push(...planned);
    this.events.push(...events);
  }
}

const web = monitorPolicy({ id: 'web' });
const one: Scene = { monitors: [web] };

function window(kind: AlertWindow['kind'], forMs: number): AlertWindow {
  return {
    id: kind,
    kind,
    name: 'deploy',
    monitors: ['*'],
    schedule: { kind: 'once', from: start, to: start + forMs },
  };
}

describe('what peers got wrong', () => {
  test('FC22: down, up and down again are told each, whatever became of the message before', () => {
    const life = new Life(one);
    life.run('UDDDUU');
    life.stay('U', 10 * minuteMs);
    life.run('DDD');
    assert.deepEqual(life.told(), ['web problem down', 'web recovery up', 'web problem down']);
  });

  for (const before of ['U', 'D'])
    for (const inside of ['U', 'D'])
      for (const after of ['U', 'D'])
        test(`FC23: ${before} before, ${inside} in and ${after} after a maintenance is told as it is at its end`, () => {
          const life = new Life(one);
          life.run(before.repeat(6));
          life.told();
          const schedule = { kind: 'once', from: life.now, to: life.now + 5 * minuteMs } as const;
          life.rule({ windows: [{ id: 'w', kind: 'maintenance', name: 'deploy', monitors: ['*'], schedule }] });
          life.stay(inside, 4 * minuteMs);
          assert.deepEqual(life.told(), [], 'nothing in it');
          life.stay(after, 5 * minuteMs);
          const expected = before === after ? [] : [after === 'D' ? 'web problem down' : 'web recovery up'];
          assert.deepEqual(life.told(), expected);
        });

  test('FC28: an agent that falls silent while its target is down recovers nothing', () => {
    const life = new Life(one);
    life.run('UDDD');
    life.told();
    life.stay('.', 4 * minuteMs);
    assert.deepEqual(life.told(), []);
    life.stay('.', 8 * minuteMs);
    assert.deepEqual(life.told(), ['web update unknown'], 'after five minutes that it can no longer be seen');
    life.run('U');
    assert.deepEqual(life.told(), ['web recovery up']);
  });

  test('FC25, FC26, A6: an agent that is impaired makes no target down, and is one message itself', () => {
    const ids = Array.from({ length: 500 }, (_, n) => `web-${n}`);
    const life = new Life({ monitors: ids.map((id) => monitorPolicy({ id })) });
    life.run('UD', ids);
    life.agent('a', 'impaired');
    life.stay('D', 10 * minuteMs, ids);
    life.agent('a', 'well');
    life.run('UUU', ids);
    assert.deepEqual(life.told(), ['a problem degraded', 'a recovery up']);
  });

  test('FC33: what waited for a day and comes in at once raises nothing', () => {
    const life = new Life(one);
    life.run('U');
    life.told();
    for (let slot = 0; slot < 40; slot++)
      life.book.takeRun({
        monitorId: 'web',
        agentId: 'a',
        status: slot % 3 === 0 ? 'up' : 'down',
        at: start - 86_400_000 + slot * 10_000,
        receivedAt: life.now,
        message: '',
      });
    life.run('U');
    assert.deepEqual(life.told(), []);
  });

  test('storm: 500 monitors behind one parent that fails are one message, and one recovery', () => {
    const ids = Array.from({ length: 500 }, (_, n) => `web-${n}`);
    const gate = monitorPolicy({ id: 'gate' });
    const life = new Life({ monitors: [gate, ...ids.map((id) => monitorPolicy({ id, dependsOn: ['gate'] }))] });
    life.run('U', ['gate', ...ids]);
    life.run('DDDDDD', ['gate', ...ids]);
    life.run('UUUUUUUUUU', ['gate', ...ids]);
    assert.deepEqual(life.told(), ['gate problem down', 'gate recovery up']);
  });
});

describe('C3: who is told what, and when', () => {
  test('C3.10: a child that is still down when its parent is back is told then, with its own beginning', () => {
    const life = new Life({
      monitors: [monitorPolicy({ id: 'gate' }), monitorPolicy({ id: 'web', dependsOn: ['gate'] })],
    });
    life.run('U', ['gate', 'web']);
    const began = life.now + 10_000;
    life.run('DDDD', ['gate', 'web']);
    assert.deepEqual(life.told(), ['gate problem down']);
    for (let again = 0; again < 8; again++) {
      life.run('U', ['gate']);
      life.run('D');
    }
    const problem = life.messages.find(({ message }) => message.subject === 'web');
    assert.equal(problem?.message.since, began);
    assert.deepEqual(life.told(), ['gate recovery up', 'web problem down']);
  });

  test('C3.13: who takes an incident ends escalations, never the recovery; a graver state asks again', () => {
    const phone: NotifyStep = { notifier: 'phone', step: 1, afterMs: 5 * minuteMs };
    const life = new Life({ ...one, notify: [mail, phone] });
    life.run('UGGG');
    assert.deepEqual(life.told(), ['web problem degraded']);
    const id = life.events[0]?.incident ?? '';
    assert.equal(life.book.acknowledge(id, { by: 'ana', note: '', at: life.now, until: life.now + 86_400_000 }), true);
    life.stay('G', 10 * minuteMs);
    assert.deepEqual(life.told(), []);
    life.run('DDD');
    assert.deepEqual(life.told().toSorted(), ['web escalation down', 'web update down']);
    life.run('U');
    assert.deepEqual(life.told(), ['web recovery up', 'web recovery up']);
  });

  test('C3.14: a silence holds back like a maintenance, and says what it held', () => {
    const life = new Life({ ...one, windows: [window('silence', 5 * minuteMs)] });
    life.run('UDDD');
    assert.deepEqual([life.told(), life.held().at(-1)], [[], 'silence']);
    life.stay('D', 6 * minuteMs);
    assert.deepEqual(life.told(), ['web problem down']);
  });

  test('C3.16: a state that changes four times in half an hour is said to be unstable once, and stable at its end', () => {
    const life = new Life(one);
    life.run('U');
    for (let turn = 0; turn < 12; turn++) life.run('DDDUUU');
    const messages = life.told();
    assert.ok(messages.length <= 4, messages.join(', '));
    assert.equal(messages.filter((text) => text.startsWith('web unstable')).length, 1);
    life.stay('U', 20 * minuteMs);
    assert.deepEqual(life.told(), ['web stable up']);
  });

  test('C3.17: monitors of one host that fail together are one message, and its growth is told once', () => {
    const ids = ['http', 'ssh', 'smtp'];
    const life = new Life({ monitors: ids.map((id) => monitorPolicy({ id, causes: ['host:db'] })) });
    life.run('UDDD', ids);
    assert.equal(life.told().length, 1);
    life.stay('D', 6 * minuteMs, ids);
    assert.equal(life.told().length, 1, 'that two more are down');
    life.run('UUUU', ids);
    assert.equal(life.told().length, 1);
  });

  test('C3.18: a pause ends the incident and is told once; what comes after begins from unknown', () => {
    const life = new Life(one);
    life.run('UDDD');
    life.told();
    life.rule({ monitors: [{ ...web, isPaused: true }] });
    assert.deepEqual(life.told(), ['web closed down']);
    life.run('DDDD');
    life.rule({ monitors: [web] });
    life.run('UUU');
    assert.deepEqual(life.told(), []);
  });

  test('C3.19: another target begins anew, and its incident stays until there is a verdict', () => {
    const life = new Life(one);
    life.run('UDDD');
    life.told();
    life.rule({ monitors: [{ ...web, identity: 'another' }] });
    life.run('D');
    assert.deepEqual(life.told(), []);
    life.run('U');
    assert.deepEqual(life.told(), ['web recovery up']);
    life.rule({ monitors: [{ ...web, identity: 'another', name: 'web renamed' }] });
    life.run('UU');
    assert.deepEqual(life.told(), [], 'another name changes nothing');
  });

  test('C3.20: a monitor that is deleted closes its incident, once', () => {
    const life = new Life(one);
    life.run('UDDD');
    life.told();
    life.rule({ monitors: [] });
    life.run('...');
    assert.deepEqual(life.told(), ['web closed down']);
  });

  test('C3.25: down and up again before anybody was told is no message, and both changes are kept', () => {
    const life = new Life(one);
    life.run('U');
    for (const [status, afterMs] of [
      ['down', 100],
      ['down', 200],
      ['up', 300],
    ] as const) {
      const at = life.now + afterMs;
      life.book.takeRun({ monitorId: 'web', agentId: 'a', status, at, receivedAt: at, message: '' });
    }
    life.run('UU');
    assert.deepEqual(life.told(), []);
    assert.deepEqual(life.events.filter(({ kind }) => kind === 'opened' || kind === 'ended').length, 2);
  });
});
