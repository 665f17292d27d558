import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { AppError } from '../core/errors.ts';
import { eventually } from '../testing/eventually.ts';
import { enterOwnNetwork } from '../testing/netlab.ts';
import { EchoResponder } from './responder.ts';

const skip = await enterOwnNetwork();
const [first, second, later] = ['10.91.0.1', '10.91.0.5', '10.91.0.6'];

function addAddress(address: string): void {
  execFileSync('ip', ['address', 'add', `${address}/24`, 'dev', 'silent']);
}

/** What an echo server answers a client that hears nobody else; undefined if nothing within the time. */
async function echoOf(server: string, port: number, patienceMs = 20_000): Promise<string | undefined> {
  const client = createSocket('udp4').bind({ address: first });
  try {
    await once(client, 'listening');
    client.connect(port, server);
    await once(client, 'connect');
    client.send('hello');
    const [reply] = (await once(client, 'message', { signal: AbortSignal.timeout(patienceMs) })) as [Buffer];
    return reply.toString();
  } catch {
    return undefined;
  } finally {
    client.close();
  }
}

for (const host of ['::', '0.0.0.0']) {
  test(`CB17: on ${host} each address answers by itself`, { skip }, async () => {
    if (host === '::') addAddress(second);
    await using responder = new EchoResponder({ host, udp: 0 });
    const { udp: port = 0 } = await responder.start();
    for (const address of [first, second]) assert.equal(await echoOf(address, port), 'hello', address);
  });
}

test('CB17: an address that comes later is served too', { skip }, async () => {
  await using responder = new EchoResponder({ host: '::', udp: 0 });
  const { udp: port = 0 } = await responder.start();
  addAddress(later);
  assert.equal(await eventually('an echo', () => echoOf(later, port, 200)), 'hello');
});

test('a port of every address that is taken is an error', { skip }, async () => {
  await using one = new EchoResponder({ host: '::', udp: 0 });
  const { udp = 0 } = await one.start();
  await assert.rejects(new EchoResponder({ host: '::', udp }).start(), AppError);
});
