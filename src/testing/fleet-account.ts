import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import type { SeqRange } from '../core/entry.ts';
import type { ResultAnswer } from '../server/routes/tasks.ts';
import { countOf, RangeSet } from '../core/ranges.ts';
import type { Fleet } from './fleet.ts';

/** What one agent said it recorded, against what the server keeps. */
export interface Account {
  readonly agent: string;
  /** The agent's last sequence number. */
  readonly recorded: number;
  readonly results: number;
  readonly gapEntries: number;
  /** Entries that say when the agent ran nothing. */
  readonly absences: number;
  /** Numbers that a gap entry says will never come. */
  readonly declared: readonly SeqRange[];
  /** Recorded, not received, and covered by no gap entry. */
  readonly lost: readonly SeqRange[];
  /** Numbers, or slots of a task, that are kept more than once. */
  readonly doubled: number;
  readonly monitors: readonly MonitorAccount[];
}

/** What the agent reported of one monitor, against what the oracle saw. */
export interface MonitorAccount {
  readonly monitor: string;
  readonly results: readonly ResultAnswer[];
  /** Results that say the oracle answered. */
  readonly answered: number;
  /** Results of runs that may or may not have reached it. */
  readonly doubtful: number;
  readonly visits: number;
}

/** Compares the store's file, the agents' own numbers and the oracle's memory. Everything must have settled. */
export async function accountsOf(fleet: Fleet): Promise<readonly Account[]> {
  using database = new DatabaseSync(fleet.database, { readOnly: true });
  const accounts: Account[] = [];
  for (const agent of fleet.everyAgent) {
    const { agentId, queue } = fleet.status(agent);
    const rows = (sql: string): Record<string, unknown>[] => database.prepare(sql).all(agentId);
    const [epoch, ...more] = rows('SELECT id, ranges FROM epochs WHERE agentId = ?');
    assert.ok(
      epoch && more.length === 0,
      `${agent.name} is known by ${1 + more.length} lives of its spool, expected 1`,
    );
    const gaps = rows('SELECT gaps.ranges FROM gaps JOIN epochs ON id = epochId WHERE agentId = ?');
    const absences = rows("SELECT 1 FROM absences WHERE agentId = ? AND reason <> 'unheard'");
    const twice = rows(
      'SELECT 1 FROM results JOIN epochs ON id = epochId WHERE agentId = ? GROUP BY seq HAVING count(*) > 1',
    );
    const tasks = rows('SELECT id, monitorId FROM tasks WHERE agentId = ?');
    const monitors = await Promise.all(
      tasks.map(({ id, monitorId }) => monitorOf(fleet, String(monitorId), String(id))),
    );
    accounts.push({
      agent: agent.name,
      recorded: queue.lastSeq,
      results: monitors.reduce((sum, { results }) => sum + results.length, 0),
      gapEntries: gaps.length,
      absences: absences.length,
      declared: new RangeSet(gaps.flatMap(({ ranges }) => rangesIn(ranges))).ranges,
      lost: new RangeSet(rangesIn(epoch['ranges'])).missingIn([1, queue.lastSeq]),
      doubled: twice.length + monitors.reduce((sum, { results }) => sum + sameSlots(results), 0),
      monitors,
    });
  }
  return accounts;
}

/** Nothing lost, nothing doubled; each result is one visit, but for `unreported` visits of each monitor whose run was ended. */
export function assertSound(accounts: readonly Account[], unreported: (agent: string) => number): void {
  for (const { agent, recorded, results, gapEntries, absences, declared, lost, doubled, monitors } of accounts) {
    assert.ok(recorded > 0, `${agent} recorded nothing`);
    assert.deepEqual(lost, [], `${agent} recorded ${recorded} entries, and these are not on the server`);
    assert.equal(doubled, 0, `of ${agent}`);
    const kept = results + gapEntries + absences;
    const missing = countOf(declared);
    const others = `${absences} absences and ${gapEntries} gap entries for ${missing}`;
    const sum = `${agent}: ${results} results, ${others} are kept of ${recorded}`;
    assert.ok(kept <= recorded && kept + missing >= recorded, sum);
    if (missing > 0) continue;
    for (const { monitor, answered, doubtful, visits } of monitors) {
      const most = answered + doubtful + unreported(agent);
      const expected = `the oracle saw ${visits} visits of ${monitor}; ${answered} results say so, at most ${most} may`;
      assert.ok(answered <= visits && visits <= most, expected);
    }
  }
}

/** From the first result of each monitor to its last there is one for every second, or one that says how many were missed. */
export function assertUnbroken(accounts: readonly Account[]): void {
  for (const { monitor, results } of accounts.flatMap(({ monitors }) => monitors)) {
    const slots = results.map(({ scheduledAt, detail }) => ({
      at: Date.parse(scheduledAt),
      runs: Number(detail['missedRuns'] ?? 1),
    }));
    for (const [index, { at, runs }] of slots.slice(0, -1).entries())
      assert.equal(
        slots[index + 1]?.at,
        at + runs * 1000,
        `${monitor}: the result after ${new Date(at).toISOString()}`,
      );
  }
}

async function monitorOf(fleet: Fleet, monitor: string, taskId: string): Promise<MonitorAccount> {
  const range = new URLSearchParams({ from: '2020-01-01T00:00:00Z', to: '2040-01-01T00:00:00Z', limit: '50000' });
  const { results } = await fleet.ask<{ readonly results: readonly ResultAnswer[] }>(
    `/tasks/${taskId}/results?${range.toString()}`,
  );
  const answered = results.filter(hasAnswer).length;
  const doubtful = results.filter((result) => !hasAnswer(result) && result.reason !== 'missed').length;
  return { monitor, results, answered, doubtful, visits: fleet.oracle.visits(`/${monitor}`).length };
}

/** Also where the agent lagged, so that the answer decides nothing about the target. */
function hasAnswer({ metrics }: ResultAnswer): boolean {
  return metrics['statusCode'] === 200;
}

function sameSlots(results: readonly ResultAnswer[]): number {
  return results.length - new Set(results.map(({ scheduledAt }) => scheduledAt)).size;
}

function rangesIn(column: unknown): readonly SeqRange[] {
  // Only the store writes there.
  return JSON.parse(String(column)) as readonly SeqRange[];
}
