import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tcpServer } from '../../src/testing/tcp-server.ts';
import { behaviours, type Behaviour } from './http-behaviours.ts';
import { graceMs, maxExtraBytes, measure, type HostileRun } from './measure.ts';

/** Those that end only by the deadline get a short one. */
const timeoutOf = ({ expect }: Behaviour): number => (expect === 'timeout' ? 500 : 5000);
const names = Object.keys(behaviours);

/** Does what the path of the request says: `/7` is the seventh behaviour. */
const hostileServer = () =>
  tcpServer((socket) =>
    socket.once('data', (request) => {
      const index = Number(/^\w+ \/(\d+)/.exec(request.toString('latin1'))?.[1]);
      const behaviour = behaviours[names[index] ?? ''];
      if (behaviour) behaviour.act(socket);
      else socket.end('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello');
    }),
  );

test('an HTTP server that misbehaves is an outcome with its reason, in time and in little memory', async (t) => {
  await using server = await hostileServer();
  const runOf = (path: string, options = {}, timeoutMs = 5000): HostileRun => ({
    type: 'http',
    options: { url: `http://127.0.0.1:${server.port}/${path}`, ...options },
    timeoutMs,
  });
  // Takes seconds, which the runs must not wait for.
  for (const { prepare } of Object.values(behaviours)) prepare?.();
  const warmUp = runOf('', { matches: ['h'], jsonPath: ['$.a != 1'] });
  const runs = names.map((name, index) =>
    runOf(String(index), behaviours[name]!.options, timeoutOf(behaviours[name]!)),
  );
  for (const [index, { result, lateMs, extraBytes }] of (await measure(warmUp, runs)).entries()) {
    const name = names[index]!;
    const { expect, message } = behaviours[name]!;
    await t.test(name, () => {
      assert.equal(result.reason ?? result.status, expect, result.message);
      if (message) assert.match(result.message, message);
      assert.ok(lateMs <= graceMs, `ended ${lateMs} ms late`);
      assert.ok(extraBytes <= maxExtraBytes, `took ${(extraBytes / 1_048_576).toFixed(1)} MiB`);
      t.diagnostic(
        `${name}: ${result.message} (${lateMs.toFixed(0)} ms late, ${(extraBytes / 1_048_576).toFixed(1)} MiB)`,
      );
    });
  }
});
