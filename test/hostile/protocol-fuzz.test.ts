import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import fc from 'fast-check';
import { WebSocket, WebSocketServer } from 'ws';
import { webSocketDialler, WebSocketLine } from '../../src/adapters/web-socket-line.ts';
import { Uplink, type UplinkPorts } from '../../src/agent/uplink.ts';
import { systemClock as clock } from '../../src/core/clock.ts';
import { AppError } from '../../src/core/errors.ts';
import type { SeqRange } from '../../src/core/entry.ts';
import { ProtocolError } from '../../src/protocol/frames.ts';
import { keyPin } from '../../src/protocol/identity.ts';
import { Greeting } from '../../src/server/gateway/greeting.ts';
import { eventually } from '../../src/testing/eventually.ts';
import { openGate, openGateway, serverIdentity } from './open-gateway.ts';
import { heartbeat, newIdentity, resultOf, WrongAgent } from './wrong-agent.ts';

const uuid = '0193a0de-0000-7000-8000-000000000001';
const runs = { numRuns: 150 };

/** What reaches the process unhandled fails the test, whenever it comes. */
function watchForStrays(t: TestContext): readonly unknown[] {
  const strays: unknown[] = [];
  const note = (error: unknown): void => void strays.push(error);
  process.on('unhandledRejection', note);
  t.after(() => process.off('unhandledRejection', note));
  return strays;
}

const seq = fc.oneof(fc.integer({ min: -1, max: 40 }), fc.constantFrom(0.5, 1e300, null, '1'));
const epoch = fc.constantFrom('1', '1', '1', '2', '', null);
const item = fc.oneof(
  fc.constant(resultOf(uuid)),
  fc.constant({ kind: 'gap', ranges: [[1, 3]], cause: 'overflow', at: 1 }),
  fc.constant({ kind: 'gap', ranges: [[3, 1]], cause: 'overflow', at: 1 }),
  fc.jsonValue(),
);
const entries = fc.record({
  type: fc.constant('entries'),
  lane: fc.constantFrom('live', 'backlog'),
  epoch,
  entries: fc.array(fc.record({ seq, item }), { maxLength: 5 }),
});
const goodEntries = fc.record({
  type: fc.constant('entries'),
  lane: fc.constant('live'),
  epoch: fc.constant('1'),
  entries: fc.array(fc.record({ seq: fc.integer({ min: 1, max: 40 }), item: fc.constant(resultOf(uuid)) }), {
    minLength: 1,
    maxLength: 5,
  }),
});
const agentWord = fc.oneof(
  { weight: 5, arbitrary: goodEntries },
  entries,
  fc.constant({ type: 'tasks-applied', revision: 1 }),
  fc.constant({ type: 'run-accepted', requestId: uuid, scheduledAt: 0 }),
  fc.constant({ type: 'error', code: 'quota', message: 'x' }),
  fc.constant({ type: 'hello' }),
  fc.string(),
  fc.json(),
);

test('whatever an agent says in whatever order, only what was committed is acknowledged, and the server stands', async (t) => {
  const strays = watchForStrays(t);
  const committed = new Set<number>();
  let acknowledged = 0;
  let failsNext = false;
  const url = await openGateway(t, async (_agentId, _epoch, list) => {
    await new Promise((resolve) => setImmediate(resolve));
    if (failsNext) throw new AppError('unavailable', 'the disk is full');
    for (const entry of list) committed.add(entry.seq);
  });

  await fc.assert(
    fc.asyncProperty(fc.array(agentWord, { maxLength: 12 }), fc.boolean(), async (words, fails) => {
      committed.clear();
      failsNext = fails;
      using agent = await WrongAgent.welcomed(url, { identity: newIdentity('fuzz') });
      for (const word of words) agent.say(word);
      agent.say(heartbeat());
      // All before it is handled when it is answered, or the line has ended.
      await agent.until('heartbeat-seen').catch(() => {});
      const said = acknowledgedBy(agent.words);
      acknowledged += said.length;
      for (const seq of said) assert.ok(committed.has(seq), `${seq} was committed`);
    }),
    runs,
  );
  // How many there are depends on the words: a run without any would have judged nothing.
  assert.ok(acknowledged > 0, 'no acknowledgement was looked at');
  assert.deepEqual(strays, []);
});

function acknowledgedBy(words: WrongAgent['words']): readonly number[] {
  const ranges = words.flatMap((word) => (word.type === 'ack' ? word.ranges : []));
  return ranges.flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, at) => from + at));
}

const range = fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }));
const serverWord = fc.oneof(
  fc.record({ type: fc.constant('ack'), epoch: fc.constantFrom('1', '2'), ranges: fc.array(range, { maxLength: 3 }) }),
  fc.constant({ type: 'tasks', revision: 1, set: [], remove: [] }),
  fc.constant({ type: 'tasks', revision: 3, base: 2, set: [], remove: [] }),
  fc.constant({ type: 'run-now', requestId: uuid, taskId: uuid }),
  fc.constant({ type: 'welcome', signature: 'AAAA', name: 'seat', at: 1, received: [[1, 9]] }),
  fc.constant({ type: 'heartbeat-seen', at: 1 }),
  fc.constant({ type: 'error', code: 'revoked', message: 'x' }),
  fc.constant('challenge' as const),
  fc.constant('welcome' as const),
  fc.string(),
  fc.json(),
);

