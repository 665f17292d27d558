import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import type { ServerMessage } from '../../src/protocol/messages.ts';
import { eventually } from '../../src/testing/eventually.ts';
import { timed } from '../../src/testing/lateness.ts';
import { AttackedServer, countOf } from './attacked-server.ts';
import { entriesOf, heartbeat, newIdentity, resultOf, WrongAgent, type Papers } from './wrong-agent.ts';

let server: AttackedServer;

before(async () => {
  server = await AttackedServer.open();
  await server.untilOthersGoOn();
});
after(() => server[Symbol.asyncDispose]());

/** Its tasks as the server tells them. */
async function tasksOf(agent: WrongAgent): Promise<Extract<ServerMessage, { type: 'tasks' }>['set']> {
  const word = await agent.until('tasks');
  assert.ok(word.type === 'tasks');
  return word.set;
}

async function joined(name: string): Promise<{ readonly agent: WrongAgent; readonly papers: Papers }> {
  const papers = { identity: newIdentity(name), token: await server.invite() };
  return { agent: await WrongAgent.welcomed(server.url, papers), papers };
}

describe('a greeting that is wrong', () => {
  test('an agent that has not joined is refused, and told how it can', async () => {
    using agent = await WrongAgent.connect(server.url);
    agent.say(await agent.hello({ identity: newIdentity('nobody') }));
    assert.equal(await agent.refusal(), 'unknown-agent');
    assert.match(JSON.stringify(agent.words), /watchkeeper invite/);
  });

  test("AT3: a stranger's words reach no log", async () => {
    const forged = '\u001b[31mFORGED\n2026-01-01T00:00:00.000Z Everything is fine. \u202e';
    for (const word of [
      { type: forged },
      { type: 'error', code: 'quota', message: forged },
      { type: 'hello', [forged]: 1 },
      { type: 'tasks-applied', revision: forged },
    ]) {
      using agent = await WrongAgent.connect(server.url);
      agent.say(word);
      await agent.refusal();
    }
    await eventually('the log tells of one', () => /does not speak as an agent does/.test(server.said));
    assert.doesNotMatch(server.said, /FORGED|Everything is fine/);
  });

  test('a token that is wrong, used up or too old lets nobody in', async () => {
    const counted = await server.faults('bad-token');
    const used = await server.invite();
    const pin = used.split('.')[1];
    (await WrongAgent.welcomed(server.url, { identity: newIdentity('first'), token: used }))[Symbol.dispose]();
    const old = await server.invite(1000);
    const wrong = `wk1.${pin}.${'A'.repeat(43)}`;
    await new Promise((resolve) => setTimeout(resolve, 1100));
    for (const [token, why] of [
      [wrong, /not known/],
      [used, /used up/],
      [old, /too old/],
    ] as const) {
      using agent = await WrongAgent.connect(server.url);
      agent.say(await agent.hello({ identity: newIdentity('second'), token }));
      assert.equal(await agent.refusal(), 'bad-token');
      assert.match(JSON.stringify(agent.words), why);
    }
    await untilFaults('bad-token', counted + 3);
  });

  test('a hello that was recorded opens nothing a second time', async () => {
    const { agent, papers } = await joined('recorded');
    agent[Symbol.dispose]();
    using first = await WrongAgent.connect(server.url);
    const hello = await first.hello({ identity: papers.identity });
    first.say(hello);
    await first.until('welcome');
    using second = await WrongAgent.connect(server.url);
    second.say(hello);
    assert.equal(await second.refusal(), 'bad-signature');
  });

  test('the id of another agent is of no use without its key', async () => {
    const { agent, papers } = await joined('owner');
    using _ = agent;
    const thief = { ...newIdentity('thief'), agentId: papers.identity.agentId };
    using other = await WrongAgent.connect(server.url);
    other.say(await other.hello({ identity: thief, token: await server.invite() }));
    assert.equal(await other.refusal(), 'unknown-agent');
    assert.equal((await server.agent('owner'))?.status, 'online');
  });

  test('another version of the protocol is refused, saying which', async () => {
    using agent = await WrongAgent.connect(server.url);
    agent.say({ ...(await agent.hello({ identity: newIdentity('future') })), protocol: 99 });
    assert.equal(await agent.refusal(), 'unsupported-version');
    assert.match(JSON.stringify(agent.words), /expected protocol version \d+, got 99/);
  });

  test('a name that would drive a terminal is none', async () => {
    using agent = await WrongAgent.connect(server.url);
    agent.say({ ...(await agent.hello({ identity: newIdentity('x') })), name: '\u001b[2J\nroot' });
    assert.equal(await agent.refusal(), 'bad-frame');
    assert.ok(!server.said.includes('\u001b'));
  });
});

