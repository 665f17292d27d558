import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import { eventually } from '../../../src/testing/eventually.ts';
import { Fleet, type FleetAgent } from '../../../src/testing/fleet.ts';

interface Kept {
  readonly gaps: readonly string[];
  readonly absences: readonly string[];
  /** Results of slots from a time on. */
  resultsFrom(at: number): number;
}

function keptIn(fleet: Fleet): Kept {
  using database = new DatabaseSync(fleet.database, { readOnly: true });
  const column = (sql: string): readonly string[] =>
    database
      .prepare(sql)
      .all()
      .map(({ found }) => String(found));
  const slots = column('SELECT at AS found FROM results').map(Number);
  return {
    gaps: column('SELECT cause AS found FROM gaps ORDER BY epochId, seq'),
    absences: column('SELECT reason AS found FROM absences ORDER BY fromAt'),
    resultsFrom: (at) => slots.filter((slot) => slot >= at).length,
  };
}

/** Puts a folder's content as it was into the same files, as a snapshot of a machine does: they are not new ones. */
function setBack(folder: string, copy: string): void {
  for (const name of readdirSync(folder)) if (name !== 'lock') rmSync(join(folder, name), { recursive: true });
  cpSync(copy, folder, { recursive: true, filter: (path) => !path.endsWith('/lock') });
}

async function withCopy(t: TestContext, fleet: Fleet, agent: FleetAgent): Promise<string> {
  const copy = mkdtempSync(join(tmpdir(), 'watchkeeper-copy-'));
  t.after(() => rmSync(copy, { recursive: true }));
  await agent.program.kill();
  cpSync(agent.folder, copy, { recursive: true });
  agent.program.start();
  await fleet.untilConnected();
  return copy;
}

const settled = (fleet: Fleet, count: number): Promise<unknown> =>
  eventually(`${count} results more`, () => keptIn(fleet).resultsFrom(0) >= count);

test('SE1: an agent whose folder is set back, twice, sends all it measures then, in new epochs that say why', async (t) => {
  await using fleet = await Fleet.open({ agents: 1, monitorsPerAgent: 4 });
  const [agent] = fleet.agents as [FleetAgent];
  const copy = await withCopy(t, fleet, agent);
  for (const round of [1, 2]) {
    await settled(fleet, keptIn(fleet).resultsFrom(0) + 20);
    await agent.program.kill();
    setBack(agent.folder, copy);
    const setBackAt = Date.now();
    agent.program.start();
    await eventually('what it measures now is kept', () => keptIn(fleet).resultsFrom(setBackAt) >= 20);
    const { gaps } = keptIn(fleet);
    assert.deepEqual(gaps, Array<string>(round).fill('set-back'));
  }
  const { absences } = keptIn(fleet);
  assert.ok(absences.filter((reason) => reason === 'killed').length >= 3, `SI5: absences ${absences.join(', ')}`);
});

test('SE1: a folder that was copied to another place begins a new epoch there', async (t) => {
  await using fleet = await Fleet.open({ agents: 1, monitorsPerAgent: 4 });
  const [agent] = fleet.agents as [FleetAgent];
  const copy = await withCopy(t, fleet, agent);
  await settled(fleet, keptIn(fleet).resultsFrom(0) + 20);
  await agent.program.kill();
  rmSync(agent.folder, { recursive: true });
  cpSync(copy, agent.folder, { recursive: true });
  const copiedAt = Date.now();
  agent.program.start();
  await eventually('what it measures now is kept', () => keptIn(fleet).resultsFrom(copiedAt) >= 20);
  assert.deepEqual(keptIn(fleet).gaps, ['copied']);
});
