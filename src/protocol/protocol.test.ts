import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { decodeFrame, maxFrameBytes, ProtocolError } from './frames.ts';
import { createIdentity, createNonce, keyPin, signTranscript, verifyTranscript, type Transcript } from './identity.ts';
import { createJoinToken, formatJoinToken, parseJoinToken, proveJoin, storedToken, verifyJoin } from './join-token.ts';
import { agentMessage, serverMessage } from './messages.ts';

const uuid = '0193a0de-0000-7000-8000-000000000001';

const entries = {
  type: 'entries',
  lane: 'live',
  epoch: uuid,
  entries: [
    {
      seq: 1,
      item: {
        kind: 'result',
        taskId: uuid,
        monitorId: 'web',
        scheduledAt: 1000,
        startedAt: 1001.5,
        durationMs: 3,
        status: 'down',
        metrics: { connectMs: 1 },
        detail: { hops: [{ ip: '192.0.2.1' }] },
        reason: 'refused',
        source: 'target',
        message: 'refused',
      },
    },
    { seq: 2, item: { kind: 'gap', ranges: [[3, 9]], cause: 'overflow', at: 5 } },
  ],
};

function entriesFrame(list: string): string {
  return `{"type":"entries","lane":"live","epoch":"1","entries":[${list}{}]}`;
}

function nested(levels: number): string {
  return '['.repeat(levels) + ']'.repeat(levels);
}

describe('frames', () => {
  test('a valid message is read as it was written', () => {
    assert.deepEqual(decodeFrame(agentMessage, JSON.stringify(entries)), entries);
  });

  const bad: readonly (readonly [string, string, RegExp])[] = [
    ['text that is no JSON', 'hello', /expected JSON/],
    ['an unknown type', '{"type":"exec","command":"id"}', /type/],
    ['a missing field', '{"type":"tasks-applied"}', /revision/],
    ['a field that is not in the protocol', '{"type":"tasks-applied","revision":1,"shell":"id"}', /shell|Unrecognized/],
    ['a wrong value deep in a batch', JSON.stringify(entries).replace('"seq":1', '"seq":0'), /entries\.0\.seq/],
    ['half a million entries', entriesFrame('{},'.repeat(340_000)), /2000/],
    ['keys that are no keys of ours', `{"type":"tasks-applied","revision":1,"${'k'.repeat(100_000)}":1}`, /^.{1,300}$/],
    ['a frame that is too long', `"${'x'.repeat(maxFrameBytes)}"`, /at most 1048576 bytes/],
    ['deep nesting', nested(500_000), /expected object/],
    ['deep nesting that has no end', '['.repeat(500_000), /expected JSON/],
  ];
  for (const [name, frame, expected] of bad) {
    test(`${name} is a typed error that says what is wrong`, () => {
      assert.throws(
        () => decodeFrame(agentMessage, frame),
        (error) => error instanceof ProtocolError && error.code === 'bad-frame' && expected.test(error.message),
      );
    });
  }

  for (const [name, from, to] of [
    ['a status that is none', '"down"', '"dead"'],
    ['a sentence without an end', '"message":"refused"', `"message":"${'x'.repeat(5000)}"`],
    ['a time that is none', '"durationMs":3', '"durationMs":-3'],
    ['a field that is not in the protocol', '"kind":"result"', '"kind":"result","shell":"id"'],
    ['a detail of 17 levels', '"192.0.2.1"', nested(14)],
    ['a detail of 400,000 levels', '"192.0.2.1"', nested(400_000)],
    ['deep nesting where a number belongs', '"durationMs":3', `"durationMs":${nested(400_000)}`],
  ] as const) {
    test(`an entry with ${name} is refused alone, and its number with it`, () => {
      const read = decodeFrame(agentMessage, JSON.stringify(entries).replace(from, to));
      assert.ok(read.type === 'entries');
      assert.deepEqual(read.entries[0], { seq: 1, item: { kind: 'gap', ranges: [], cause: 'refused', at: 1001.5 } });
      assert.deepEqual(read.entries[1], entries.entries[1]);
    });
  }

  test('a detail of 16 levels is read as it was written', () => {
    const frame = JSON.stringify(entries).replace('"192.0.2.1"', nested(13));
    assert.deepEqual(decodeFrame(agentMessage, frame), JSON.parse(frame));
  });

  test('no bytes whatever throw anything but a typed error', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.json().map((text) => text.slice(1)),
        ),
        (frame) => {
          for (const schema of [agentMessage, serverMessage]) {
            try {
              decodeFrame<unknown>(schema, frame);
            } catch (error) {
              assert.ok(error instanceof ProtocolError);
            }
          }
        },
      ),
    );
  });
});

const server = createIdentity();
const agent = createIdentity();
const transcript: Transcript = {
  serverKey: server.publicKey,
  agentKey: agent.publicKey,
  serverNonce: createNonce(),
  agentNonce: createNonce(),
  agentId: uuid,
  epoch: uuid,
  channelBinding: 'abc',
};

describe('identity', () => {
  test('each side proves its key', () => {
    assert.ok(verifyTranscript('agent', transcript, signTranscript(agent, 'agent', transcript)));
    assert.ok(verifyTranscript('server', transcript, signTranscript(server, 'server', transcript)));
  });

  for (const part of Object.keys(transcript) as (keyof Transcript)[]) {
    test(`a signature does not hold for another ${part}`, () => {
      const signature = signTranscript(agent, 'agent', transcript);
      const other = part === 'agentKey' || part === 'serverKey' ? createIdentity().publicKey : createNonce();
      assert.equal(verifyTranscript('agent', { ...transcript, [part]: other }, signature), false);
    });
  }

  test("one side's signature is not the other's", () => {
    const same = { ...transcript, serverKey: agent.publicKey };
    assert.equal(verifyTranscript('server', same, signTranscript(agent, 'agent', same)), false);
  });

  test('a key that is none verifies nothing', () => {
    assert.equal(verifyTranscript('agent', { ...transcript, agentKey: 'AAAA' }, 'AAAA'), false);
  });
});

describe('join tokens', () => {
  test('a token survives the way to text and back, and carries the pin of the server', () => {
    const pin = keyPin(createIdentity().publicKey);
    const token = createJoinToken(pin);
    assert.deepEqual(parseJoinToken(`${formatJoinToken(token)}\n`), token);
    assert.equal(token.pin, pin);
  });

  test('a proof of a token holds for its agent and its connection only', () => {
    const { secret } = createJoinToken('pin');
    const { key } = storedToken(secret);
    const proof = proveJoin(secret, transcript);
    assert.ok(verifyJoin(key, transcript, proof));
    assert.equal(verifyJoin(key, { ...transcript, agentKey: createIdentity().publicKey }, proof), false);
    assert.equal(verifyJoin(key, { ...transcript, channelBinding: 'other' }, proof), false);
    assert.equal(verifyJoin(storedToken(createJoinToken('pin').secret).key, transcript, proof), false);
    assert.equal(verifyJoin(key, transcript, ''), false);
  });

  test('what the server keeps is not the secret', () => {
    const { secret } = createJoinToken('pin');
    assert.ok(!Object.values(storedToken(secret)).includes(secret));
  });

  test('anything else is no token', () => {
    for (const text of ['', 'wk1', 'wk1.a.b', 'wk2.' + 'a'.repeat(43) + '.' + 'b'.repeat(43)]) {
      assert.equal(parseJoinToken(text), undefined, text);
    }
  });
});
