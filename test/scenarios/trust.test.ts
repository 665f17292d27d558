import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test, type TestContext } from 'node:test';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server } from 'node:tls';
import { createCertificate } from '../../src/protocol/certificate.ts';
import { eventually } from '../../src/testing/eventually.ts';
import { timed } from '../../src/testing/lateness.ts';
import { labMissing } from '../../src/testing/netlab.ts';
import { Program } from '../../src/testing/program.ts';
import { openStarLab } from '../../src/testing/star-lab.ts';
import { closedPort } from '../../src/testing/tcp-server.ts';
import { AttackedServer, countOf, monitorsText } from '../hostile/attacked-server.ts';
import { entriesOf, newIdentity, resultOf, WrongAgent } from '../hostile/wrong-agent.ts';
import { removeFolder } from '../../src/testing/remove-folder.ts';

let folder: string;

before(async () => (folder = await mkdtemp(join(tmpdir(), 'watchkeeper-trust-'))));
after(() => removeFolder(folder));

/** A real agent that dials; killed when the test ends. */
function agentProgram(t: TestContext, name: string, words: readonly string[]): Program {
  const program = new Program(() => ['agent', ...words, '--name', name, '--data', join(folder, name)]);
  t.after(() => program.kill());
  return program;
}

function untilOnline(server: AttackedServer, name: string): Promise<unknown> {
  return eventually(`${name} is online`, async () => (await server.agent(name))?.status === 'online');
}

describe('revocation', () => {
  test('ends the line of an agent at once; it asks again seldom, and only a new token brings it back', async (t) => {
    await using server = await AttackedServer.open({ flags: ['--no-local-agent'] });
    let token = await server.invite();
    const program = agentProgram(t, 'seat-17', ['--join', server.url]);
    const join = new Program(() => [...program.words(), '--token', token]);
    t.after(() => join.kill());
    join.start();
    await untilOnline(server, 'seat-17');
    const { lateMs } = await timed(async () => {
      await server.ask('/agents/seat-17/revoke', {});
      await eventually('the agent knows', () => join.said.includes('this agent was revoked'));
    });
    assert.ok(lateMs < 1000, `${lateMs} ms`);
    assert.equal((await server.agent('seat-17'))?.status, 'revoked');

    // Full jitter over 30 s: four tries within five are less likely than one in a thousand.
    await new Promise((resolve) => setTimeout(resolve, 5000));
    assert.ok((await server.faults('revoked')) + (await server.faults('bad-token')) <= 4);
    await join.kill();
    program.start();
    await eventually('it is refused', () =>
      /Not connected to .*: .*a new join token brings it back/.test(program.said),
    );
    assert.equal((await server.agent('seat-17'))?.status, 'revoked');
    await program.kill();

    token = await server.invite();
    join.start();
    await untilOnline(server, 'seat-17');
  });

  test('also of an agent that does not hear it: nothing it says afterwards is kept', async () => {
    await using server = await AttackedServer.open({ flags: ['--no-local-agent'] });
    const identity = newIdentity('deaf');
    using agent = await WrongAgent.welcomed(server.url, { identity, token: await server.invite() });
    const tasks = await agent.until('tasks');
    assert.ok(tasks.type === 'tasks');
    const [task] = tasks.set;
    assert.ok(task);
    agent.socket.pause();
    await server.ask('/agents/deaf/revoke', {});
    agent.say(entriesOf('1', [1, resultOf(task.id, { monitorId: task.monitorId })]));
    await new Promise((resolve) => setTimeout(resolve, 1000));
    assert.equal(await server.metric('watchkeeper_results_total'), 0);
    agent.socket.resume();
    assert.equal(await agent.refusal(), 'revoked');
    using again = await WrongAgent.connect(server.url);
    again.say(await again.hello({ identity }));
    assert.equal(await again.refusal(), 'revoked');
  });

  test('survives a restart of the server', async () => {
    await using server = await AttackedServer.open({ flags: ['--no-local-agent'] });
    const identity = newIdentity('gone');
    using agent = await WrongAgent.welcomed(server.url, { identity, token: await server.invite() });
    await server.ask('/agents/gone/revoke', {});
    assert.equal(await agent.refusal(), 'revoked');
    await server.program.kill();
    server.program.start();
    await server.untilAnswering();
    using again = await WrongAgent.connect(server.url);
    again.say(await again.hello({ identity }));
    assert.equal(await again.refusal(), 'revoked');
  });
});

