import { tcpServer } from '../../src/testing/tcp-server.ts';
import { hostileCases, writeForever } from './cases.ts';

const greeting = { dialogue: [{ expect: '^220 ' }] };
/** Each is slow in engines that backtrack. */
const explosive = ['^(a+)+$x', '(a|aa)+$b', '(.*a){20}c$', '(x+x+)+y'];

hostileCases('tcp', {
  'resets as soon as it has accepted': {
    serve: () => tcpServer((socket) => socket.resetAndDestroy()),
    options: greeting,
    expect: 'reset',
  },
  'resets in the middle of an answer': {
    serve: () =>
      tcpServer((socket) => void socket.write('22', () => socket.once('data', () => socket.resetAndDestroy()))),
    options: { dialogue: [{ send: 'x' }, { expect: '^220 ' }] },
    expect: 'assertion',
    message: /got "22"\. .*reset/,
  },
  'accepts and says nothing': {
    serve: () => tcpServer((socket) => socket.resume()),
    options: greeting,
    timeoutMs: 300,
    expect: 'timeout',
    message: /^Waiting for \/\^220 \//,
  },
  'never stops its banner': {
    serve: () => tcpServer((socket) => writeForever(socket, Buffer.alloc(65_536, 'x'))),
    options: greeting,
    expect: 'too-large',
  },
  'never stops talking after the banner': {
    serve: () => tcpServer((socket) => writeForever(socket, '220 hello\r\n'.repeat(5000))),
    options: { dialogue: [{ expect: '^220 ' }, { send: 'EHLO\r\n', expect: '^250 ' }] },
    expect: 'too-large',
  },
  'drips a byte every few milliseconds': {
    serve: () =>
      tcpServer((socket) => {
        const timer = setInterval(() => socket.write('x'), 2);
        socket.once('close', () => clearInterval(timer));
      }),
    options: greeting,
    timeoutMs: 400,
    expect: 'assertion',
    message: /got "x+"\. /,
  },
  'sends no text at all': {
    serve: () => tcpServer((socket) => socket.end(Buffer.from([0, 1, 2, 255, 254, 27]))),
    options: greeting,
    expect: 'assertion',
    message: /got "000102fffe1b"/,
  },
  'hangs in the TLS handshake': {
    serve: () => tcpServer((socket) => socket.resume()),
    options: { tls: { enabled: true } },
    timeoutMs: 300,
    expect: 'timeout',
    message: /^TLS with/,
  },
  'agrees to STARTTLS and goes on in plain text': {
    serve: () =>
      tcpServer((socket) => {
        socket.write('+OK ready\r\n');
        socket.on('data', () => socket.write('+OK begin\r\n'));
      }),
    options: { starttls: 'pop3' },
    expect: 'tls-handshake',
  },
  'closes instead of TLS': {
    serve: () => tcpServer((socket) => socket.once('data', () => socket.end())),
    options: { tls: { enabled: true } },
    expect: 'closed',
  },
  ...Object.fromEntries(
    explosive.map((expect) => [
      `sends what makes /${expect}/ explode`,
      {
        serve: () => tcpServer((socket) => socket.end(`cxy${'a'.repeat(30_000)}xb`)),
        options: { dialogue: [{ expect: `${expect}z` }] },
        expect: 'assertion',
      },
    ]),
  ),
});
