import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Hono } from 'hono';
import { AgentListener } from '../../adapters/agent-listener.ts';
import { listenTcp } from './listen.ts';

test('an IPv6 address that is taken is named in brackets, so that its port can be told from it', async () => {
  const first = await listenTcp(new Hono(), { host: '::1', port: 0 });
  const { port } = first;
  const agent = new AgentListener({ host: '::1', port, tls: undefined, adopt: () => Promise.resolve() });
  try {
    const taken = { code: 'unavailable', message: new RegExp(`^cannot listen on \\[::1\\]:${port}\\b.*EADDRINUSE`) };
    await assert.rejects(listenTcp(new Hono(), { host: '::1', port }), taken);
    await assert.rejects(agent.start(), taken);
  } finally {
    await first.close();
  }
});
