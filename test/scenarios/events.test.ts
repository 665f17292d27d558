import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { readEvents, type StreamEvent } from '../../src/commands/operate/event-stream.ts';
import { eventually } from '../../src/testing/eventually.ts';
import { tcpServer, type TestServer } from '../../src/testing/tcp-server.ts';
import { Served } from './served.ts';

/** Each test knows what it asked for. */
// oxlint-disable-next-line typescript/no-explicit-any -- what a stranger would see of the interface: JSON
function dataOf({ data }: StreamEvent): any {
  return JSON.parse(data);
}

function isThird(_event: StreamEvent, seen: readonly StreamEvent[]): boolean {
  return seen.length === 3;
}

describe('the stream of events', () => {
  let open: TestServer;
  let server: Served;

  before(async () => {
    open = await tcpServer();
    const monitor = (name: string): string =>
      `  - { name: ${name}, type: tcp, target: "127.0.0.1:${open.port}", interval: 1s }\n`;
    server = await Served.start(`monitors:\n${monitor('door')}${monitor('gate')}`);
    await eventually('both have results', async () => {
      const tasks = (await server.ask('GET', '/tasks?state=up')).body.tasks as readonly object[];
      return tasks.length === 2;
    });
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    await open[Symbol.asyncDispose]();
  });

  /** Reads events until one that fits, and leaves. */
  async function watch(
    query: string,
    isLast: (event: StreamEvent, seen: readonly StreamEvent[]) => boolean,
    lastId?: string,
  ): Promise<readonly StreamEvent[]> {
    const leaving = new AbortController();
    const response = await fetch(`${server.url}/api/v1/events${query}`, {
      headers: { Authorization: `Bearer ${await server.token()}`, ...(lastId && { 'Last-Event-ID': lastId }) },
      signal: leaving.signal,
    });
    assert.equal(response.status, 200);
    assert.ok(response.body);
    const seen: StreamEvent[] = [];
    for await (const event of readEvents(response.body)) {
      seen.push(event);
      if (isLast(event, seen)) break;
    }
    leaving.abort();
    return seen;
  }

  test('SI8: begins with the agents and tasks as they are, and goes on with changes', async () => {
    const seen = await watch('', ({ type }) => type === 'result');
    const [first] = seen;
    assert.ok(first?.id && first.type === 'snapshot');
    const { agents, tasks, more } = dataOf(first);
    assert.deepEqual([agents.map(({ name }: { name: string }) => name), tasks.length, more], [['local'], 2, false]);
    assert.equal(seen.filter(({ type }) => type === 'snapshot').length, 1);
    assert.ok(seen.every(({ id }) => id !== ''));
  });

  test('SI8: goes on from Last-Event-ID without a gap and without a repetition', async () => {
    const before = await watch('?kind=result&snapshot=false', isThird);
    // Two results a second come meanwhile.
    const elsewhere = await watch('?kind=result&snapshot=false', isThird);
    const back = await watch('?kind=result', isThird, before.at(-1)?.id);
    assert.ok(
      back.every(({ type }) => type === 'result'),
      'no snapshot is needed',
    );
    const numbers = [...before, ...back].map(({ id }) => Number(id.split('-').at(-1)));
    assert.deepEqual(
      numbers,
      [...new Set(numbers)].toSorted((a, b) => a - b),
    );
    assert.equal(back[0]?.id, elsewhere[0]?.id, 'the first that was missed');
  });

  test('SI8: tells whoever comes with an id that is not kept, and shows how things are', async () => {
    const seen = await watch('', ({ type }) => type === 'snapshot', 'another-17');
    assert.deepEqual(
      seen.map(({ type }) => type),
      ['lost', 'snapshot'],
    );
    assert.ok(seen[0]);
    assert.deepEqual(dataOf(seen[0]), { type: 'lost', reason: 'unknown' });
  });

  test('SI8: is filtered by kind, agent and monitor; a change of state is an event of its own', async () => {
    const results = await watch('?monitor=door&kind=result&snapshot=false', isThird);
    assert.ok(results.every((event) => dataOf(event).result.monitorId === 'door'));
    const changes = watch('?agent=local&kind=state&snapshot=false', (event) => dataOf(event).state === 'up');
    await server.ask('POST', '/monitors/gate/pause');
    await server.ask('POST', '/monitors/gate/resume');
    assert.deepEqual(
      (await changes).map(dataOf).map(({ type, name, monitor, before, state }) => [type, name, monitor, before, state]),
      [
        ['state', 'local', 'gate', 'up', 'unknown'],
        ['state', 'local', 'gate', 'unknown', 'up'],
      ],
    );
    const ofTask = await watch('?monitor=gate', ({ type }) => type === 'snapshot');
    assert.ok(ofTask[0]);
    assert.deepEqual(
      dataOf(ofTask[0]).tasks.map(({ monitor }: { monitor: string }) => monitor),
      ['gate'],
    );
  });

  test('SI8: filters that there are not are refused with a sentence', async () => {
    const mistakes: readonly (readonly [string, number, RegExp])[] = [
      ['?monitor=dorr', 404, /there is no monitor "dorr"; did you mean "door"/],
      ['?agent=nobody', 404, /there is no agent "nobody"/],
      ['?kind=results', 400, /query parameter kind\.?.*: expected kinds of result, state, transition, incident, gap/],
      ['?snapshot=no', 400, /query parameter snapshot: expected one of true, false, got "no"/],
    ];
    for (const [query, status, detail] of mistakes) {
      const answer = await server.ask('GET', `/events${query}`);
      assert.equal(answer.status, status, query);
      assert.match(answer.body.detail, detail);
    }
  });
});
