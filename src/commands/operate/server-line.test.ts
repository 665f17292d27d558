import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { httpServer } from '../../testing/http-server.ts';
import { tcpServer } from '../../testing/tcp-server.ts';
import { pathPart } from './path-part.ts';
import { lineTo } from './server-line.ts';

process.env['WATCHKEEPER_API_TOKEN'] = 'wka_test';

describe('the address of a server', () => {
  for (const server of [
    'ftp://127.0.0.1',
    'https://a.example/watch/',
    'https://a.example/?x',
    'https://me@a.example',
    '',
  ])
    test(`${server || 'nothing'} is refused`, () => {
      assert.throws(() => lineTo({ server }), {
        code: 'usage',
        message: /address like https:\/\/server\.example:7411/,
      });
    });

  test('that speaks no TLS is said to speak none', async () => {
    await using web = await httpServer((_request, response) => response.end());
    await using ssh = await tcpServer((socket) => socket.end('SSH-2.0-OpenSSH_10.0\r\n'));
    for (const port of [web.port, ssh.port])
      await assert.rejects(lineTo({ server: `127.0.0.1:${port}` }).open(), {
        code: 'unavailable',
        message:
          /^https:\/\/127\.0\.0\.1:\d+ speaks no TLS: a server that listens on loopback alone is reached at http:/,
      });
  });
});

test('a name is one part of a path, whatever is in it; one that would lead elsewhere is refused', () => {
  assert.equal(pathPart('a/b ?#%'), 'a%2Fb%20%3F%23%25');
  assert.equal(pathPart('...'), '...');
  for (const name of ['', '.', '..']) assert.throws(() => pathPart(name), { code: 'usage' });
});
