import assert from 'node:assert/strict';
import { once } from 'node:events';
import { constants, createSecureServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { gzipSync } from 'node:zlib';
import type { Reason } from '../../src/core/outcome.ts';
import { testCertificates } from '../../src/testing/certificates.ts';
import { missing } from '../peers/daemon.ts';
import { graceMs, maxExtraBytes, measure, type HostileRun } from './measure.ts';

interface Behaviour {
  readonly act: (stream: ServerHttp2Stream) => void;
  readonly expect: Reason | 'up';
  readonly message?: RegExp;
  readonly options?: Readonly<Record<string, unknown>>;
}

/** The body is decoded only where an option reads it. */
const reading = { contains: ['hello'] } as const;

const floodBody = (stream: ServerHttp2Stream): void => {
  const block = Buffer.alloc(16_384);
  const more = (): void => {
    while (!stream.destroyed && stream.write(block));
  };
  stream.respond({ ':status': 200 });
  stream.on('drain', more);
  more();
};

const behaviours: Readonly<Record<string, Behaviour>> = {
  answers: { act: (stream) => (stream.respond({ ':status': 200 }), void stream.end('hello')), expect: 'up' },
  'says nothing': { act: () => {}, expect: 'timeout', message: /Waiting for the response/ },
  'stops within its body': {
    act: (stream) => (stream.respond({ ':status': 200 }), void stream.write('x')),
    expect: 'timeout',
    message: /Reading the response/,
  },
  'refuses the stream': {
    act: (stream) => stream.close(constants.NGHTTP2_REFUSED_STREAM),
    expect: 'protocol',
    message: /REFUSED_STREAM/,
  },
  'resets the stream within its body': {
    act: (stream) => (
      stream.respond({ ':status': 200 }),
      void stream.write('x', () => stream.destroy(new Error('broken')))
    ),
    expect: 'protocol',
  },
  'goes away': {
    act: (stream) => stream.session?.destroy(new Error('away'), constants.NGHTTP2_ENHANCE_YOUR_CALM),
    expect: 'protocol',
  },
  'closes the connection within its body': {
    act: (stream) => (
      stream.respond({ ':status': 200 }),
      void stream.write('x', () => stream.session?.socket.destroy())
    ),
    expect: 'closed',
  },
  'sends a body without end': { act: floodBody, expect: 'up' },
  'sends a body without end that is read': { act: floodBody, expect: 'too-large', options: reading },
  'sends interim responses without end': {
    act: (stream) => {
      for (let count = 0; count < 100; count++) stream.additionalHeaders({ ':status': 103, link: '<x>' });
    },
    expect: 'too-large',
    message: /interim/,
  },
  'sends 300 fields, within 64 KiB (CB16)': {
    act: (stream) => (
      stream.respond({
        ':status': 200,
        ...Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`x-${at}`, 'y'])),
      }),
      void stream.end()
    ),
    expect: 'up',
  },
  'bombs with gzip': {
    act: (stream) => (
      stream.respond({ ':status': 200, 'content-encoding': 'gzip' }),
      void stream.end(gzipSync(Buffer.alloc(100 * 1024 * 1024)))
    ),
    expect: 'too-large',
    options: reading,
  },
};

interface RunOptions {
  readonly timeoutMs: number;
  readonly options?: Behaviour['options'];
}

const names = Object.keys(behaviours);
const timeoutOf = ({ expect }: Behaviour): number => (expect === 'timeout' ? 500 : 5000);

test(
  'an HTTP/2 server that misbehaves is an outcome with its reason, in time and in little memory',
  { skip: missing('openssl') },
  async (t) => {
    const { ca, good } = await testCertificates();
    const server = createSecureServer({ cert: good.certificate, key: good.key });
    server
      .on('sessionError', () => {})
      .on('stream', (stream, { ':path': path }) => {
        // A stream that its reader gives up is part of these tests and no error of this server.
        stream.on('error', () => {});
        // The streams of a server are server streams.
        behaviours[names[Number(path?.slice(1))] ?? '']?.act(stream as ServerHttp2Stream);
      });
    const garbage = createTlsServer({ cert: good.certificate, key: good.key, ALPNProtocols: ['h2'] }, (socket) => {
      socket.on('error', () => {}).end('HTTP/1.1 200 OK\r\n\r\nthis is no HTTP/2');
    });
    for (const each of [server, garbage]) await once(each.listen(0, '127.0.0.1'), 'listening');
    t.after(() => {
      server.close();
      garbage.close();
    });
    const runOf = (port: number, path: string, { timeoutMs, options }: RunOptions): HostileRun => ({
      type: 'http',
      options: { url: `https://localhost:${port}/${path}`, httpVersion: '2', tls: { ca: ca.certificate }, ...options },
      timeoutMs,
    });
    // Listening servers have an AddressInfo.
    const { port } = server.address() as AddressInfo;
    const { port: garbagePort } = garbage.address() as AddressInfo;
    const runs = names.map((name, index) => {
      const behaviour = behaviours[name]!;
      return runOf(port, String(index), { timeoutMs: timeoutOf(behaviour), options: behaviour.options });
    });
    const measured = await measure(runs[0]!, [...runs, runOf(garbagePort, '', { timeoutMs: 5000 })]);
    for (const [index, { result, lateMs, extraBytes }] of measured.entries()) {
      const name = names[index] ?? 'speaks HTTP/1.1';
      const { expect, message }: Behaviour = behaviours[name] ?? { act: () => {}, expect: 'protocol' };
      await t.test(name, () => {
        t.diagnostic(
          `${name}: ${result.message} (${lateMs.toFixed(0)} ms late, ${(extraBytes / 1_048_576).toFixed(1)} MiB)`,
        );
        assert.equal(result.reason ?? result.status, expect, result.message);
        if (message) assert.match(result.message, message);
        assert.ok(lateMs <= graceMs, `ended ${lateMs} ms late`);
        assert.ok(extraBytes <= maxExtraBytes, `took ${(extraBytes / 1_048_576).toFixed(1)} MiB`);
      });
    }
  },
);
