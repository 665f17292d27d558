import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { decodeFrame } from '../../src/protocol/frames.ts';
import { agentMessage, serverMessage, type AgentMessage } from '../../src/protocol/messages.ts';
import { eventually } from '../../src/testing/eventually.ts';
import { Program } from '../../src/testing/program.ts';
import { AttackedServer, monitorsText } from '../hostile/attacked-server.ts';
import { framesIn, isDurableBefore, TracedWatchkeeper, type PassedFrame } from './crash-order-trace.ts';
import { removeFolder } from '../../src/testing/remove-folder.ts';

const straceMissing = spawnSync('strace', ['-V']).status === 0 ? false : 'strace is not installed';
const monitors = Array.from({ length: 5 }, (_, index) => `m${index}`);
const enoughResults = 25;

type Entries = Extract<AgentMessage, { type: 'entries' }>;

interface Sent extends PassedFrame {
  readonly message: Entries;
}

function entriesIn(frames: readonly PassedFrame[]): readonly Sent[] {
  return frames.flatMap((frame) => {
    const message = decodeFrame(agentMessage, frame.text);
    return message.type === 'entries' ? [{ ...frame, message }] : [];
  });
}

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'watchkeeper-crash-order-'));
  t.after(() => removeFolder(folder));
  return folder;
}

function untilEnough(server: AttackedServer): Promise<unknown> {
  return eventually('results flow', async () => (await server.metric('watchkeeper_results_total')) > enoughResults);
}

test('no result leaves an agent before it is on the disk of the agent, synced', async (t) => {
  if (straceMissing) return t.skip(straceMissing);
  const folder = await temporaryFolder(t);
  await using server = await AttackedServer.prepare({ flags: ['--no-local-agent'] });
  await server.configure(monitorsText(monitors, server.port));
  server.program.start();
  await server.untilAnswering();
  const words = ['agent', '--join', server.url, '--token', await server.invite(), '--data', join(folder, 'agent')];
  await using agent = new TracedWatchkeeper(words, join(folder, 'trace'));
  await untilEnough(server);
  const calls = await agent.calls();

  let results = 0;
  for (const { begun, text } of entriesIn(framesIn(calls, 'sent'))) {
    const { entries } = JSON.parse(text) as {
      readonly entries: readonly { readonly seq: number; readonly item: object }[];
    };
    for (const { seq, item } of entries) {
      const file = /\/agent\/spool\//;
      const isDurable = isDurableBefore(calls, { file, bytes: Buffer.from(JSON.stringify(item)), before: begun });
      assert.ok(isDurable, `entry ${seq} was synced before it was sent`);
      results++;
    }
  }
  assert.ok(results > enoughResults, `${results} results were followed`);
});

test('no acknowledgement leaves the server before what it covers is on the disk of the server, synced', async (t) => {
  if (straceMissing) return t.skip(straceMissing);
  const folder = await temporaryFolder(t);
  await using server = await AttackedServer.prepare({ flags: ['--no-local-agent'] });
  await server.configure(monitorsText(monitors, server.port));
  await using traced = new TracedWatchkeeper(server.program.words(), join(folder, 'trace'));
  await server.untilAnswering();
  const words = ['agent', '--join', server.url, '--token', await server.invite(), '--data', join(folder, 'agent')];
  await using agent = new Program(() => words);
  agent.start();
  await untilEnough(server);
  const calls = await traced.calls();

  const slots = new Map<number, number>();
  for (const { message } of entriesIn(framesIn(calls, 'received')))
    for (const { seq, item } of message.entries) if (item.kind === 'result') slots.set(seq, item.scheduledAt);
  let acknowledged = 0;
  for (const { text, begun } of framesIn(calls, 'sent')) {
    const message = decodeFrame(serverMessage, text);
    if (message.type !== 'ack') continue;
    for (const [from, to] of message.ranges) {
      for (let seq = from; seq <= to; seq++) {
        const slot = slots.get(seq);
        assert.ok(slot !== undefined, `entry ${seq} was received before it was acknowledged`);
        const row = { file: /watchkeeper\.db-wal$/, bytes: sixBytes(Math.round(slot)), before: begun };
        assert.ok(isDurableBefore(calls, row), `entry ${seq} was synced before it was acknowledged`);
        acknowledged++;
      }
    }
  }
  assert.ok(acknowledged > enoughResults, `${acknowledged} acknowledgements were followed`);
});

/** As SQLite writes a time of our days into a row (https://www.sqlite.org/fileformat2.html#record_format, serial type 5). */
function sixBytes(epochMs: number): Buffer {
  const bytes = Buffer.alloc(6);
  bytes.writeUIntBE(epochMs, 0, 6);
  return bytes;
}
