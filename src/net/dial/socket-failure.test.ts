import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { describe, test } from 'node:test';
import { Failure } from '../../core/failure.ts';
import type { Reason, Source } from '../../core/outcome.ts';
import { SystemError } from '../../sys/libc.ts';
import { socketFailure, type ErrorOrigin } from './socket-failure.ts';

function failureOf(code: string, origin: ErrorOrigin): readonly [Reason, Source] | 'bug' {
  const error = Object.assign(new Error(code), { code });
  const failure = socketFailure(error, 'Connecting', origin);
  if (failure === error) return 'bug';
  assert.ok(failure instanceof Failure);
  const { status, source, reason, message } = failure.toOutcome();
  assert.equal(status, source === 'agent' ? 'unknown' : 'down', code);
  assert.match(message, new RegExp(`^Connecting: .+ \\(${code}\\)\\.$`));
  // An outcome of status "unknown" or "down" has both.
  return [reason!, source!];
}

/** By the manual pages connect(2), send(2), recv(2), socket(2), bind(2), ip(7), udp(7) and the kernel's tables for ICMP. */
const byNetwork: Readonly<Record<string, readonly [Reason, Source]>> = {
  ECONNREFUSED: ['refused', 'target'],
  ENOPROTOOPT: ['refused', 'target'],
  ECONNRESET: ['reset', 'target'],
  ECONNABORTED: ['reset', 'target'],
  ENETRESET: ['reset', 'target'],
  EPIPE: ['reset', 'target'],
  ENOTCONN: ['reset', 'target'],
  ESHUTDOWN: ['reset', 'target'],
  ETIMEDOUT: ['timeout', 'target'],
  EHOSTUNREACH: ['unreachable', 'path'],
  ENETUNREACH: ['unreachable', 'path'],
  EHOSTDOWN: ['unreachable', 'path'],
  ENONET: ['unreachable', 'path'],
  EACCES: ['unreachable', 'path'],
  EOPNOTSUPP: ['unreachable', 'path'],
  EPROTO: ['unreachable', 'path'],
};

const byMachine: Readonly<Record<string, readonly [Reason, Source]>> = {
  ENETUNREACH: ['unreachable', 'agent'],
  EHOSTUNREACH: ['unreachable', 'agent'],
  EHOSTDOWN: ['unreachable', 'agent'],
  ENETDOWN: ['unreachable', 'agent'],
  EINVAL: ['unreachable', 'agent'],
  ENODEV: ['unreachable', 'agent'],
  ENXIO: ['unreachable', 'agent'],
  EADDRNOTAVAIL: ['unreachable', 'agent'],
  EDESTADDRREQ: ['unreachable', 'agent'],
  ENOKEY: ['unreachable', 'agent'],
  EKEYEXPIRED: ['unreachable', 'agent'],
  EKEYREVOKED: ['unreachable', 'agent'],
  EKEYREJECTED: ['unreachable', 'agent'],
  EACCES: ['denied', 'agent'],
  EPERM: ['denied', 'agent'],
  EADDRINUSE: ['exhausted', 'agent'],
  EAGAIN: ['exhausted', 'agent'],
  EMFILE: ['exhausted', 'agent'],
  ENFILE: ['exhausted', 'agent'],
  ENOBUFS: ['exhausted', 'agent'],
  ENOMEM: ['exhausted', 'agent'],
  EMSGSIZE: ['unsupported', 'agent'],
  EAFNOSUPPORT: ['unsupported', 'agent'],
};

/** Only a mistake in our own code can cause these. */
const bugs = new Set(['EBADF', 'EFAULT', 'ENOTSOCK', 'EALREADY', 'EISCONN', 'EINPROGRESS', 'EINTR']);

const everyErrno = new Set([...Object.keys(constants.errno), ...Object.keys(byNetwork), ...Object.keys(byMachine)]);

describe('CA2: every errno has its reason and its blame, and none from outside is a bug', () => {
  for (const code of everyErrno) {
    test(code, () => {
      const elsewhere = bugs.has(code) ? 'bug' : (['unsupported', 'agent'] as const);
      assert.deepEqual(failureOf(code, 'network'), byNetwork[code] ?? byMachine[code] ?? elsewhere);
      assert.deepEqual(failureOf(code, 'machine'), byMachine[code] ?? byNetwork[code] ?? elsewhere);
    });
  }

  test('an errno that Node has no name for is known by its number', () => {
    const error = Object.assign(new Error('x'), { code: 'Unknown system error -126', errno: -126 });
    assert.match(socketFailure(error, 'Sending', 'machine').message, /no key or peer for this address \(ENOKEY\)/);
    assert.match(socketFailure(new SystemError('errno 126', 'sendto'), 'Sending', 'machine').message, /\(ENOKEY\)/);
    assert.match(socketFailure(new SystemError('errno 521', 'sendto'), 'Sending', 'machine').message, /\(error 521\)/);
  });

  test('an error that is no system call stays what it is', () => {
    for (const error of [new TypeError('a bug'), Object.assign(new Error(), { code: 'ERR_SOCKET_BAD_PORT' })])
      assert.equal(socketFailure(error, 'Connecting'), error);
  });
});