describe('silence', { concurrency: true }, () => {
  test('whoever says nothing is sent away', async () => {
    using agent = await WrongAgent.connect(server.url);
    assert.equal(await agent.refusal(), 'closed with 1006');
  });

  test('a frame that comes byte by byte is no word, and silence ends the line of an agent', async () => {
    const { agent } = await joined('slow');
    const drip = setInterval(() => agent.socket.send('x', { fin: false }), 100);
    const start = performance.now();
    assert.equal(await agent.refusal(), 'closed with 1006');
    clearInterval(drip);
    assert.ok(performance.now() - start > 14_000);
    const line = /agent slow at 127\.0\.0\.1 ended: the other side is silent/;
    await eventually('it is said', () => line.test(server.said));
  });
});

describe('frames that are wrong', () => {
  const bad: readonly (readonly [string, string | Buffer])[] = [
    ['no JSON', 'hello'],
    ['a type that is none', '{"type":"exec","command":"id"}'],
    ['deep nesting', '['.repeat(10_000)],
    ['a binary frame', Buffer.from([1, 2, 3])],
    ['entries before the greeting', JSON.stringify(entriesOf('1', [1, resultOf(crypto.randomUUID())]))],
  ];
  for (const [name, frame] of bad) {
    test(`of a stranger: ${name}`, async () => {
      const counted = await server.faults('bad-frame');
      using agent = await WrongAgent.connect(server.url);
      agent.socket.send(frame);
      assert.equal(await agent.refusal(), 'bad-frame');
      await untilFaults('bad-frame', counted + 1);
    });
  }

  test('a stranger that has much to say is cut off at 16 KiB, whatever it is', async () => {
    using agent = await WrongAgent.connect(server.url);
    agent.socket.send('x'.repeat(100_000), { fin: false });
    assert.equal(await agent.refusal(), 'closed with 1006');
  });

  test('of an agent: more than a frame may hold', async () => {
    const { agent } = await joined('large');
    const counted = await server.faults('bad-frame');
    agent.say('x'.repeat(1024 * 1024 + 1));
    assert.equal(await agent.refusal(), 'closed with 1009');
    await untilFaults('bad-frame', counted + 1);
  });

  test('of an agent: a million wrong entries in a frame cost it the line, and the server no time', async () => {
    const { agent } = await joined('many');
    const frame = `{"type":"entries","lane":"live","epoch":"1","entries":[${'{},'.repeat(349_000)}{}]}`;
    const { value: refusal, lateMs } = await timed(() => {
      agent.say(frame);
      return agent.refusal();
    });
    assert.equal(refusal, 'bad-frame');
    assert.ok(lateMs < 2000, `${lateMs} ms`);
  });

  test('a thousand wrong frames of one agent are one line in the log', async () => {
    const { agent, papers } = await joined('noisy');
    agent[Symbol.dispose]();
    const counted = await server.faults('bad-frame');
    for (let at = 0; at < 100; at++) {
      using again = await WrongAgent.welcomed(server.url, { identity: papers.identity });
      for (let n = 0; n < 10; n++) again.say('nonsense');
      assert.equal(await again.refusal(), 'bad-frame');
    }
    await untilFaults('bad-frame', counted + 100);
    assert.equal(countOf(/agent noisy at 127\.0\.0\.1 ended/, server.said), 1);
  });

  for (const request of ['GET // HTTP/1.1', 'GET /agent?x HTTP/1.1', 'GET http://[ HTTP/1.1', 'OPTIONS * HTTP/1.1']) {
    test(`an upgrade of ${request} ends nothing but itself`, async () => {
      const socket = connect(server.port, '127.0.0.1');
      socket.on('error', () => {});
      socket.write(`${request}\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`);
      socket.resume();
      await once(socket, 'close');
      await server.untilAnswering();
    });
  }

  test('upgrades that are none keep no place at the door', async () => {
    const knock = async (): Promise<void> => {
      const socket = connect(server.port, '127.0.0.1');
      socket.on('error', () => {});
      socket.write('GET /agent HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
      socket.resume();
      await once(socket, 'close');
    };
    await Promise.all(Array.from({ length: 500 }, knock));
    using agent = await WrongAgent.connect(server.url);
    assert.equal((await agent.until('challenge')).type, 'challenge');
  });

  test('connections that are reset in the middle of an upgrade end nothing but themselves', async () => {
    for (const path of ['/elsewhere', '/agent']) {
      for (let at = 0; at < 50; at++) {
        const socket = connect(server.port, '127.0.0.1');
        socket.on('error', () => {});
        await once(socket, 'connect');
        socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`);
        setImmediate(() => socket.resetAndDestroy());
        await once(socket, 'close');
      }
    }
    await server.untilAnswering();
  });
});

describe('entries that are wrong', () => {
  test('results for tasks that an agent never had are not kept, are closed by number, and are told once', async () => {
    const { agent } = await joined('foreign');
    using _ = agent;
    const counted = await server.metric('watchkeeper_refused_entries_total');
    for (let seq = 1; seq <= 20; seq++) agent.say(entriesOf('1', [seq, resultOf(crypto.randomUUID())]));
    await eventually('they are acknowledged', () => acknowledged(agent) === 20);
    assert.equal(await server.metric('watchkeeper_refused_entries_total'), counted + 20);
    assert.equal(countOf(/Agent foreign sent 1 entries that were not kept/, server.said), 1);
  });

  test('AT14: results of a task that name another monitor are not kept either', async () => {
    const { agent } = await joined('mislabelling');
    const [task] = await tasksOf(agent);
    assert.ok(task);
    agent.say(
      entriesOf(
        '1',
        [1, resultOf(task.id, { monitorId: 'another' })],
        [2, resultOf(task.id, { monitorId: task.monitorId })],
      ),
    );
    await eventually('both are closed', () => acknowledged(agent) === 2);
    await eventually('it is told', () => /Agent mislabelling sent 1 entries that were not kept/.test(server.said));
  });

  test("another agent's task does not take them either", async () => {
    const [owner, thief] = [await joined('task-owner'), await joined('task-thief')];
    using _owner = owner.agent;
    using _thief = thief.agent;
    const [task] = await tasksOf(owner.agent);
    assert.ok(task);
    thief.agent.say(entriesOf('1', [1, resultOf(task.id, { status: 'down', reason: 'refused' })]));
    await eventually('it is acknowledged', () => acknowledged(thief.agent) === 1);
    owner.agent.say(entriesOf('1', [1, resultOf(task.id, { monitorId: task.monitorId })]));
    await eventually('it is acknowledged', () => acknowledged(owner.agent) === 1);
    const from = new Date(Date.now() - 60_000).toISOString();
    const to = new Date(Date.now() + 60_000).toISOString();
    const answer = await server.get(`/api/v1/tasks/${task.id}/results?from=${from}&to=${to}`);
    assert.doesNotMatch(answer, /refused/);
    assert.match(answer, /"status":"up"/);
  });

  test('sequence numbers of another life are refused', async () => {
    const { agent } = await joined('liar');
    agent.say(entriesOf('2', [1, resultOf(crypto.randomUUID())]));
    assert.equal(await agent.refusal(), 'not-your-entries');
  });

  test('an entry that does not fit the protocol is closed by its number; those beside it are kept', async () => {
    const { agent } = await joined('mixed');
    using _ = agent;
    const [task] = await tasksOf(agent);
    assert.ok(task);
    const results = await server.metric('watchkeeper_results_total');
    agent.say(
      entriesOf(
        '1',
        [1, resultOf(task.id, { message: 'x'.repeat(5000) })],
        [2, resultOf(task.id, { monitorId: task.monitorId })],
      ),
    );
    await eventually('both are acknowledged', () => acknowledged(agent) === 2);
    assert.ok((await server.metric('watchkeeper_results_total')) > results);
    assert.equal(countOf(/Agent mixed sent 1 entries that were not kept: they do not fit/, server.said), 1);
  });

  test('numbers that are thrown about without end are refused before they fill the disk', async () => {
    const { agent } = await joined('scattered');
    for (let frame = 0; frame < 5; frame++) {
      const items = Array.from({ length: 1000 }, (_, n): readonly [number, object] => [
        1 + 2 * (1000 * frame + n),
        resultOf(crypto.randomUUID()),
      ]);
      agent.say(entriesOf('1', ...items));
    }
    assert.equal(await agent.refusal(), 'not-your-entries');
  });
});

describe('too much', () => {
  test('an agent that talks without end is over its quota', async () => {
    const { agent } = await joined('talker');
    for (let at = 0; at < 2000; at++) agent.say({ type: 'tasks-applied', revision: 1 });
    assert.equal(await agent.refusal(), 'quota');
  });

  test('an agent that sends entries without end is held back, loses none and harms nobody', async () => {
    const { agent } = await joined('eager');
    using _ = agent;
    const [task] = await tasksOf(agent);
    assert.ok(task);
    const start = performance.now();
    const item = resultOf(task.id, { monitorId: task.monitorId });
    for (let frame = 0; frame < 35; frame++) {
      const items = Array.from({ length: 2000 }, (_, n): readonly [number, object] => [1 + 2000 * frame + n, item]);
      agent.say(entriesOf('1', ...items));
    }
    const beat = setInterval(() => agent.say(heartbeat()), 1000);
    await eventually('all are acknowledged', () => acknowledged(agent) === 70_000);
    clearInterval(beat);
    // 40,000 at once, 10,000 a second after that.
    assert.ok(performance.now() - start > 2500, `took ${performance.now() - start} ms`);
    assert.equal((await server.agent('local'))?.status, 'online');
  });

  test('pings without an end are not answered without an end', async () => {
    const { agent } = await joined('pinger');
    using _ = agent;
    let pongs = 0;
    agent.socket.on('pong', () => pongs++);
    agent.socket.pause();
    for (let at = 0; at < 200_000; at++) agent.socket.ping('x'.repeat(125));
    await eventually('they are sent', () => agent.socket.bufferedAmount === 0);
    agent.socket.resume();
    agent.say(heartbeat());
    await agent.until('heartbeat-seen');
    assert.ok(pongs < 200_000, `${pongs} pongs`);
  });
});

describe('two processes with one key', () => {
  test('the newer one stays, the older one is told, and the log says it once, with what to do', async () => {
    const { agent, papers } = await joined('twin');
    let current = agent;
    for (let at = 0; at < 10; at++) {
      const next = await WrongAgent.welcomed(server.url, { identity: papers.identity });
      assert.equal(await current.refusal(), 'replaced');
      current = next;
    }
    current[Symbol.dispose]();
    assert.equal(countOf(/agent twin at 127\.0\.0\.1 ended: this agent has opened a newer connection/, server.said), 1);
    assert.match(server.said, /two processes use copies of one agent folder/);
  });
});

test('after all of this the server is the same process, and its own agent has lost nothing', async () => {
  await server.untilOthersGoOn();
  const local = await server.agent('local');
  assert.equal(local?.status, 'online');
  assert.equal(countOf(/ serves http/, server.said), 1);
  assert.doesNotMatch(server.said, /local agent has ended|^ {4}at /m);
});

/** A line is counted when it has ended, which is a moment after the other end knows. */
async function untilFaults(code: string, count: number): Promise<void> {
  await eventually(`${count} faults ${code}`, async () => (await server.faults(code)) === count);
}

function acknowledged(agent: WrongAgent): number {
  let count = 0;
  for (const word of agent.words) if (word.type === 'ack') for (const [from, to] of word.ranges) count += to - from + 1;
  return count;
}
