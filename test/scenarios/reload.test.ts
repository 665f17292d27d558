import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { open, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect } from 'node:tls';
import { createCertificate, type SelfMadeCertificate } from '../../src/protocol/certificate.ts';
import { eventually } from '../../src/testing/eventually.ts';
import { Program } from '../../src/testing/program.ts';
import { closedPort } from '../../src/testing/tcp-server.ts';
import { AttackedServer } from '../hostile/attacked-server.ts';

async function reload(server: AttackedServer, text: string): Promise<string> {
  const seen = server.said.length;
  await server.configure(text);
  server.program.signal('SIGHUP');
  await eventually('it says what became of it', () => /Loaded |Not loaded: /.test(server.said.slice(seen)));
  return server.said.slice(seen);
}

test('SIGHUP: agents that were added are called, and those that were taken away no more', async (t) => {
  await using server = await AttackedServer.prepare({ flags: ['--no-local-agent'] });
  const address = `127.0.0.1:${await closedPort()}`;
  const words = ['agent', '--listen', address, '--name', 'called', '--data', join(server.folder, 'agent')];
  const agent = new Program(() => words);
  t.after(() => agent.kill());
  agent.start();
  const entry = await eventually('it says how to call it', () => /agents: \[(.*)\]/.exec(agent.said)?.[1]);
  await server.configure('monitors: []');
  server.program.start();
  await server.untilAnswering();
  const statusIs = (status: string) => async () => (await server.agent('called'))?.status === status;

  await reload(server, `agents: [${entry}]`);
  await eventually('it is called', statusIs('online'));
  await reload(server, `agents: [${entry}]\nmonitors: []`);
  assert.equal(agent.said.match(/Connected to/g)?.length, 1, 'the line of one that stays is left alone');
  await reload(server, 'monitors: []');
  await eventually('its line ends', statusIs('reconnecting'));
  await reload(server, `agents: [${entry}]`);
  await eventually('it is called again', statusIs('online'));
});

test('SIGHUP: a renewed certificate is shown to whoever comes next; one that is none leaves all as it was', async () => {
  await using server = await AttackedServer.prepare({ flags: ['--no-local-agent'] });
  const [certificate, key] = [join(server.folder, 'cert.pem'), join(server.folder, 'key.pem')];
  const write = async (made: SelfMadeCertificate): Promise<void> => {
    await writeFile(certificate, made.certificate);
    await writeFile(key, made.key);
  };
  const withTls = JSON.stringify({ tls: { certificate, key } });
  await write(createCertificate('first', Date.now()));
  await server.configure(withTls);
  server.program.start();
  await server.untilAnswering();
  assert.equal(await shownBy(server.port), 'first');

  await write(createCertificate('second', Date.now()));
  assert.match(await reload(server, withTls), /Loaded /);
  assert.equal(await shownBy(server.port), 'second');

  await writeFile(certificate, 'no certificate');
  assert.match(
    await reload(server, withTls),
    /server\.yaml:1:\d+: tls\.certificate: expected a certificate in PEM[^]*Not loaded: /,
  );
  assert.equal(await shownBy(server.port), 'second');

  assert.match(
    await reload(server, 'retention: { results: 30d }'),
    /whether to speak TLS changes when the server is started again[^]*retention changes when/,
  );
  assert.equal(await shownBy(server.port), 'second');
});

test('SF9: a SIGHUP while the server starts is remembered', async () => {
  await using server = await AttackedServer.prepare({ flags: ['--no-local-agent'] });
  await rm(server.configFile);
  execFileSync('mkfifo', [server.configFile]);
  server.program.start();
  // Opening the pipe waits for the reader: from then on the server reads its configuration, and has not started.
  const writer = await open(server.configFile, 'w');
  server.program.signal('SIGHUP');
  await writer.writeFile('monitors: []');
  await writer.close();
  await server.untilAnswering();
  await eventually('it answers the signal', () => server.said.includes('is a pipe, which can be read only once'));
  assert.match(server.said, /The previous configuration stays in force/);
});

/** The name on the certificate. */
async function shownBy(port: number): Promise<unknown> {
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const { subject } = socket.getPeerCertificate();
  socket.destroy();
  return subject.CN;
}
