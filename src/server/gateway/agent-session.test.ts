import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Greeting as AgentGreeting } from '../../agent/greeting.ts';
import type { Entry } from '../../core/entry.ts';
import { Channel } from '../../protocol/channel.ts';
import { ProtocolError } from '../../protocol/frames.ts';
import { createIdentity, keyPin } from '../../protocol/identity.ts';
import type { Line } from '../../protocol/line.ts';
import { agentMessage, type AgentMessage, type ServerMessage } from '../../protocol/messages.ts';
import { FakeClock } from '../../testing/fake-clock.ts';
import { AgentSession, type SessionPorts } from './agent-session.ts';
import { Greeting } from './greeting.ts';

const serverIdentity = { ...createIdentity(), serverId: '0193a0de-0000-7000-8000-000000000001' };
const agentIdentity = { ...createIdentity(), agentId: '0193a0de-0000-7000-8000-000000000002', name: 'seat-17' };

/** A session on a line that takes everything, and what was sent over that line. */
function sessionOf(over: Partial<SessionPorts> = {}) {
  const clock = new FakeClock();
  const sent: ServerMessage[] = [];
  const line: Line = {
    isOpen: true,
    unsentBytes: 0,
    channelBinding: '',
    listen: () => {},
    send: (frame, onSettled) => {
      // The session under test wrote it.
      sent.push(JSON.parse(frame) as ServerMessage);
      onSettled();
    },
    ping: () => {},
    pong: () => {},
    pause: () => {},
    resume: () => {},
    close: () => {},
    terminate: () => {},
  };
  const events = { onMessage: () => {}, onClose: () => {} };
  const channel = new Channel<AgentMessage, ServerMessage>({ line, incoming: agentMessage, clock, events });
  const ports: SessionPorts = {
    clock,
    gatekeeper: { admit: async ({ name }) => name, confirm: () => {} },
    received: async () => [],
    commit: async () => {},
    onGreeting: () => {},
    onLive: () => {},
    takeStorage: () => 0,
    uncommitted: { bytes: 0 },
    onHeartbeat: () => {},
    beginChain: async () => true,
    onTasksApplied: () => {},
    onRunAnswer: () => {},
    ...over,
  };
  const greeting = new Greeting(serverIdentity, { channelBinding: '' });
  return { clock, sent, session: new AgentSession(ports, { channel, address: '192.0.2.1', greeting }) };
}

/** What the agent answers to the challenge. */
function helloTo(sent: readonly ServerMessage[]): AgentMessage {
  const [challenge] = sent;
  assert.ok(challenge?.type === 'challenge');
  const trust = { serverPin: keyPin(serverIdentity.publicKey) };
  return new AgentGreeting({ identity: agentIdentity, trust, epoch: '1', version: '1', channelBinding: '' }).answer(
    challenge,
  );
}

function entriesFrame(seq: number): AgentMessage {
  return {
    type: 'entries',
    lane: 'live',
    epoch: '1',
    entries: [{ seq, item: { kind: 'gap', ranges: [], cause: 'corrupt', at: 1 } }],
  };
}

function heartbeatAt(at: number): AgentMessage {
  return {
    type: 'heartbeat',
    at,
    queue: { depth: 0, bytes: 0, lastSeq: 0 },
    health: { lagMs: 0, impaired: [], warnings: [] },
    tasks: 0,
    chains: [],
    sensors: [],
  };
}

function typesOf(sent: readonly ServerMessage[]): readonly string[] {
  return sent.map(({ type }) => type);
}

/** Whether a promise has settled by now. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const note = (): void => void (settled = true);
  promise.then(note, note);
  await new Promise((resolve) => setImmediate(resolve));
  return settled;
}

const mebibyte = 1024 * 1024;

describe('a session', () => {
  test('MU53: an agent that is revoked during its greeting is not welcomed', async () => {
    const asked = Promise.withResolvers<[]>();
    let isRevoked = false;
    let isLive = false;
    const confirm = (): void => {
      if (isRevoked) throw new ProtocolError('revoked', 'this agent was revoked');
    };
    const { session, sent } = sessionOf({
      gatekeeper: { admit: async ({ name }) => name, confirm },
      received: () => asked.promise,
      onLive: () => (isLive = true),
    });
    const greeted = session.receive(helloTo(sent), 1000);
    assert.equal(await isSettled(greeted), false);
    isRevoked = true;
    asked.resolve([]);
    await assert.rejects(greeted, (error) => error instanceof ProtocolError && error.code === 'revoked');
    assert.equal(isLive, false);
    assert.deepEqual(typesOf(sent), ['challenge']);
  });

  test('MU47: while the store is slow, no more than 4 MiB of an agent are read, and all of it is committed in order', async () => {
    const store = Promise.withResolvers<void>();
    const committed: Entry[] = [];
    const commit: SessionPorts['commit'] = async (_agentId, _epoch, entries) => {
      await store.promise;
      committed.push(...entries);
    };
    const { session, sent } = sessionOf({ commit });
    await session.receive(helloTo(sent), 1000);
    for (let seq = 1; seq <= 4; seq++) await session.receive(entriesFrame(seq), mebibyte);
    const beyond = session.receive(entriesFrame(5), mebibyte);
    assert.equal(await isSettled(beyond), false, 'the frame that goes beyond the limit holds up the next');
    store.resolve();
    await beyond;
    assert.deepEqual(
      committed.map(({ seq }) => seq),
      [1, 2, 3, 4, 5],
    );
  });

  test('MU47: the limit of all agents together holds up an agent that itself sent little', async () => {
    const store = Promise.withResolvers<void>();
    const uncommitted = { bytes: 32 * mebibyte };
    const { session, sent } = sessionOf({ uncommitted, commit: () => store.promise });
    await session.receive(helloTo(sent), 1000);
    const held = session.receive(entriesFrame(1), 100);
    assert.equal(await isSettled(held), false);
    store.resolve();
    await held;
    assert.equal(uncommitted.bytes, 32 * mebibyte, 'what is committed counts no more');
  });

  test('AT14: of an agent over its storage allowance the entries wait, and its heartbeats do not', async () => {
    const heard: number[] = [];
    const { clock, session, sent } = sessionOf({
      takeStorage: () => 16_000,
      onHeartbeat: (_session, { at }) => heard.push(at),
    });
    await session.receive(helloTo(sent), 1000);
    await session.receive(entriesFrame(1), mebibyte);
    await session.receive(heartbeatAt(7), 100);
    await clock.advance(15_999);
    assert.deepEqual([heard, typesOf(sent)], [[7], ['challenge', 'welcome', 'heartbeat-seen']]);
    await clock.advance(1);
    await session.settled();
    assert.equal(sent.at(-1)?.type, 'ack');
  });

  test('AT14: entries that were held back when the connection ended are not stored, and nobody waits for them', async () => {
    const committed: Entry[] = [];
    const { clock, session, sent } = sessionOf({
      takeStorage: () => 16_000,
      commit: async (_agentId, _epoch, entries) => void committed.push(...entries),
    });
    await session.receive(helloTo(sent), 1000);
    for (const seq of [1, 2, 3]) await session.receive(entriesFrame(seq), mebibyte);
    session.end('replaced', 'this agent has opened a newer connection');
    await session.settled();
    await clock.advance(60_000);
    assert.deepEqual([committed, typesOf(sent)], [[], ['challenge', 'welcome', 'error']]);
  });
});
