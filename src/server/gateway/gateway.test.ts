import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Greeting } from '../../agent/greeting.ts';
import { createIdentity, keyPin } from '../../protocol/identity.ts';
import type { Line, LineEvents } from '../../protocol/line.ts';
import type { ServerMessage } from '../../protocol/messages.ts';
import { FakeClock } from '../../testing/fake-clock.ts';
import { Gateway, type Arrival } from './gateway.ts';

/** A gateway with one line whose other end says what the test lets it say. */
function arrival(over: Partial<Arrival> = {}) {
  const clock = new FakeClock();
  const gateway = new Gateway({
    clock,
    identity: { ...createIdentity(), serverId: '0193a0de-0000-7000-8000-000000000001' },
    gatekeeper: { admit: () => new Promise(() => {}), confirm: () => {} },
    received: async () => [],
    commit: async () => {},
    onConnected: () => {},
    onDisconnected: () => {},
    onHeartbeat: () => {},
    takeStorage: () => 0,
    beginChain: async () => true,
    onTasksApplied: () => {},
    onRunAnswer: () => {},
    onFault: () => {},
  });
  let events: LineEvents | undefined;
  let isTerminated = false;
  const sent: string[] = [];
  const line: Line = {
    isOpen: true,
    unsentBytes: 0,
    channelBinding: '',
    listen: (given) => void (events = given),
    send: (frame, onSettled) => {
      sent.push(frame);
      onSettled();
    },
    ping: () => {},
    pong: () => {},
    pause: () => {},
    resume: () => {},
    close: () => {},
    terminate: () => {
      isTerminated = true;
      events?.onClose();
    },
  };
  void gateway.adopt(line, { address: '192.0.2.1', ...over });
  return {
    clock,
    sent,
    isTerminated: () => isTerminated,
    say: async (word: object): Promise<void> => {
      events?.onFrame(Buffer.from(JSON.stringify(word)), true);
      await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    },
  };
}

describe('AT7: a caller', () => {
  test('that says nothing for 3 s is sent away', async () => {
    const { clock, isTerminated } = arrival();
    await clock.advance(2999);
    assert.equal(isTerminated(), false);
    await clock.advance(1);
    assert.equal(isTerminated(), true);
  });

  test('that says who it is has its greeting looked into, for at most 10 s', async () => {
    let isHeld = false;
    const { clock, isTerminated, say, sent } = arrival({ onHello: () => (isHeld = true) });
    await clock.advance(2999);
    // The gateway under test wrote it.
    const challenge = JSON.parse(sent[0] ?? '') as Extract<ServerMessage, { type: 'challenge' }>;
    const identity = { ...createIdentity(), agentId: '0193a0de-0000-7000-8000-000000000002', name: 'seat-17' };
    const trust = { serverPin: keyPin(challenge.publicKey) };
    await say(new Greeting({ identity, trust, epoch: '1', version: '1', channelBinding: '' }).answer(challenge));
    assert.equal(isHeld, true);
    await clock.advance(7000);
    assert.equal(isTerminated(), false, 'the store may take its time');
    await clock.advance(1);
    assert.equal(isTerminated(), true);
  });
});
