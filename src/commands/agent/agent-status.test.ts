import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { chmod, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { takeFolder } from '../data-folders.ts';
import { folderFiles } from '../../adapters/folder-files.ts';
import { AgentFolder } from '../../agent/agent-file.ts';
import { writeNotice, type AgentNotice } from '../../agent/notice-file.ts';
import { privileges } from '../../agent/privileges.ts';
import { writeStatus } from '../../agent/status-file.ts';
import { showAgentStatus } from './agent-status.ts';
import { removeFolder } from '../../testing/remove-folder.ts';

const nobody = 65_534;

const notice: AgentNotice = {
  name: 'seat-17',
  pid: process.pid,
  writtenAt: Date.now(),
  server: 'server.example:7411',
  isConnected: true,
  by: 'Physics department\u001b[2J',
  purpose: 'Exam of 2 December',
  until: Date.UTC(2026, 11, 2, 18),
  collected: [
    { title: 'USB devices', summary: 'What is plugged in.', state: 'running', message: 'netlink', records: 3 },
    {
      title: 'Traffic',
      summary: 'Who talks to whom.',
      state: 'limited',
      message: 'ring',
      records: 7,
      lastRecordAt: Date.UTC(2026, 11, 2, 9),
    },
  ],
  waiting: 2,
  privileges: [
    { name: 'CAP_NET_RAW', isHeld: true, cost: '' },
    { name: 'CAP_BPF', isHeld: false, cost: 'counting costs more' },
  ],
};

async function folderFor(t: TestContext): Promise<string> {
  const above = await mkdtemp(join(tmpdir(), 'watchkeeper-status-'));
  await chmod(above, 0o711);
  t.after(() => removeFolder(above));
  using taken = takeFolder(join(above, 'agent'), { mode: 0o711, user: 'agent' });
  return taken.path;
}

function writeOwnStatus(folder: string): void {
  writeStatus(folderFiles(folder), {
    agentId: 'id',
    name: 'seat-17',
    version: '1',
    pid: process.pid,
    startedAt: 0,
    writtenAt: Date.now(),
    link: { state: 'connected', server: 'server.example:7411' },
    lastAcknowledgedAt: undefined,
    queue: { depth: 2, bytes: 100, lastSeq: 5 },
    health: { lagMs: 0, impaired: [] },
  });
}

function shown(folder: string, options: { json?: true } = {}): { readonly text: string; readonly code: number } {
  let text = '';
  // Only `write` is used.
  const output = { write: (chunk: string) => (text += chunk) } as unknown as NodeJS.WritableStream;
  return { code: showAgentStatus({ data: folder, ...options }, output), text };
}

/** As another user of the machine sees it. */
function asNobody<Value>(work: () => Value): Value {
  process.seteuid?.(nobody);
  try {
    return work();
  } finally {
    process.seteuid?.(0);
  }
}

describe('agent status', () => {
  test('E5: tells the watched person what is collected, by whom, for what, until when, and how far it went', async (t) => {
    if (process.geteuid?.() !== 0) return t.skip('becoming another user needs root');
    const folder = await folderFor(t);
    writeNotice(folderFiles(folder), notice);
    writeOwnStatus(folder);
    const { text, code } = asNobody(() => shown(folder));
    assert.equal(code, 0);
    assert.equal(
      text,
      `Agent      seat-17
State      runs, process ${process.pid}
Server     connected to server.example:7411
Waiting    2 entries; last taken by the server: nothing yet
Collected  by Physics department\\x1b[2J, for: Exam of 2 December
Until      2026-12-02T18:00:00.000Z
  USB devices: What is plugged in.
    running: netlink; 3 records, none since the agent started
  Traffic: Who talks to whom.
    limited: ring; 7 records, the last at 2026-12-02T09:00:00.000Z
Privilege  CAP_NET_RAW is held
Privilege  CAP_BPF is missing: counting costs more
`,
    );
    const [usb, traffic] = notice.collected;
    assert.deepEqual(
      asNobody(() => JSON.parse(shown(folder, { json: true }).text) as unknown),
      {
        running: true,
        notice: {
          ...notice,
          writtenAt: new Date(notice.writtenAt).toISOString(),
          until: '2026-12-02T18:00:00.000Z',
          collected: [usb, { ...traffic, lastRecordAt: '2026-12-02T09:00:00.000Z' }],
        },
      },
    );
  });

  test('the folder lets others pass to the notice and lets them read nothing else', async (t) => {
    const folder = await folderFor(t);
    const previous = process.umask(0o077);
    t.after(() => process.umask(previous));
    writeNotice(folderFiles(folder), notice);
    writeOwnStatus(folder);
    new AgentFolder(folderFiles(folder)).identity('seat-17');
    const modeOf = (name: string): number => statSync(join(folder, name)).mode & 0o777;
    assert.deepEqual(['.', 'notice.json', 'status.json', 'agent.json'].map(modeOf), [0o711, 0o644, 0o600, 0o600]);
  });

  test('tells whoever runs the agent the rest too', async (t) => {
    const folder = await folderFor(t);
    writeNotice(folderFiles(folder), { ...notice, collected: [] });
    writeOwnStatus(folder);
    const { text } = shown(folder);
    assert.match(text, /^Agent      seat-17 \(id\), version 1\n/);
    assert.match(text, /\nTasks      0\nCollected  nothing of this machine\nPrivilege  CAP_NET_RAW is held\n/);
  });

  test('an agent that wrote nothing for a while does not run', async (t) => {
    const folder = await folderFor(t);
    writeNotice(folderFiles(folder), { ...notice, writtenAt: Date.now() - 60_000 });
    const { text, code } = shown(folder);
    assert.equal(code, 2);
    assert.match(text, /\nState      does not run; this is from 2/);
  });

  test('where no agent ran, says where it looked', async (t) => {
    const folder = await folderFor(t);
    const { text, code } = shown(folder);
    assert.equal(code, 3);
    assert.equal(
      text,
      `No agent has run in ${folder}, or its folder is closed to this user; --data FOLDER names another.\n`,
    );
  });

  test('a process without capabilities is told what each would give', (t) => {
    if (process.geteuid?.() !== 0) return t.skip('giving capabilities up needs root');
    assert.deepEqual(
      asNobody(() => privileges().map(({ name, isHeld }) => [name, isHeld])),
      [
        ['CAP_NET_RAW', false],
        ['CAP_BPF', false],
      ],
    );
    assert.ok(privileges().every(({ cost }) => cost.length > 0));
  });
});
