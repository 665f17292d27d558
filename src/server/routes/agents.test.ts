import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { agentView } from '../../testing/server-status.ts';
import { findAgent } from './agents.ts';

describe('an agent is found', () => {
  const id = '01a2227e-a24b-73eb-a2db-326d22740f79';
  const seat = agentView('seat-1', { id });
  const poser = agentView(id);
  const gone = agentView('seat-2', { id: 'gone', status: 'revoked' });
  const successor = agentView('seat-2', { id: 'successor' });
  const agents = [poser, gone, seat, successor];

  test('by its id, in either case, although another calls itself so', () => {
    for (const text of [id, id.toUpperCase()]) assert.equal(findAgent(agents, text), seat);
    assert.equal(findAgent(agents, poser.id), poser);
  });

  test('by its name, which a revoked one leaves to another', () => {
    assert.equal(findAgent(agents, 'seat-2'), successor);
    assert.equal(findAgent([gone], 'seat-2'), gone);
  });

  test('or it is said who there is', () => {
    assert.throws(() => findAgent([seat], ''), {
      code: 'not-found',
      message: 'there is no agent ""; there are: seat-1',
    });
    assert.throws(() => findAgent([], 'x'), { code: 'not-found', message: /there are: none/ });
    const twins = [agentView('a', { id: '1' }), agentView('a', { id: '2' })];
    assert.throws(() => findAgent(twins, 'a'), { code: 'usage', message: /several agents .* by its id: 1, 2/ });
  });
});
