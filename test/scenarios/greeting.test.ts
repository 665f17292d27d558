import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Greeting as AgentGreeting } from '../../src/agent/greeting.ts';
import { ProtocolError } from '../../src/protocol/frames.ts';
import { createIdentity, keyPin } from '../../src/protocol/identity.ts';
import { createJoinToken, storedToken } from '../../src/protocol/join-token.ts';
import type { AgentMessage, ServerMessage } from '../../src/protocol/messages.ts';
import {
  Greeting as ServerGreeting,
  type Claim,
  type Gatekeeper,
  type Hello,
} from '../../src/server/gateway/greeting.ts';

const uuid = '0193a0de-0000-7000-8000-000000000001';
const server = { ...createIdentity(), serverId: uuid };
const agent = { ...createIdentity(), agentId: uuid, name: 'seat-17' };
const token = createJoinToken(keyPin(server.publicKey));

/** A gatekeeper that keeps what it was told and admits. */
function openGate(): Gatekeeper & { readonly claims: Claim[] } {
  const claims: Claim[] = [];
  const admit = async (claim: Claim): Promise<string> => {
    claims.push(claim);
    return claim.name;
  };
  return { claims, admit, confirm: () => {} };
}

function agentSide(channelBinding = 'tls'): AgentGreeting {
  return new AgentGreeting({
    identity: agent,
    trust: { serverPin: keyPin(server.publicKey), secret: token.secret },
    epoch: uuid,
    version: '1',
    channelBinding,
  });
}

const challengeOf = (greeting: ServerGreeting) => greeting.challenge as Extract<ServerMessage, { type: 'challenge' }>;
const helloOf = (message: AgentMessage): Hello => message as Hello;
const isError = (code: string) => (error: unknown) => error instanceof ProtocolError && error.code === code;

describe('the greeting', () => {
  test('proves each side to the other, and the token to the server', async () => {
    const gate = openGate();
    const serverSide = new ServerGreeting(server, { channelBinding: 'tls' });
    const agentGreeting = agentSide();
    const hello = helloOf(agentGreeting.answer(challengeOf(serverSide)));
    agentGreeting.confirm((await serverSide.accept(hello, gate)).signature);
    assert.equal(gate.claims[0]?.agentId, agent.agentId);
    assert.equal(gate.claims[0].tokenId, storedToken(token.secret).id);
    assert.ok(gate.claims[0].provesToken(storedToken(token.secret).key));
    assert.ok(!JSON.stringify(hello).includes(token.secret), 'the secret itself is never sent');
  });

  test('a hello that was recorded opens no second connection', async () => {
    const first = new ServerGreeting(server, { channelBinding: 'tls' });
    const hello = helloOf(agentSide().answer(challengeOf(first)));
    await first.accept(hello, openGate());
    await assert.rejects(
      new ServerGreeting(server, { channelBinding: 'tls' }).accept(hello, openGate()),
      isError('bad-signature'),
    );
  });

  test('somebody in the middle cannot pass the greeting on to another TLS connection', async () => {
    const serverSide = new ServerGreeting(server, { channelBinding: 'tls to the server' });
    const hello = helloOf(agentSide('tls to the middle').answer(challengeOf(serverSide)));
    await assert.rejects(serverSide.accept(hello, openGate()), isError('bad-signature'));
  });

  test('an agent tells nothing to a server with another key', () => {
    const stranger = new ServerGreeting({ ...createIdentity(), serverId: uuid }, { channelBinding: 'tls' });
    assert.throws(() => agentSide().answer(challengeOf(stranger)), isError('bad-signature'));
  });

  test('an agent does not believe a server that only knows the public key', async () => {
    const pretender = new ServerGreeting(
      { ...createIdentity(), publicKey: server.publicKey, serverId: uuid },
      { channelBinding: 'tls' },
    );
    const agentGreeting = agentSide();
    const hello = helloOf(agentGreeting.answer(challengeOf(pretender)));
    const { signature } = await pretender.accept(hello, openGate());
    assert.throws(() => agentGreeting.confirm(signature), isError('bad-signature'));
  });

  test('another version of the protocol is refused by both, saying which', async () => {
    const serverSide = new ServerGreeting(server, { channelBinding: 'tls' });
    const challenge = challengeOf(serverSide);
    assert.throws(() => agentSide().answer({ ...challenge, protocol: 99 }), isError('unsupported-version'));
    const hello = { ...helloOf(agentSide().answer(challenge)), protocol: 99 };
    await assert.rejects(serverSide.accept(hello, openGate()), /got 99/);
  });

  test('a server that calls an agent shows that it holds the token of that agent, and each then knows the other', async () => {
    const own = createJoinToken(keyPin(agent.publicKey));
    const called = (): AgentGreeting =>
      new AgentGreeting({
        identity: agent,
        trust: { secret: own.secret },
        epoch: '1',
        version: '1',
        channelBinding: 'tls',
      });
    const gate = openGate();
    const caller = new ServerGreeting(server, { channelBinding: 'tls', pairing: own });
    const greeting = called();
    greeting.confirm((await caller.accept(helloOf(greeting.answer(challengeOf(caller))), gate)).signature);
    assert.ok(gate.claims[0]?.isExpected);
    assert.equal(greeting.serverKey, server.publicKey);

    const guesser = new ServerGreeting(server, { channelBinding: 'tls', pairing: createJoinToken(own.pin) });
    assert.throws(() => called().answer(challengeOf(guesser)), isError('bad-signature'));
    const relayed = new ServerGreeting(server, { channelBinding: 'another line', pairing: own });
    assert.throws(() => called().answer(challengeOf(relayed)), isError('bad-signature'));
    assert.throws(
      () => called().answer(challengeOf(new ServerGreeting(server, { channelBinding: 'tls' }))),
      isError('bad-signature'),
    );
  });

  test('a server that calls one agent takes no other', async () => {
    const pairing = createJoinToken(keyPin(createIdentity().publicKey));
    const caller = new ServerGreeting(server, { channelBinding: 'tls', pairing });
    await assert.rejects(
      caller.accept(helloOf(agentSide().answer(challengeOf(caller))), openGate()),
      isError('unknown-agent'),
    );
  });
});
