import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ServerMessage } from '../../protocol/messages.ts';
import { FakeClock } from '../../testing/fake-clock.ts';
import { TaskRuns } from './task-runs.ts';

type RunNow = Extract<ServerMessage, { type: 'run-now' }>;

function agents(): { readonly clock: FakeClock; readonly asked: RunNow[]; readonly runs: TaskRuns } {
  const clock = new FakeClock();
  const asked: RunNow[] = [];
  // The server says nothing else here.
  const session = { send: (message: ServerMessage) => void asked.push(message as RunNow) };
  return { clock, asked, runs: new TaskRuns({ clock, session: (id) => (id === 'away' ? undefined : session) }) };
}

const times = { startedAt: 7, durationMs: 1, metrics: {}, detail: {}, message: 'fine' } as const;
const result = { kind: 'result', taskId: 't', monitorId: 'm', status: 'up', ...times } as const;

test('SI7: a run that is waited for resolves with its own result, not with that of the schedule', async () => {
  const { asked, runs } = agents();
  const run = runs.run({ agentId: 'a', taskId: 't', waitMs: 1000 });
  runs.noteResult({ ...result, scheduledAt: 1, status: 'down' });
  runs.answer(asked[0]?.requestId ?? '', { scheduledAt: 5.25 });
  runs.noteResult({ ...result, scheduledAt: 2, status: 'down' });
  runs.noteResult({ ...result, taskId: 'other', scheduledAt: 5.25 });
  runs.noteResult({ ...result, scheduledAt: 5.25 });
  assert.equal((await run)?.scheduledAt, 5.25);
});

test('SI7: it is over when the wait is, when the agent refuses, is silent or away; an answer too late changes nothing', async () => {
  const { clock, asked, runs } = agents();
  const late = runs.run({ agentId: 'a', taskId: 't', waitMs: 1000 });
  runs.answer(asked[0]?.requestId ?? '', { scheduledAt: 5 });
  await clock.advance(1000);
  assert.equal(await late, undefined);
  runs.noteResult({ ...result, scheduledAt: 5 });

  const refused = runs.run({ agentId: 'a', taskId: 't', waitMs: 0 });
  runs.answer(asked[1]?.requestId ?? '', { refusal: 'it has no such task' });
  await assert.rejects(refused, { code: 'unavailable', message: 'it has no such task' });

  const silent = runs.run({ agentId: 'a', taskId: 't', waitMs: 0 });
  const rejected = assert.rejects(silent, { message: 'the agent did not answer within 5000 ms' });
  await clock.advance(5000);
  await rejected;
  runs.answer(asked[2]?.requestId ?? '', { scheduledAt: 5 });

  await assert.rejects(runs.run({ agentId: 'away', taskId: 't', waitMs: 0 }), { message: /not connected/ });
  assert.equal(asked.length, 3);
});
