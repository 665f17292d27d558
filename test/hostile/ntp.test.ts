import { createSocket } from 'node:dgram';
import { encodeNtp, modes } from '../../src/net/packets/ntp.ts';
import { ntpServer } from '../../src/testing/ntp-server.ts';
import { udpServer } from '../../src/testing/udp-server.ts';
import { hostileCases } from './cases.ts';

const soon = { wait: '200ms' };

hostileCases('ntp', {
  'answers another question': {
    serve: () => ntpServer({ packet: { origin: 7n } }),
    options: soon,
    expect: 'protocol',
    message: /got a reply to another request/,
  },
  'answers another question until the deadline': {
    serve: () => ntpServer({ packet: { origin: 7n } }),
    timeoutMs: 300,
    expect: 'protocol',
    message: /got a reply to another request/,
  },
  'sends a kiss of death': {
    serve: () => ntpServer({ packet: { stratum: 0, referenceId: Buffer.from('DENY') } }),
    expect: 'protocol',
    message: /DENY \(access denied\)/,
  },
  'sends a kiss code that would drive a terminal': {
    serve: () => ntpServer({ packet: { stratum: 0, referenceId: Buffer.from('\u001B[2J') } }),
    expect: 'protocol',
    message: /^[\x20-\x7e]*$/,
  },
  'is at stratum 0': { serve: () => ntpServer({ packet: { stratum: 0 } }), expect: 'protocol' },
  'is at stratum 16': { serve: () => ntpServer({ packet: { stratum: 16 } }), expect: 'protocol' },
  'is at stratum 255': { serve: () => ntpServer({ packet: { stratum: 255 } }), expect: 'protocol' },
  'is cut short': {
    serve: () => ntpServer({ send: (packet, reply) => reply(encodeNtp(packet).subarray(0, 47)) }),
    options: soon,
    expect: 'protocol',
    message: /got a reply of 47 bytes/,
  },
  'sends back the request itself': {
    serve: () => udpServer((datagram, reply) => reply(datagram)),
    options: soon,
    expect: 'protocol',
  },
  'answers in client mode': { serve: () => ntpServer({ packet: { mode: modes.client } }), expect: 'protocol' },
  'answers in broadcast mode': { serve: () => ntpServer({ packet: { mode: 5 } }), expect: 'protocol' },
  'answers in version 7': { serve: () => ntpServer({ packet: { version: 7 } }), expect: 'protocol' },
  'answers from another port': {
    serve: () =>
      udpServer((datagram, _reply, from) => {
        const other = createSocket('udp4');
        other.send(datagram, from.port, from.address, () => other.close());
      }),
    options: soon,
    expect: 'timeout',
  },
  'claims to have thought for longer than the round trip took': {
    serve: () => ntpServer({ packet: { receive: 1n << 32n, transmit: 2n << 60n }, offsetMs: 0 }),
    expect: 'protocol',
    message: /contradict each other/,
  },
  'has every bit set': {
    serve: () =>
      ntpServer({
        send: ({ origin }, reply) => {
          const bytes = Buffer.alloc(48, 0xff);
          bytes.writeBigUInt64BE(origin, 24);
          reply(bytes);
        },
      }),
    expect: 'protocol',
  },
  'floods with wrong replies': {
    serve: () =>
      ntpServer({
        send: (packet, reply) => {
          for (let count = 0; count < 2000; count++) reply(encodeNtp({ ...packet, origin: BigInt(count) }));
        },
      }),
    options: soon,
    expect: 'protocol',
  },
});
