import { createSocket } from 'node:dgram';
import { udpServer } from '../../src/testing/udp-server.ts';
import { hostileCases } from './cases.ts';

hostileCases('udp', {
  'answers from another port': {
    serve: () =>
      udpServer((datagram, _reply, from) => {
        const other = createSocket('udp4');
        other.send(datagram, from.port, from.address, () => other.close());
      }),
    options: { payload: 'ping', expect: 'ping' },
    timeoutMs: 300,
    expect: 'timeout',
  },
  'answers with the largest datagram there is': {
    serve: () => udpServer((_, reply) => reply(Buffer.alloc(65_507, 'x'))),
    expect: 'up',
  },
  'answers with control characters': {
    serve: () => udpServer((_, reply) => reply(Buffer.from('\u001B[2Jgone\u0007'))),
    expect: 'up',
    message: /answered: "1b5b324a/,
  },
  'answers with nothing': { serve: () => udpServer((_, reply) => reply(Buffer.alloc(0))), expect: 'up' },
  'answers a thousand times': {
    serve: () =>
      udpServer((_, reply) => {
        for (let count = 0; count < 1000; count++) reply(Buffer.from('again'));
      }),
    options: { expect: '^other$' },
    expect: 'assertion',
  },
  'answers with what makes an expression explode': {
    serve: () => udpServer((_, reply) => reply(Buffer.from(`y${'a'.repeat(60_000)}`))),
    options: { expect: '^y(a+)+$z|(a|aa)+y' },
    expect: 'assertion',
  },
});
