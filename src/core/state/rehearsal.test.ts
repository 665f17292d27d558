import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { monitorPolicy } from '../../testing/monitor-policy.ts';
import type { Status } from '../outcome.ts';
import type { AlertWindow, Policies } from './policies.ts';
import { Rehearsal } from './rehearsal.ts';

const from = Date.UTC(2026, 10, 1);
const minute = 60_000;
const notify = [{ notifier: 'mail', step: 0, afterMs: 0 }];

/** The messages of an hour in which the monitor was down from minute 20 to minute 40. */
function rehearse(changes: Partial<Policies>): readonly string[] {
  const policies = { monitors: [monitorPolicy({ id: 'web', agents: ['a'] })], notify, windows: [], ...changes };
  const rehearsal = new Rehearsal({ policies, agents: [{ id: 'a', name: 'berlin' }], from });
  for (let at = from; at < from + 60 * minute; at += 10_000) {
    const isDown = at >= from + 20 * minute && at < from + 40 * minute;
    const status: Status = isDown ? 'down' : 'up';
    rehearsal.take({
      monitorId: 'web',
      agentId: 'a',
      status,
      at,
      receivedAt: at,
      message: '',
      ...(isDown && { reason: 'refused' }),
    });
  }
  rehearsal.passTo(from + 65 * minute);
  return rehearsal.messages.map(({ at, outcome, kind = '', reason = '' }) =>
    [Math.floor((at - from) / minute), outcome, kind, reason].filter((part) => part !== '').join(' '),
  );
}

describe('a rehearsal', () => {
  test('tells what would have been sent, at its time', () => {
    assert.deepEqual(rehearse({}), ['20 held grouped', '20 sent problem', '40 sent recovery']);
  });

  test('tells what would have been held, and why', () => {
    const schedule = { kind: 'once', from: from + 15 * minute, to: from + 50 * minute } as const;
    const window: AlertWindow = { id: 'w', kind: 'maintenance', name: 'deploy', monitors: ['*'], schedule };
    const told = rehearse({ windows: [window] });
    assert.ok(told.includes('20 held maintenance'), told.join(', '));
    assert.ok(!told.some((text) => text.includes('sent problem')), told.join(', '));
  });

  test('with more confirmations a short failure is told later, or not at all', () => {
    const slow = monitorPolicy({ id: 'web', agents: ['a'], confirmations: 30 });
    assert.deepEqual(rehearse({ monitors: [slow] }), ['24 held grouped', '24 sent problem', '40 sent recovery']);
    const slower = monitorPolicy({ id: 'web', agents: ['a'], confirmations: 200 });
    assert.deepEqual(rehearse({ monitors: [slower] }), []);
  });
});
