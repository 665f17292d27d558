import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Hono } from 'hono';
import { openSqliteStore } from '../../commands/serve/open-store.ts';
import { isoTimeOf } from '../../core/iso-time.ts';
import { monitorSpec } from '../../testing/server-status.ts';
import type { Store } from '../store/store.ts';
import { onePolicy, StoredRuns } from '../store/states.contract.ts';
import { windowsRoutes } from './alert-windows.ts';
import { createApp } from './app.ts';
import { Audit } from './audit.ts';
import { availabilityRoutes } from './availability.ts';
import { incidentsRoutes } from './incidents.ts';
import { statesRoutes } from './states.ts';

interface Answer {
  readonly status: number;
  // oxlint-disable-next-line typescript/no-explicit-any -- what a test looks into
  readonly body: any;
}

const monitors = () => [{ ...monitorSpec('web'), id: 'web' }];

/** The routes on a real store, in which the monitor `web` runs on agent `a`. */
class Stand implements AsyncDisposable {
  readonly store: Store;
  readonly runs: StoredRuns;
  readonly #folder: string;
  readonly #app: Hono;
  #ids = 0;

  private constructor(store: Store, folder: string) {
    this.store = store;
    this.runs = new StoredRuns(store);
    this.#folder = folder;
    this.#app = this.#made();
  }

  static async open(): Promise<Stand> {
    const folder = await mkdtemp(join(tmpdir(), 'watchkeeper-incidents-'));
    const stand = new Stand(await openSqliteStore({ folder }), folder);
    await stand.store.setPolicies(onePolicy, stand.now());
    return stand;
  }

  now(): number {
    return this.runs.now + 10;
  }

  async ask(method: string, path: string, body?: object): Promise<Answer> {
    const headers = { 'Content-Type': 'application/json' };
    const given = body ? { body: JSON.stringify(body) } : {};
    const response = await this.#app.request(`/api/v1${path}`, { method, headers, ...given });
    return { status: response.status, body: await response.json() };
  }

  /** Down is confirmed by the second run. */
  async play(letters: string): Promise<void> {
    await this.runs.commit(letters);
    await this.runs.evaluate();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store[Symbol.asyncDispose]();
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 10 });
  }

  #made(): Hono {
    const now = (): number => this.now();
    const states = this.store;
    const routes = [
      ...statesRoutes({ states, monitors, agentName: () => 'berlin' }),
      ...incidentsRoutes({ states, now, monitorId: () => 'web' }),
      ...windowsRoutes({
        states,
        now,
        newId: () => `window-${++this.#ids}`,
        monitorNames: () => ['web'],
        configured: () => [],
      }),
      ...availabilityRoutes({ states, now, monitors, windows: () => states.alertWindows() }),
    ];
    const clock = { now, monotonic: now, after: () => () => {} };
    const audit = new Audit({ clock, say: () => {}, addressOf: () => '' });
    return createApp({
      routes,
      callers: undefined,
      version: '1',
      audit,
      onInternalError: (error) => assert.fail(String(error)),
    });
  }
}

