import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Greeting as AgentGreeting } from '../../agent/greeting.ts';
import type { Entry } from '../../core/entry.ts';
import { AppError } from '../../core/errors.ts';
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

const gapItem = { kind: 'gap', ranges: [], cause: 'corrupt', at: 1 } as const;

const isFault = (code: string, text: RegExp) => (error: unknown) =>
  error instanceof ProtocolError && error.code === code && text.test(error.message);

function entriesFrame(seq: number): AgentMessage {
  return {
    type: 'entries',
    lane: 'live',
    epoch: '1',
    entries: [{ seq, item: gapItem }],
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

  test('hands each message to the room that it is for', async () => {
    const heard: unknown[] = [];
    const { session, sent } = sessionOf({
      onTasksApplied: (_session, revision) => heard.push(['applied', revision]),
      onRunAnswer: (requestId, answer) => heard.push([requestId, answer]),
      beginChain: async (agentId, { chain }) => {
        heard.push([agentId, chain]);
        return chain === 'known';
      },
    });
    await session.receive(helloTo(sent), 1000);
    const messages: readonly AgentMessage[] = [
      { type: 'tasks-applied', revision: 7 },
      { type: 'run-accepted', requestId: 'r1', scheduledAt: 5 },
      { type: 'run-refused', requestId: 'r2', message: 'it is paused' },
      { type: 'chain-begin', sensor: 'usb', chain: 'known', key: 'k' },
      { type: 'chain-begin', sensor: 'usb', chain: 'other', key: 'k' },
    ];
    for (const message of messages) await session.receive(message, 100);
    const { agentId } = agentIdentity;
    assert.deepEqual(heard, [
      ['applied', 7],
      ['r1', { scheduledAt: 5 }],
      ['r2', { refusal: 'it is paused' }],
      [agentId, 'known'],
      [agentId, 'other'],
    ]);
    assert.deepEqual(sent.slice(2), [
      { type: 'chain-begun', chain: 'known' },
      { type: 'chain-unknown', chain: 'other' },
    ]);
  });

  test('takes nothing before the greeting, one greeting, and entries of the epoch that was greeted with', async () => {
    const { session, sent } = sessionOf();
    const hello = helloTo(sent);
    await assert.rejects(
      session.receive(heartbeatAt(1), 100),
      isFault('bad-frame', /expected hello first, got heartbeat/),
    );
    await assert.rejects(
      session.receive(entriesFrame(1), 100),
      isFault('bad-frame', /expected hello first, got entries/),
    );
    await session.receive(hello, 1000);
    await assert.rejects(session.receive(hello, 1000), isFault('bad-frame', /got a second/));
    const other = { ...entriesFrame(1), epoch: '2' } as AgentMessage;
    await assert.rejects(session.receive(other, 100), isFault('not-your-entries', /of epoch 1, got 2/));
    await session.receive(entriesFrame(1), 100);
    await session.settled();
    assert.deepEqual(sent.at(-1), { type: 'ack', epoch: '1', ranges: [[1, 1]] });
  });

  test('acknowledges what was stored, as ranges, and says why where nothing was', async () => {
    for (const [code, told] of [
      ['usage', 'not-your-entries'],
      ['unavailable', 'unavailable'],
    ] as const) {
      const commit: SessionPorts['commit'] = () => Promise.reject(new AppError(code, 'it was not stored'));
      const { session, sent } = sessionOf({ commit });
      await session.receive(helloTo(sent), 1000);
      await session.receive(entriesFrame(1), 100);
      await session.settled();
      assert.deepEqual(sent.at(-1), { type: 'error', code: told, message: 'it was not stored' });
    }
    const { session, sent } = sessionOf();
    await session.receive(helloTo(sent), 1000);
    const [one, two, four] = [1, 2, 4].map((seq) => ({ seq, item: gapItem }));
    await session.receive({ type: 'entries', lane: 'live', epoch: '1', entries: [four!, one!, two!] }, 100);
    await session.settled();
    assert.deepEqual(sent.at(-1), {
      type: 'ack',
      epoch: '1',
      ranges: [
        [1, 2],
        [4, 4],
      ],
    });
  });

  test('takes a thousand words at once, then twenty a second, and ends with one that says more', async () => {
    const { clock, session, sent } = sessionOf();
    await session.receive(helloTo(sent), 1000);
    for (let word = 0; word < 1000; word++) await session.receive(heartbeatAt(word), 100);
    await clock.advance(1000);
    for (let word = 0; word < 20; word++) await session.receive(heartbeatAt(word), 100);
    await assert.rejects(session.receive(heartbeatAt(1), 100), isFault('quota', /at most 20 messages a second/));
  });

  test('holds entries back beyond 40,000 at once and 10,000 a second, and bytes beyond 16 MiB and 8 MiB a second', async () => {
    const manyEntries = sessionOf();
    await manyEntries.session.receive(helloTo(manyEntries.sent), 1000);
    const entries = Array.from({ length: 50_000 }, (_, index) => ({ seq: index + 1, item: gapItem }));
    await manyEntries.session.receive({ type: 'entries', lane: 'live', epoch: '1', entries }, 1000);
    await assertHeld(manyEntries, 1000);
    const manyBytes = sessionOf({ uncommitted: { bytes: -64 * mebibyte } });
    await manyBytes.session.receive(helloTo(manyBytes.sent), 1000);
    for (let seq = 1; seq <= 16; seq++) {
      await manyBytes.session.receive(entriesFrame(seq), mebibyte);
      await manyBytes.session.settled();
    }
    assert.equal(manyBytes.sent.length, 18);
    const last = manyBytes.session.receive(entriesFrame(17), 4 * mebibyte);
    await assertHeld(manyBytes, 500);
    await last;
  });
});

/** The last frame is acknowledged after this time, and not before. */
async function assertHeld({ clock, sent, session }: ReturnType<typeof sessionOf>, heldMs: number): Promise<void> {
  const before = sent.length;
  await clock.advance(heldMs - 1);
  assert.equal(sent.length, before);
  await clock.advance(1);
  await session.settled();
  assert.deepEqual([sent.length, sent.at(-1)?.type], [before + 1, 'ack']);
}
