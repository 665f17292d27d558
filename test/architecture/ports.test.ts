import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, test } from 'node:test';

const source = resolve(import.meta.dirname, '../../src');

/** The outside world that the simulator replaces: what is imported, and what is called. */
const machine = {
  files: ["'node:fs'", "'node:fs/promises'"],
  sockets: ["'node:net'", "'node:tls'", "'node:dgram'", "'node:http'", "'node:https'", "'node:dns'", "'ws'"],
  processes: ["'node:child_process'", "'node:worker_threads'", 'new Worker('],
  time: [
    'Date.now(',
    'new Date()',
    'performance.now(',
    'process.hrtime',
    'setTimeout(',
    'setInterval(',
    'setImmediate(',
    'AbortSignal.timeout(',
    "'node:timers'",
    "'node:timers/promises'",
    "'node:perf_hooks'",
  ],
  random: [
    'Math.random(',
    'randomUUIDv7(',
    'randomUUID(',
    'randomBytes(',
    'randomInt(',
    'crypto.getRandomValues(',
    'crypto.randomUUID(',
  ],
} as const;
type Kind = keyof typeof machine;

/**
 * Files that touch the machine themselves, and why they may. Everything else in `agent` and `server` has a clock, a disk, a line,
 * a thread and random numbers only through its ports, so that the simulator can run it.
 */
const allowed: Readonly<Record<string, { readonly kinds: readonly Kind[]; readonly why: string }>> = {
  'agent/agent-file.ts': {
    kinds: ['random'],
    why: 'the id of a new agent, made once; the simulator writes the file before',
  },
  'agent/spool/disk.ts': { kinds: ['files'], why: 'the real disk behind the port that stands beside it' },
  'agent/spool/reserve.ts': { kinds: ['random'], why: 'bytes that no file system compresses; nobody reads them' },
  'agent/evidence/evidence-disk.ts': { kinds: ['files'], why: 'the real disk of evidence behind its port' },
  'agent/evidence/evidence-files.ts': { kinds: ['time'], why: 'lets other work run between many lines' },
  'agent/evidence/recovery.ts': { kinds: ['random'], why: 'the id of a new chain; sensors are not simulated' },
  'agent/health-checks.ts': {
    kinds: ['files', 'time'],
    why: 'reads /proc; the simulator gives the self-test checks of its own',
  },
  'agent/privileges.ts': { kinds: ['files'], why: 'reads /proc once at the start' },
  'agent/report-file.ts': { kinds: ['files'], why: 'read by `agent status`, a process of its own' },
  'agent/status-file.ts': { kinds: ['files'], why: 'read by `agent status`, a process of its own' },
  'server/accounts/password.ts': { kinds: ['random'], why: 'the salt of a password' },
  'server/backup/encryption.ts': { kinds: ['random'], why: 'the salt of a backup' },
  'server/heartbeats/heartbeats.ts': {
    kinds: ['random'],
    why: 'hides how long a key takes to be found; nothing depends on it',
  },
  'server/backup/make-backup.ts': { kinds: ['files'], why: 'reads the files that a backup holds' },
  'server/backup/restore-backup.ts': { kinds: ['files'], why: 'run by `restore`, a process of its own' },
  'server/evidence/client-logs.ts': { kinds: ['files'], why: 'records as files for people' },
  'server/fleet/task-runs.ts': { kinds: ['random'], why: 'ids of requests, which are only compared' },
  'server/host/data-folder.ts': { kinds: ['files', 'random'], why: 'the data folder, and secrets that are made once' },
  'server/host/listen.ts': { kinds: ['files', 'sockets'], why: 'listens' },
  'server/host/local-agent.ts': { kinds: ['processes'], why: 'starts the local agent' },
  'server/monitors/monitor-book.ts': { kinds: ['random'], why: 'ids of monitors made through the interface' },
  'server/routes/event-stream.ts': { kinds: ['time'], why: 'keeps an HTTP connection alive' },
  'server/routes/status.ts': { kinds: ['time'], why: 'measures the delay of the event loop for /metrics' },
  'server/store/sqlite/database.ts': { kinds: ['files', 'time'], why: 'looks at the file before SQLite opens it' },
  'server/store/sqlite/history.ts': {
    kinds: ['time'],
    why: 'lets other questions be answered while years are verified',
  },
  'server/store/sqlite/write-service.ts': { kinds: ['files'], why: 'puts a finished backup in its place' },
};

const files = globSync('{agent,server}/**/*.ts', { cwd: source }).filter(
  (file) => !/\.(?:test|contract)\.ts$/.test(file),
);

/** The kinds of things of the machine that a file uses itself. Types, and telling addresses from names, touch nothing. */
function kindsIn(file: string): readonly Kind[] {
  const text = readFileSync(resolve(source, file), 'utf8')
    .replaceAll(/^import type .*$/gm, '')
    .replaceAll(/^import \{(?: isIP(?:v[46])?,?)+ \} from 'node:net';$/gm, '')
    .replaceAll(/^\s*(?:\/\/|\/?\*).*$/gm, '');
  // The table has these keys.
  return (Object.keys(machine) as Kind[]).filter((kind) => machine[kind].some((sign) => uses(text, sign)));
}

function uses(text: string, sign: string): boolean {
  if (sign.startsWith("'")) return text.includes(`from ${sign}`) || text.includes(`import(${sign})`);
  const at = text.indexOf(sign);
  return at >= 0 && !/[\w.#]/.test(text[at - 1] ?? '');
}

describe('agent and server have the machine only through ports', () => {
  test('this test sees them', () => assert.ok(files.length > 80, `only ${files.length} files found`));

  for (const file of files) {
    test(`${file} keeps to its ports`, () => {
      const { kinds = [] } = allowed[file] ?? {};
      const next =
        'use a port (core/clock, core/thread, core/small-files, protocol/line), or give a reason in this test';
      assert.deepEqual(kindsIn(file).toSorted(), [...kinds].toSorted(), next);
    });
  }

  test('every exception is for a file that exists', () => {
    assert.deepEqual(
      Object.keys(allowed).filter((file) => !files.includes(file)),
      [],
    );
  });
});
