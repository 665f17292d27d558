import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { readConfig } from '../config/config.ts';
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
    ['AT4: a time in the year 275760', '"scheduledAt":1000', '"scheduledAt":8.64e15'],
    ['AT4: a time after 2099', '"scheduledAt":1000', '"scheduledAt":4102444800000'],
    ['SF19: a latency of 275,000 years', '"durationMs":3', '"durationMs":3,"latencyMs":8.64e15'],
    ['AT14: a metric whose name is no name', '"connectMs":1', '"connect ms":1'],
    ['AT14: a metric with an endless name', '"connectMs":1', `"${'m'.repeat(65)}":1`],
    ['AT14: a metric called __proto__', '"connectMs":1', '"__proto__":1'],
    ['AT14: 65 metrics', '"connectMs":1', Array.from({ length: 65 }, (_, at) => `"m${at}":1`).join()],
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

  test('AT4, AT10: a heartbeat and a task with times that no clock shows are refused', () => {
    const queue = { depth: 1, bytes: 1, lastSeq: 1, oldestUnsentAt: 8.64e15 };
    const heartbeat = {
      type: 'heartbeat',
      at: 1,
      queue,
      health: { lagMs: 0, impaired: [] },
      tasks: 0,
      chains: [],
      sensors: [],
    };
    assert.throws(() => decodeFrame(agentMessage, JSON.stringify(heartbeat)), /oldestUnsentAt/);
    const what = { id: uuid, monitorId: 'm', monitorName: 'm', type: 'tcp', target: 't', options: {}, paused: false };
    const tasks = (times: object): string =>
      JSON.stringify({
        type: 'tasks',
        revision: 1,
        set: [{ ...what, intervalMs: 1000, timeoutMs: 1, ...times }],
        remove: [],
      });
    assert.equal(decodeFrame(serverMessage, tasks({})).type, 'tasks');
    for (const times of [{ timeoutMs: 2 ** 53 - 1 }, { timeoutMs: 0 }, { intervalMs: 999 }, { intervalMs: 2 ** 40 }])
      assert.throws(() => decodeFrame(serverMessage, tasks(times)), /timeoutMs|intervalMs/);
  });

  test('AT4: what a configuration may hold fits what the server says', () => {
    const url = `http://h/${'x'.repeat(8180)}`;
    const times = 'interval: 7d, timeout: 1h';
    const { config, mistakes } = readConfig(
      `monitors: [{ name: ${'n'.repeat(200)}, type: http, options: { url: "${url}" }, ${times} }]`,
      {},
    );
    assert.deepEqual(mistakes, []);
    const [{ spec } = assert.fail('a monitor')] = config?.monitors ?? [];
    const { id: monitorId, name: monitorName, agents: _agents, ...what } = spec;
    const set = [{ id: uuid, monitorId, monitorName, ...what }];
    const message = { type: 'tasks', revision: 1, set, remove: [] };
    assert.deepEqual(decodeFrame(serverMessage, JSON.stringify(message)), message);
  });

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
