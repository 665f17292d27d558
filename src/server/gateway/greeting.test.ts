import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Greeting as AgentGreeting } from '../../agent/greeting.ts';
import { ProtocolError } from '../../protocol/frames.ts';
import { createIdentity, keyPin } from '../../protocol/identity.ts';
import { createJoinToken } from '../../protocol/join-token.ts';
import { Greeting, type Claim, type GreetingOptions, type Hello } from './greeting.ts';

const serverIdentity = { ...createIdentity(), serverId: '0193a0de-0000-7000-8000-000000000001' };
const agentIdentity = { ...createIdentity(), agentId: '0193a0de-0000-7000-8000-000000000002', name: 'seat-17' };
const trust = { serverPin: keyPin(serverIdentity.publicKey) };

/** What an agent answers to the challenge of a greeting. */
function helloTo(greeting: Greeting, identity = agentIdentity, secret?: string): Hello {
  const { challenge } = greeting;
  assert.ok(challenge.type === 'challenge');
  const trusted = { ...trust, ...(secret !== undefined && { secret }) };
  const hello = new AgentGreeting({ identity, trust: trusted, epoch: '1', version: '1', channelBinding: 'b' }).answer(
    challenge,
  );
  assert.ok(hello.type === 'hello');
  return hello;
}

function greetingWith(options: Partial<GreetingOptions> = {}) {
  const claims: Claim[] = [];
  const gatekeeper = {
    admit: async (claim: Claim) => {
      claims.push(claim);
      return 'its name here';
    },
    confirm: () => {},
  };
  const greeting = new Greeting(serverIdentity, { channelBinding: 'b', ...options });
  return { greeting, claims, accept: (hello: Hello) => greeting.accept(hello, gatekeeper) };
}

const isFault = (code: string, text: RegExp) => (error: unknown) =>
  error instanceof ProtocolError && error.code === code && text.test(error.message);

describe('a greeting', () => {
  test('admits whoever signed it, by the name that the gatekeeper gives', async () => {
    const { greeting, claims, accept } = greetingWith({ expectedName: 'as configured' });
    assert.equal((await accept(helloTo(greeting))).name, 'its name here');
    const { agentId, name, expectedName, isExpected, tokenId, publicKey } = claims[0]!;
    assert.deepEqual(
      { agentId, name, expectedName, isExpected, tokenId, publicKey },
      {
        agentId: agentIdentity.agentId,
        name: 'seat-17',
        expectedName: 'as configured',
        isExpected: false,
        tokenId: undefined,
        publicKey: agentIdentity.publicKey,
      },
    );
    assert.equal(claims[0]?.provesToken('any'), false);
  });

  test('of another version is refused before anything else', async () => {
    const { greeting, claims, accept } = greetingWith();
    const hello = { ...helloTo(greeting), protocol: 2, signature: 'AAAA' };
    await assert.rejects(
      accept(hello),
      isFault('unsupported-version', /expected protocol version 3, got 2: update the older/),
    );
    assert.equal(claims.length, 0);
  });

  for (const [what, changed] of [
    ['another agent', { agentId: '0193a0de-0000-7000-8000-000000000003' }],
    ['another key', { publicKey: createIdentity().publicKey }],
    ['another nonce', { nonce: Buffer.alloc(32).toString('base64') }],
    ['another epoch', { epoch: '2' }],
    ['no signature', { signature: '' }],
  ] as const)
    test(`that was signed for ${what} is refused`, async () => {
      const { greeting, claims, accept } = greetingWith();
      await assert.rejects(accept({ ...helloTo(greeting), ...changed }), isFault('bad-signature', /docs\/proxies\.md/));
      assert.equal(claims.length, 0);
    });

  test('of another connection is refused', async () => {
    const hello = helloTo(greetingWith().greeting);
    await assert.rejects(greetingWith().accept(hello), isFault('bad-signature', /does not fit this connection/));
    await assert.rejects(greetingWith({ channelBinding: 'c' }).accept(hello), isFault('bad-signature', /TLS/));
  });

  test('of an agent that this server called is that of the one that made the token', async () => {
    const pairing = createJoinToken(keyPin(agentIdentity.publicKey));
    const called = greetingWith({ pairing });
    const { challenge } = called.greeting;
    assert.ok(challenge.type === 'challenge' && challenge.pairing !== undefined);
    await called.accept(helloTo(called.greeting, agentIdentity, pairing.secret));
    assert.equal(called.claims[0]?.isExpected, true);
    const other = { ...agentIdentity, ...createIdentity() };
    const again = greetingWith({ pairing });
    await assert.rejects(
      again.accept(helloTo(again.greeting, other, pairing.secret)),
      isFault('unknown-agent', /expected the agent that made the token, got another key/),
    );
  });
});
