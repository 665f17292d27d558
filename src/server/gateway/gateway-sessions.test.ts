import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Greeting } from '../../agent/greeting.ts';
import { createIdentity, keyPin } from '../../protocol/identity.ts';
import type { Line, LineEvents } from '../../protocol/line.ts';
import type { ServerMessage } from '../../protocol/messages.ts';
import { FakeClock } from '../../testing/fake-clock.ts';
import { Gateway } from './gateway.ts';

const serverIdentity = { ...createIdentity(), serverId: '0193a0de-0000-7000-8000-000000000001' };
const agentIdentity = { ...createIdentity(), agentId: '0193a0de-0000-7000-8000-000000000002', name: 'seat-17' };
const trust = { serverPin: keyPin(serverIdentity.publicKey) };

/** A gateway, and what it told the rooms behind it. */
function gatewayOf() {
  const clock = new FakeClock();
  const told: string[] = [];
  const gateway = new Gateway({
    clock,
    identity: serverIdentity,
    gatekeeper: { admit: async ({ name }) => name, confirm: () => {} },
    received: async () => [],
    commit: async () => {},
    onConnected: ({ name, address }) => told.push(`${name} came from ${address}`),
    onDisconnected: ({ name, address }) => told.push(`${name} left ${address}`),
    onHeartbeat: () => {},
    takeStorage: () => 0,
    beginChain: async () => true,
    onTasksApplied: () => {},
    onRunAnswer: () => {},
    onFault: ({ name, address }, error) => told.push(`${name || 'a stranger'} at ${address}: ${error.message}`),
  });
  return { clock, gateway, told };
}

/** A line over which the same agent comes. */
async function lineTo(gateway: Gateway, address: string) {
  let events: LineEvents | undefined;
  const sent: ServerMessage[] = [];
  const line: Line = {
    isOpen: true,
    unsentBytes: 0,
    channelBinding: '',
    listen: (given) => void (events = given),
    send: (frame, onSettled) => {
      // The gateway under test wrote it.
      sent.push(JSON.parse(frame) as ServerMessage);
      onSettled();
    },
    ping: () => {},
    pong: () => {},
    pause: () => {},
    resume: () => {},
    close: () => events?.onClose(),
    terminate: () => events?.onClose(),
  };
  const ended = gateway.adopt(line, { address });
  const say = async (frame: string): Promise<void> => {
    events?.onFrame(Buffer.from(frame), true);
    for (let turn = 0; turn < 6; turn++) await new Promise((resolve) => setImmediate(resolve));
  };
  const greet = async (): Promise<void> => {
    const [challenge] = sent;
    assert.ok(challenge?.type === 'challenge');
    const greeting = new Greeting({ identity: agentIdentity, trust, epoch: '1', version: '1', channelBinding: '' });
    await say(JSON.stringify(greeting.answer(challenge)));
  };
  return { ended, sent, say, greet, hangUp: () => events?.onClose() };
}

describe('the gateway', () => {
  test('has one session for an agent: a newer one takes the place of the older, whose end takes nobody away', async () => {
    const { gateway, told } = gatewayOf();
    const older = await lineTo(gateway, '192.0.2.1');
    await older.greet();
    const newer = await lineTo(gateway, '192.0.2.2');
    await newer.greet();
    const error = await older.ended;
    assert.match(error?.message ?? '', /has opened a newer connection/);
    assert.deepEqual(older.sent.at(-1), {
      type: 'error',
      code: 'replaced',
      message: 'this agent has opened a newer connection',
    });
    assert.equal(gateway.session(agentIdentity.agentId)?.address, '192.0.2.2');
    assert.ok(told.includes('seat-17 came from 192.0.2.1') && told.includes('seat-17 came from 192.0.2.2'));
    assert.ok(!told.includes('seat-17 left 192.0.2.2'));
    newer.hangUp();
    assert.equal(await newer.ended, undefined);
    assert.equal(told.at(-1), 'seat-17 left 192.0.2.2');
    assert.equal(gateway.session(agentIdentity.agentId), undefined);
  });

  test('tells of a fault, and of none where the line ended well', async () => {
    const { gateway, told } = gatewayOf();
    const stranger = await lineTo(gateway, '192.0.2.9');
    await stranger.say('{"type":"nonsense"}');
    assert.ok(await stranger.ended);
    assert.match(told[0] ?? '', /^a stranger at 192\.0\.2\.9: /);
    const quiet = await lineTo(gateway, '192.0.2.8');
    quiet.hangUp();
    assert.equal(await quiet.ended, undefined);
    assert.equal(told.length, 1);
  });

  test('ends every connection when it is closed', async () => {
    const { gateway, clock } = gatewayOf();
    const lines = [await lineTo(gateway, '192.0.2.1'), await lineTo(gateway, '192.0.2.2')];
    gateway.close();
    await Promise.all(lines.map(({ ended }) => ended));
    assert.equal(clock.pending, 0);
  });
});
