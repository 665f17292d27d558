import assert from 'node:assert/strict';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { echo } from '../checks/echo/echo.ts';
import { testContext } from '../testing/context.ts';
import { runEcho } from './echo.ts';

test('D2: the echo server says where it listens, answers both protocols, and ends with its counters', async () => {
  const stop = new AbortController();
  const output = new PassThrough();
  let printed = '';
  output.on('data', (text: Buffer) => (printed += text.toString()));
  const run = runEcho({ host: '127.0.0.1', tcp: 0, udp: 0 }, { output, signal: stop.signal });
  try {
    while (!printed.includes('UDP')) await once(output, 'data');
    for (const protocol of ['tcp', 'udp']) {
      const [, port] = new RegExp(`Echo over ${protocol} on 127\\.0\\.0\\.1:(\\d+)\n`, 'i').exec(printed) ?? [];
      const options = echo.options.parse({ host: '127.0.0.1', port: Number(port), protocol });
      const outcome = await echo.run(options, testContext());
      assert.equal(outcome.message, 'Hello!');
    }
  } finally {
    // A server that goes on would keep this process alive.
    stop.abort();
  }
  await run;
  output.end();
  await once(output, 'end');
  assert.match(printed, /\nTCP 1 connections \(0 refused\), 6 bytes; UDP 1 datagrams \(0 not answered\), 6 bytes\n$/);
});
