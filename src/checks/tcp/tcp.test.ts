import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testContext } from '../../testing/context.ts';
import { closedPort } from '../../testing/tcp-server.ts';
import { tcp } from './tcp.ts';

test('a closed port is down and says refused', async () => {
  const port = await closedPort();
  const outcome = await tcp.run(tcp.options.parse({ host: '127.0.0.1', port }), testContext());
  assert.equal(outcome.status, 'down');
  assert.equal(outcome.reason, 'refused');
  assert.match(outcome.message, /ECONNREFUSED/);
});