describe('an encrypted line', () => {
  let server: AttackedServer;
  let url: string;
  before(async () => {
    server = await AttackedServer.prepare({ flags: ['--no-local-agent'] });
    const { certificate, key } = createCertificate('server.example', Date.now());
    await writeFile(join(server.folder, 'cert.pem'), certificate);
    await writeFile(join(server.folder, 'key.pem'), key);
    const tls = { certificate: join(server.folder, 'cert.pem'), key: join(server.folder, 'key.pem') };
    const monitors = JSON.parse(monitorsText(['steady'], server.port)) as object;
    await server.configure(JSON.stringify({ ...monitors, tls }));
    server.program.start();
    await server.untilAnswering();
    url = server.url.replace('http', 'https');
  });
  after(() => server[Symbol.asyncDispose]());

  test('is what a given certificate makes, and the pin in the token is all that an agent needs to trust it', async (t) => {
    assert.match(server.said, new RegExp(`serves ${url}`));
    const agent = agentProgram(t, 'far', ['--join', url, '--token', await server.invite()]);
    agent.start();
    await untilOnline(server, 'far');
  });

  test('is of no use to somebody in the middle, who relays all of it and has a token too', async (t) => {
    const middle = await relayTo(server.port);
    t.after(() => middle.close());
    // A TLS server that listens has an address.
    const { port } = middle.address() as AddressInfo;
    const agent = agentProgram(t, 'caught', ['--join', `https://127.0.0.1:${port}`, '--token', await server.invite()]);
    agent.start();
    await eventually('the agent is refused', () => /something between it and this server ended TLS/.test(agent.said));
    assert.equal(await server.agent('caught'), undefined);
  });

  test('to another server than the one of the token ends before anything is told', async (t) => {
    const token = await server.invite();
    const [, , secret] = token.split('.');
    const otherPin = 'A'.repeat(43);
    const agent = agentProgram(t, 'lost', ['--join', url, '--token', `wk1.${otherPin}.${secret}`]);
    agent.start();
    await eventually('the agent says so', () =>
      /this is another server than the one this agent joined/.test(agent.said),
    );
    assert.equal(await server.agent('lost'), undefined);
  });

  test('is what the server makes for itself beyond loopback', async (t) => {
    if (labMissing) return t.skip(labMissing);
    await using lab = await openStarLab(2);
    const [here, there] = lab.leaves;
    assert.ok(here && there);
    const data = join(folder, 'beyond');
    const words = ['serve', '--data', data, '--listen', '0.0.0.0:7411', '--no-local-agent'];
    await using beyond = new Program(() => words, { host: here });
    beyond.start();
    await eventually('it serves', () => / serves https:/.test(beyond.said));
    await using reader = await AttackedServer.prepare({ data });
    const join_ = ['agent', '--join', `https://${here.address}:7411`, '--token', await reader.invite()];
    await using agent = new Program(() => [...join_, '--name', 'there', '--data', join(folder, 'there')], {
      host: there,
    });
    agent.start();
    await untilOnline(reader, 'there');
    assert.equal((await reader.agent('there'))?.address, there.address);
  });
});

test('SE6: an agent that the server calls has the name that the configuration gives it', async (t) => {
  const agent = agentProgram(t, 'debian', ['--listen', `127.0.0.1:${await closedPort()}`]);
  agent.start();
  const entry = await eventually('it says how to call it', () => /agents: \[(.*)\]/.exec(agent.said)?.[1]);
  await using server = await AttackedServer.prepare({ flags: ['--no-local-agent'] });
  await server.configure(`monitors: []\nagents: [${entry.replace('name: debian', 'name: cellar')}]\n`);
  server.program.start();
  await server.untilAnswering();
  await untilOnline(server, 'cellar');
  assert.equal(await server.agent('debian'), undefined);
});

test('strangers that hold the lines of an agent that is called do not keep its server out', async (t) => {
  const port = await closedPort();
  const agent = agentProgram(t, 'called', ['--listen', `127.0.0.1:${port}`]);
  agent.start();
  const entry = await eventually('it says how to call it', () => /agents: \[(.*)\]/.exec(agent.said)?.[1]);
  const strangers: WrongAgent[] = [];
  t.after(() => strangers.forEach((stranger) => stranger[Symbol.dispose]()));
  for (let at = 0; at < 30; at++) strangers.push(await WrongAgent.connect(`http://127.0.0.1:${port}`));
  await using server = await AttackedServer.prepare({ flags: ['--no-local-agent'] });
  await server.configure(`monitors: []\nagents: [${entry}]\n`);
  server.program.start();
  await server.untilAnswering();
  await untilOnline(server, 'called');
  for (const stranger of strangers) {
    stranger.socket.removeAllListeners('error').on('error', () => {});
    stranger.socket.send('nonsense');
  }
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert.equal((await server.agent('called'))?.status, 'online');
  assert.equal(countOf(/Connected to/, agent.said), 1);
});

/** Ends TLS on both sides and passes on every byte between. */
async function relayTo(port: number): Promise<Server> {
  const { certificate: cert, key } = createCertificate('middle', Date.now());
  const server = createServer({ cert, key }, (near) => {
    const far = connect({ host: '127.0.0.1', port, rejectUnauthorized: false });
    near.on('error', () => far.destroy()).pipe(far);
    far.on('error', () => near.destroy()).pipe(near);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}