test('whatever a server says in whatever order, an agent lets go of nothing before that server has proved who it is', async (t) => {
  const strays = watchForStrays(t);
  const acceptor = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(acceptor, 'listening');
  t.after(() => acceptor.close());
  // A TCP server that listens has an address.
  const { port } = acceptor.address() as AddressInfo;

  await fc.assert(
    fc.asyncProperty(fc.array(serverWord, { maxLength: 12 }), async (words) => {
      let isWelcomed = false;
      const early: (readonly SeqRange[])[] = [];
      const uplink = uplinkOf({
        epoch: '1',
        read: async () => [],
        reconcile: async (ranges) => void (isWelcomed || early.push(ranges)),
        startSending: async () => {},
        acknowledge: (ranges) => void (isWelcomed || early.push(ranges)),
      });
      const [[near], far] = await Promise.all([
        once(acceptor, 'connection') as Promise<[WebSocket]>,
        opened(new WebSocket(`ws://127.0.0.1:${port}`)),
      ]);
      const greeting = new Greeting(serverIdentity, { channelBinding: '' });
      const ended = uplink.adopt(new WebSocketLine(far), 'fuzz');
      for (const word of words) {
        if (word === 'challenge') near.send(JSON.stringify(greeting.challenge));
        else if (word === 'welcome') {
          near.send(JSON.stringify(greeting.challenge));
          const hello = await Promise.race([once(near, 'message'), ended.then(() => undefined)]);
          if (!hello) break;
          try {
            const { name, signature } = await greeting.accept(JSON.parse(String(hello[0])), openGate);
            isWelcomed = true;
            near.send(JSON.stringify({ type: 'welcome', signature, name, at: 1, received: [] }));
          } catch {
            break;
          }
        } else near.send(typeof word === 'string' ? word : JSON.stringify(word));
      }
      near.close();
      await ended;
      uplink.stop();
      assert.deepEqual(early, []);
    }),
    runs,
  );
  assert.deepEqual(strays, []);
});

/** Every try comes 250 ms after the last one ended. */
function uplinkOf(source: UplinkPorts['source'], onWelcome = (): void => {}): Uplink {
  return new Uplink({
    clock,
    dialler: webSocketDialler,
    identity: newIdentity('fuzzed'),
    version: '1',
    random: () => 0.05,
    source,
    trust: () => ({ serverPin: keyPin(serverIdentity.publicKey) }),
    onWelcome,
    onTasks: ({ base }) => (base === undefined ? 'changed' : 'unfit'),
    onRunNow: () => ({ refusal: 'no' }),
    onSensors: () => {},
    onChainBegun: () => {},
    onChainUnknown: () => {},
    vitals: () => ({
      queue: { depth: 0, bytes: 0, lastSeq: 0 },
      health: { lagMs: 0, impaired: [] },
      tasks: 0,
      chains: [],
      sensors: [],
    }),
    onLink: () => {},
  });
}

test('a store that refuses for a while costs nothing: the agent keeps all, asks again at its pace, and sends all again', async (t) => {
  const strays = watchForStrays(t);
  let refusals = 3;
  const committed = new Set<number>();
  const url = await openGateway(t, async (_agentId, _epoch, list) => {
    if (refusals-- > 0) throw new ProtocolError('unavailable', 'the disk is full');
    for (const entry of list) committed.add(entry.seq);
  });
  const waiting = new Set(Array.from({ length: 5000 }, (_, at) => at + 1));
  let unread: number[] = [];
  let welcomes = 0;
  const source: UplinkPorts['source'] = {
    epoch: '1',
    reconcile: async (received) => {
      source.acknowledge(received);
      return undefined;
    },
    startSending: async () => void (unread = [...waiting]),
    read: async (lane, { maxCount }) =>
      lane === 'live' ? [] : unread.splice(0, maxCount).map((seq) => ({ seq, json: JSON.stringify(resultOf(uuid)) })),
    acknowledge(ranges) {
      for (const seq of waiting)
        if (ranges.some(([from, to]) => from <= seq && seq <= to)) {
          assert.ok(committed.has(seq));
          waiting.delete(seq);
        }
    },
  };
  const uplink = uplinkOf(source, () => welcomes++);
  t.after(() => uplink.stop());
  const start = performance.now();
  uplink.dial(new URL(url));
  const wake = setInterval(() => uplink.wake(), 50);
  t.after(() => clearInterval(wake));
  await eventually('everything is acknowledged', () => waiting.size === 0);
  assert.equal(committed.size, 5000);
  assert.equal(welcomes, 4, 'one connection for each refusal, and the one that was served');
  assert.ok(performance.now() - start > 3 * 250);
  assert.deepEqual(strays, []);
});

async function opened(socket: WebSocket): Promise<WebSocket> {
  await once(socket, 'open');
  return socket;
}
