import assert from 'node:assert/strict';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openSqliteStore } from '../../../commands/serve/open-store.ts';
import type { Entry } from '../../../core/entry.ts';
import { failed, up } from '../../../core/outcome.ts';
import type { Incident } from '../../../core/state/incident.ts';
import type { StateRow, VoiceRow } from '../../../core/state/monitor-record.ts';
import type { Policies } from '../../../core/state/policies.ts';
import { StateBook } from '../../../core/state/state-book.ts';
import { monitorPolicy } from '../../../testing/monitor-policy.ts';
import { randomFrom } from '../../../testing/random-from.ts';
import { removeFolder } from '../../../testing/remove-folder.ts';

const start = Date.UTC(2026, 10, 28, 12);
const agents = ['a', 'b'] as const;
const monitors = ['web', 'db'] as const;
const policies: Policies = {
  monitors: monitors.map((id) => monitorPolicy({ id, agents })),
  notify: [{ notifier: 'mail', step: 0, afterMs: 0 }],
  windows: [],
};

/** A run of one monitor on one agent, now and then late or failed. */
function entryOf(
  random: () => number,
  place: { readonly agentId: string; readonly monitorId: string; readonly seq: number; readonly at: number },
): Entry {
  const { agentId, monitorId, seq, at } = place;
  const times = { scheduledAt: at, startedAt: at, durationMs: 3 };
  const isDown = Math.floor(at / 70_000) % 3 === 0 && random() < 0.8;
  const outcome = isDown ? failed('refused', 'expected an open port, got: connection refused') : up('Open.');
  return { seq, item: { kind: 'result', taskId: `${agentId} ${monitorId}`, monitorId, ...times, ...outcome } };
}

interface Believed {
  readonly voices: readonly VoiceRow[];
  readonly states: readonly Omit<StateRow, 'sent'>[];
  readonly incidents: readonly Incident[];
}

function withoutSent({ sent: _sent, ...row }: StateRow): Omit<StateRow, 'sent'> {
  return row;
}

test('states that are rebuilt from stored results are those that were kept', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'watchkeeper-rebuild-'));
  const store = await openSqliteStore({ folder });
  const random = randomFrom(7);
  await store.setPolicies(policies, start);
  let seq = 0;
  for (let slot = 1; slot <= 60; slot++) {
    const at = start + slot * 10_000;
    for (const agentId of agents) {
      const entries = monitors.map((monitorId) => entryOf(random, { agentId, monitorId, seq: ++seq, at }));
      await store.commit({ agentId, epoch: 'e', entries, receivedAt: at + 5 });
    }
    if (random() < 0.7) await store.evaluate({ now: at + 10, steppedMs: 0 });
  }
  const end = start + 610_000;
  await store.evaluate({ now: end, steppedMs: 0 });
  const incidents = (await store.incidents({ limit: 100 })).map(({ incident }) => incident);
  const kept: Believed = { voices: await store.voices(), states: (await store.states()).map(withoutSent), incidents };
  const queries = agents.flatMap((agentId) =>
    monitors.map((monitorId) => ({ taskId: `${agentId} ${monitorId}`, from: 0, to: end, limit: 1000 })),
  );
  const results = (await Promise.all(queries.map((query) => store.results(query)))).flat();
  await store[Symbol.asyncDispose]();
  await removeFolder(folder);

  const book = new StateBook();
  book.setPolicies(policies, start);
  const voices = new Map<string, VoiceRow>();
  const states = new Map<string, StateRow>();
  const found = new Map<string, Incident>();
  const inOrder = results.toSorted(
    (a, b) => (a.receivedAt ?? 0) - (b.receivedAt ?? 0) || a.agentId.localeCompare(b.agentId),
  );
  for (const { agentId, monitorId, status, scheduledAt: at, receivedAt = at, reason, source, message } of inOrder) {
    book.advance(receivedAt);
    book.takeRun({ monitorId, agentId, status, at, receivedAt, reason, source, message });
  }
  book.advance(end);
  const changes = book.drain();
  for (const row of changes.voices) voices.set(`${row.monitorId} ${row.agentId}`, row);
  for (const row of changes.states) states.set(row.monitorId, row);
  for (const { incident } of changes.incidents) found.set(incident.id, incident);
  const rebuilt = {
    voices: [...voices.values()].toSorted(
      (a, b) => a.monitorId.localeCompare(b.monitorId) || a.agentId.localeCompare(b.agentId),
    ),
    states: [...states.values()].map(withoutSent).toSorted((a, b) => a.monitorId.localeCompare(b.monitorId)),
    incidents: [...found.values()].toSorted((a, b) => (a.id < b.id ? 1 : -1)),
  };
  assert.ok(kept.incidents.length >= 2, `${kept.incidents.length} incidents`);
  assert.deepEqual(JSON.parse(JSON.stringify(rebuilt)), JSON.parse(JSON.stringify(kept)));
});
