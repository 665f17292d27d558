import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AppError } from '../../core/errors.ts';
import { ProtocolError } from '../../protocol/frames.ts';
import { FakeClock } from '../../testing/fake-clock.ts';
import type { Claim } from '../gateway/greeting.ts';
import { AgentGate, type GateRecords, type KnownAgent, type KnownToken } from './agent-gate.ts';

/** Records in memory; the store's own suite tests the real ones. */
function recordsOf(
  tokens: Readonly<Record<string, KnownToken & { readonly expiresAt: number }>>,
  known: readonly KnownAgent[] = [],
): GateRecords {
  const agents = new Map(known.map((agent) => [agent.id, agent]));
  const used = new Set<string>();
  return {
    agents: async () => [...agents.values()],
    saveAgent: async (agent) => void agents.set(agent.id, agent),
    revokeAgent: async (agentId) => agents.has(agentId),
    removeAgent: async (agentId) => agents.has(agentId),
    joinToken: async (tokenId) => tokens[tokenId],
    async joinAgent(agent, use) {
      const owner = agents.get(agent.id);
      if (owner && owner.publicKey !== agent.publicKey) return 'taken';
      const token = use && tokens[use.id];
      if (use && !token) return 'unknown';
      if (use && used.has(use.id)) return 'used';
      if (use && token && token.expiresAt <= use.at) return 'expired';
      if (use) used.add(use.id);
      agents.set(agent.id, agent);
      return 'accepted';
    },
  };
}

function claim(over: Partial<Claim> = {}): Claim {
  return {
    agentId: 'a',
    name: 'seat-17',
    expectedName: undefined,
    publicKey: 'key of a',
    version: '1',
    tokenId: undefined,
    isExpected: false,
    provesToken: () => false,
    ...over,
  };
}
const withToken = (tokenId: string, key = `key of ${tokenId}`): Partial<Claim> => ({
  tokenId,
  provesToken: (given) => given === key,
});

async function gateOf(
  clock = new FakeClock(),
  wrap = (records: GateRecords) => records,
): Promise<{ gate: AgentGate; clock: FakeClock }> {
  const expiresAt = clock.now() + 3_600_000;
  const token = (id: string, numbersNames = false) => ({ key: `key of ${id}`, expiresAt, numbersNames });
  const tokens = { t1: token('t1'), t2: token('t2'), n1: token('n1', true), n2: token('n2', true) };
  const gate = new AgentGate({ clock, records: wrap(recordsOf(tokens)), onKnown: () => {}, say: () => {} });
  await gate.load();
  return { gate, clock };
}

const refuses = (code: string, text: RegExp) => (error: unknown) =>
  error instanceof ProtocolError && error.code === code && text.test(error.message);