describe('states and incidents over HTTP', () => {
  test('say what is down, since its first failing run, who sees it, and who has it', async () => {
    await using stand = await Stand.open();
    await stand.play('UU');
    const up = (await stand.ask('GET', '/states')).body.states[0];
    assert.deepEqual([up.monitor, up.state, up.incident, up.verdict], ['web', 'up', null, null]);
    const failedAt = stand.runs.now + 10_000;
    await stand.play('DD');
    const down = (await stand.ask('GET', '/states?state=down,degraded')).body.states[0];
    assert.deepEqual([down.state, down.since, down.summary], ['down', isoTimeOf(failedAt), 'connection refused']);
    assert.equal(down.voices[0].agent, 'berlin');
    assert.match(down.voices[0].message, /connection refused/);
    assert.deepEqual((await stand.ask('GET', '/states?state=up')).body.states, []);

    const taken = await stand.ask('POST', `/incidents/${down.incident}/acknowledgement`, { by: 'Ana', note: 'on it' });
    assert.deepEqual([taken.status, taken.body.acknowledged.by, taken.body.id], [200, 'Ana', down.incident]);
    assert.equal((await stand.ask('GET', '/states')).body.states[0].acknowledged.by, 'Ana');
    const { body: incident } = await stand.ask('GET', `/incidents/${down.incident}`);
    assert.deepEqual(
      incident.events.map(({ kind }: { kind: string }) => kind).filter((kind: string) => !/held|sent/.test(kind)),
      ['opened', 'acknowledged'],
    );
    assert.equal(incident.recipients[0].notifier, 'mail');

    await stand.play('UUU');
    const { body: open } = await stand.ask('GET', '/incidents?open=true');
    assert.deepEqual(open, { incidents: [], more: false });
    const { body: all } = await stand.ask('GET', '/incidents?monitor=web');
    assert.deepEqual([all.incidents[0].endReason, all.incidents[0].durationMs], ['recovered', 20_000]);
    assert.equal((await stand.ask('POST', `/incidents/${down.incident}/acknowledgement`, { by: 'Ben' })).status, 409);
  });

  test('refuse what makes no sense, with a sentence', async () => {
    await using stand = await Stand.open();
    const none = '0193a0de-0000-7000-8000-000000000001';
    assert.equal((await stand.ask('GET', `/incidents/${none}`)).status, 404);
    assert.equal((await stand.ask('GET', '/incidents/1')).status, 400);
    assert.equal((await stand.ask('POST', `/incidents/${none}/acknowledgement`, { by: 'Ana' })).status, 404);
    assert.equal((await stand.ask('POST', `/incidents/${none}/acknowledgement`, {})).status, 400);
    const by = { by: 'Ana', monitors: ['web'] };
    for (const wrong of [
      by,
      { ...by, for: '2h', to: isoTimeOf(stand.now() + 5000) },
      { ...by, to: isoTimeOf(stand.now() - 5000) },
      { ...by, monitors: ['none of ours'], for: '2h' },
      { monitors: ['web'], for: '2h' },
      { ...by, for: '5000d' },
    ]) {
      const { status, body } = await stand.ask('POST', '/silences', wrong);
      assert.equal(status, 400, JSON.stringify(wrong));
      assert.match(body.detail, /expected|no monitor fits/);
    }
    assert.equal((await stand.ask('DELETE', '/maintenance/none')).status, 404);
    assert.equal((await stand.ask('GET', '/availability?monitor=none')).status, 404);
  });
});

describe('times in which nobody is told', () => {
  test('a silence says which monitors it is for, before it is made too; its end settles what was held', async () => {
    await using stand = await Stand.open();
    await stand.play('UU');
    const wanted = { monitors: ['w*'], by: 'Ana', reason: 'deploy', for: '2h' };
    const tried = await stand.ask('POST', '/silences', { ...wanted, dryRun: true });
    assert.deepEqual(tried.body.matches, ['web']);
    assert.deepEqual((await stand.ask('GET', '/silences')).body.windows, []);
    const { body: made } = await stand.ask('POST', '/silences', wanted);
    assert.deepEqual([made.name, made.open, made.origin], ['deploy (by Ana)', true, 'api']);
    assert.deepEqual((await stand.ask('GET', '/maintenance')).body.windows, []);
    await stand.play('DD');
    await stand.runs.evaluate(5000);
    assert.deepEqual(await stand.store.waiting(), [], 'nobody is told');
    const [held] = (await stand.ask('GET', '/incidents')).body.incidents[0].recipients;
    assert.deepEqual([held.told, held.held.reason, held.held.by], [null, 'silence', 'deploy (by Ana)']);
    assert.equal((await stand.ask('DELETE', `/silences/${made.id}`)).status, 200);
    assert.deepEqual((await stand.ask('GET', '/silences')).body.windows, []);
    await stand.play('DD');
    await stand.runs.evaluate(5000);
    assert.equal((await stand.store.waiting()).length, 1, 'what is still so is told');
  });

  test('a maintenance is not counted in the availability, a silence is; one that was ended counts for its time', async () => {
    await using stand = await Stand.open();
    const from = stand.now();
    await stand.play('UUUU');
    const { body: made } = await stand.ask('POST', '/maintenance', { monitors: ['web'], by: 'Ana', for: '1h' });
    await stand.play('DDDD');
    await stand.ask('DELETE', `/maintenance/${made.id}`);
    await stand.play('UUUU');
    const query = `/availability?monitor=web&from=${isoTimeOf(from)}`;
    const [figures] = (await stand.ask('GET', query)).body.monitors;
    assert.equal(figures.maintenanceMs, 40_000);
    assert.ok(figures.available > 0.8 && figures.available < 1, String(figures.available));
    assert.equal(Math.round(figures.upMs + figures.downMs + figures.unknownMs + figures.maintenanceMs), 120_000);
  });
});
