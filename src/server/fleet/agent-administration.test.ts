import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createIdentity, keyPin } from '../../protocol/identity.ts';
import { parseJoinToken, storedToken } from '../../protocol/join-token.ts';
import { AgentAdministration } from './agent-administration.ts';

type Parts = ConstructorParameters<typeof AgentAdministration>[0];

const { publicKey } = createIdentity();

function administration() {
  const done: unknown[] = [];
  const note =
    (what: string) =>
    (...words: readonly unknown[]): void =>
      void done.push([what, ...words]);
  const session = { end: note('end'), rename: note('rename session') };
  const parts = {
    clock: { now: () => 1000 },
    serverKey: publicKey,
    tokens: { createJoinToken: async (token: unknown) => note('token')(token) },
    gate: {
      revoke: async (id: string) => id === 'a',
      remove: async (id: string) => id === 'a',
      rename: async (id: string, name: string) => note('rename')(id, name),
    },
    gateway: { session: (id: string) => (id === 'a' ? session : undefined) },
    dispatcher: { refresh: async (id: string) => note('tasks')(id) },
    sensorOrders: { refresh: note('orders') },
  } as unknown as Parts;
  return { done, administration: new AgentAdministration(parts) };
}

test('an invitation pins the key of the server, ends in time, and leaves nothing that could be used to join', async () => {
  const { done, administration: admin } = administration();
  const { token, expiresAt } = await admin.invite({ lifetimeMs: 60_000 });
  const parsed = parseJoinToken(token);
  assert.ok(parsed);
  assert.deepEqual([parsed.pin, expiresAt], [keyPin(publicKey), 61_000]);
  assert.deepEqual(done, [
    ['token', { ...storedToken(parsed.secret), createdAt: 1000, expiresAt: 61_000, numbersNames: false }],
  ]);
  assert.ok(!JSON.stringify(done).includes(parsed.secret));
  const other = await admin.invite({ lifetimeMs: 60_000, numbersNames: true });
  assert.notEqual(other.token, token);
  assert.equal((done[1] as [string, { numbersNames: boolean }])[1].numbersNames, true);
});

test('an agent that is revoked or removed is sent away and told why; one that is not there is neither', async () => {
  const { done, administration: admin } = administration();
  assert.deepEqual([await admin.revoke('a'), await admin.revoke('b')], [true, false]);
  assert.deepEqual([await admin.remove('a'), await admin.remove('b')], [true, false]);
  assert.deepEqual(done, [
    ['end', 'revoked', 'this agent was revoked'],
    ['end', 'revoked', 'this agent was removed'],
  ]);
});

test('with another name an agent gets the tasks and orders of that name', async () => {
  const { done, administration: admin } = administration();
  await admin.rename('a', 'new');
  assert.deepEqual(done, [['rename', 'a', 'new'], ['rename session', 'new'], ['orders'], ['tasks', 'a']]);
});