describe('the gate', () => {
  test('lets an agent join with a token, and come back without one', async () => {
    const { gate } = await gateOf();
    await gate.admit(claim(withToken('t1')));
    await gate.admit(claim());
    assert.deepEqual(
      gate.agents().map(({ name }) => name),
      ['seat-17'],
    );
  });

  test('refuses an agent that never joined, and says how it can', async () => {
    const { gate } = await gateOf();
    await assert.rejects(gate.admit(claim()), refuses('unknown-agent', /watchkeeper invite/));
  });

  test('takes a token once, also from two agents at the same moment', async () => {
    const { gate } = await gateOf();
    const joins = ['a', 'b'].map((agentId) =>
      gate.admit(claim({ agentId, name: agentId, publicKey: agentId, ...withToken('t1') })),
    );
    const outcomes = await Promise.allSettled(joins);
    assert.deepEqual(outcomes.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected']);
    await assert.rejects(
      gate.admit(claim({ agentId: 'c', name: 'c', ...withToken('t1') })),
      refuses('bad-token', /used up/),
    );
  });

  test('refuses a token that is too old, unknown, or only known by its id', async () => {
    const { gate, clock } = await gateOf();
    await assert.rejects(gate.admit(claim(withToken('t9'))), refuses('bad-token', /not known/));
    await assert.rejects(gate.admit(claim(withToken('t1', 'guess'))), refuses('bad-token', /not known/));
    await clock.advance(3_600_001);
    await assert.rejects(gate.admit(claim(withToken('t1'))), refuses('bad-token', /too old/));
  });

  test('of two agents that join with one id at the same moment one is let in, and the other is told', async () => {
    const { gate } = await gateOf();
    const outcomes = await Promise.allSettled([
      gate.admit(claim({ publicKey: 'first', ...withToken('t1') })),
      gate.admit(claim({ publicKey: 'second', ...withToken('t2') })),
    ]);
    const [, second] = outcomes;
    assert.ok(second.status === 'rejected' && refuses('unknown-agent', /another key/)(second.reason));
    assert.deepEqual(
      gate.agents().map(({ publicKey }) => publicKey),
      ['first'],
    );
    await gate.admit(claim({ agentId: 'b', name: 'b', publicKey: 'second', ...withToken('t2') }));
  });

  test('a store that refuses costs no token', async () => {
    let isFull = true;
    const { gate } = await gateOf(new FakeClock(), (records) => ({
      ...records,
      joinAgent: (agent, token) =>
        isFull ? Promise.reject(new Error('the disk is full')) : records.joinAgent(agent, token),
    }));
    await assert.rejects(gate.admit(claim(withToken('t1'))), /the disk is full/);
    isFull = false;
    await gate.admit(claim(withToken('t1')));
  });

  test('SF15: a removed agent is revoked, keeps no name, and returns with a new token; once forgotten it is a stranger', async () => {
    const { gate } = await gateOf();
    await gate.admit(claim(withToken('t1')));
    const removed = gate.remove('a');
    assert.throws(() => gate.confirm('a'), refuses('revoked', /new join token/));
    assert.equal(await removed, true);
    assert.deepEqual(
      gate.agents().map(({ revokedAt, removedAt }) => revokedAt !== undefined && revokedAt === removedAt),
      [true],
    );
    await assert.rejects(gate.admit(claim()), refuses('revoked', /new join token/));
    assert.equal(await gate.admit(claim({ agentId: 'b', publicKey: 'key of b', ...withToken('t2') })), 'seat-17');
    gate.forget(['a']);
    await assert.rejects(gate.admit(claim()), refuses('unknown-agent', /has not joined/));
    assert.equal(await gate.remove('nobody'), false);
  });

  test('a revoked key does not return without a new token', async () => {
    const { gate } = await gateOf();
    await gate.admit(claim(withToken('t1')));
    await gate.revoke('a');
    await assert.rejects(gate.admit(claim()), refuses('revoked', /new join token/));
    await assert.rejects(gate.admit(claim(withToken('t1'))), refuses('bad-token', /used up/));
    await gate.admit(claim(withToken('t2')));
    assert.equal(gate.agents()[0]?.revokedAt, undefined);
  });

  test('MU43: an agent that joins again keeps the time at which it first joined', async () => {
    const { gate, clock } = await gateOf();
    const first = clock.now();
    await gate.admit(claim(withToken('t1')));
    await gate.revoke('a');
    await clock.advance(60_000);
    await gate.admit(claim(withToken('t2')));
    assert.deepEqual(
      gate.agents().map(({ joinedAt, revokedAt }) => ({ joinedAt, revokedAt })),
      [{ joinedAt: first, revokedAt: undefined }],
    );
  });

  test('MU44: a revocation counts at once, whatever the disk says', async () => {
    const disk = Promise.withResolvers<boolean>();
    const { gate } = await gateOf(new FakeClock(), (records) => ({ ...records, revokeAgent: () => disk.promise }));
    await gate.admit(claim(withToken('t1')));
    gate.confirm('a');
    const revoked = gate.revoke('a');
    assert.throws(() => gate.confirm('a'), refuses('revoked', /new join token/));
    await assert.rejects(gate.admit(claim()), refuses('revoked', /new join token/));
    disk.reject(new Error('the disk is full'));
    await assert.rejects(revoked, /the disk is full/);
    assert.throws(() => gate.confirm('a'), refuses('revoked', /new join token/));
  });

  test('lets in the agent that the server called, once', async () => {
    const { gate } = await gateOf();
    await gate.admit(claim({ isExpected: true }));
    await gate.revoke('a');
    await assert.rejects(gate.admit(claim({ isExpected: true })), refuses('revoked', /new join token/));
  });

  test('an id belongs to its key', async () => {
    const { gate } = await gateOf();
    await gate.admit(claim(withToken('t1')));
    await assert.rejects(
      gate.admit(claim({ publicKey: 'another', ...withToken('t2') })),
      refuses('unknown-agent', /another key/),
    );
  });

  test('SE6: a name that is taken, or that looks the same, is refused, and whoever has it keeps it', async () => {
    const { gate } = await gateOf();
    assert.equal(await gate.admit(claim(withToken('t1'))), 'seat-17');
    const other = { agentId: 'b', publicKey: 'key of b', ...withToken('t2') };
    for (const name of ['seat-17', 'SEAT-17', 'ｓｅａｔ-17'])
      await assert.rejects(gate.admit(claim({ ...other, name })), refuses('bad-name', /there is an agent .* already/));
    for (const name of ['seat\u200b-17', 'seat-\u202e71', ' seat', 'x'.repeat(101), ''])
      await assert.rejects(gate.admit(claim({ ...other, name })), refuses('bad-name', /expected a name/));
    assert.equal(await gate.admit(claim({ ...other, name: 'seat-18' })), 'seat-18', 'the token is still good');
  });

  test('SE6: an agent that calls itself otherwise keeps the name it has', async () => {
    const { gate } = await gateOf();
    await gate.admit(claim(withToken('t1')));
    await gate.admit(claim({ agentId: 'b', name: 'seat-18', publicKey: 'key of b', ...withToken('t2') }));
    assert.equal(await gate.admit(claim({ agentId: 'b', name: 'seat-17', publicKey: 'key of b' })), 'seat-18');
    assert.deepEqual(
      gate.agents().map(({ name }) => name),
      ['seat-17', 'seat-18'],
    );
  });

  test('SE6: an invitation may number names; of two that come at once each gets its own', async () => {
    const { gate } = await gateOf();
    await gate.admit(claim(withToken('t1')));
    const names = await Promise.all(
      ['n1', 'n2'].map((token) => gate.admit(claim({ agentId: token, publicKey: token, ...withToken(token) }))),
    );
    assert.deepEqual(names, ['seat-17-2', 'seat-17-3']);
  });

  test('SE6: of two that join with one name at once, one is refused', async () => {
    const { gate } = await gateOf();
    const joins = ['t1', 't2'].map((token) =>
      gate.admit(claim({ agentId: token, publicKey: token, ...withToken(token) })),
    );
    const [first, second] = await Promise.allSettled(joins);
    assert.equal(first?.status, 'fulfilled');
    assert.ok(second?.status === 'rejected' && refuses('bad-name', /already/)(second.reason));
  });

  test('SE6: the administrator renames, and not to a name that is taken', async () => {
    const { gate } = await gateOf();
    await gate.admit(claim(withToken('t1')));
    await gate.admit(claim({ agentId: 'b', name: 'seat-18', publicKey: 'key of b', ...withToken('t2') }));
    await assert.rejects(gate.rename('b', 'Seat-17'), /there is an agent "Seat-17" already/);
    await gate.rename('b', 'window');
    assert.equal(await gate.admit(claim({ agentId: 'b', name: 'seat-18', publicKey: 'key of b' })), 'window');
    await gate.revoke('a');
    await gate.rename('b', 'seat-17');
  });

  test('SE6: an agent that the server calls has the name of the configuration', async () => {
    const { gate } = await gateOf();
    const called = { isExpected: true, name: 'debian', expectedName: 'cellar' };
    assert.equal(await gate.admit(claim(called)), 'cellar');
    assert.equal(await gate.admit(claim({ ...called, expectedName: 'attic' })), 'attic');
  });

  test('SE6: namesakes of an earlier version are told apart, in the order in which they joined', async () => {
    const said: string[] = [];
    const records = recordsOf(
      {},
      ['a', 'b', 'c'].map((id, joinedAt) => ({ id, name: 'seat', publicKey: id, joinedAt })),
    );
    const gate = new AgentGate({ clock: new FakeClock(), records, onKnown: () => {}, say: (text) => said.push(text) });
    await gate.load();
    assert.deepEqual(
      gate.agents().map(({ name }) => name),
      ['seat', 'seat-2', 'seat-3'],
    );
    assert.deepEqual(
      (await records.agents()).map(({ name }) => name),
      ['seat', 'seat-2', 'seat-3'],
    );
    assert.equal(said.length, 2);
  });

  test('a name is one of up to 100 characters, for an administrator too', async () => {
    const { gate } = await gateOf();
    await gate.admit(claim(withToken('t1')));
    await gate.rename('a', 'x'.repeat(100));
    for (const name of ['x'.repeat(101), '', ' a', '..', 'a\u0000'])
      await assert.rejects(gate.rename('a', name), { code: 'usage' }, JSON.stringify(name));
    await assert.rejects(gate.rename('nobody', 'y'), { code: 'not-found' });
    assert.equal(gate.agents()[0]?.name, 'x'.repeat(100));
  });

  test('what the configuration calls an agent is its name, unless that is none or taken; a disk that refuses is told', async () => {
    let refuses = false;
    const { gate } = await gateOf(new FakeClock(), (records) => ({
      ...records,
      async saveAgent(agent) {
        if (refuses) throw new AppError('unavailable', 'the disk is full');
        await records.saveAgent(agent);
      },
    }));
    await gate.admit(claim(withToken('t1')));
    await gate.admit(claim({ agentId: 'b', name: 'other', publicKey: 'key of b', ...withToken('t2') }));
    assert.equal(await gate.admit(claim({ expectedName: 'new' })), 'new');
    assert.equal(await gate.admit(claim({ expectedName: 'OTHER' })), 'new');
    assert.equal(await gate.admit(claim({ expectedName: '..' })), 'new');
    refuses = true;
    await assert.rejects(gate.admit(claim({ expectedName: 'newer' })), { code: 'unavailable' });
  });

  test('an agent that nobody knows can be neither revoked nor removed', async () => {
    const { gate } = await gateOf();
    assert.deepEqual([await gate.revoke('x'), await gate.remove('x'), gate.agents()], [false, false, []]);
  });
});
