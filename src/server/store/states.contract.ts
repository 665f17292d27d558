import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Entry, ResultItem } from '../../core/entry.ts';
import { failed, up, type Status } from '../../core/outcome.ts';
import type { Policies } from '../../core/state/policies.ts';
import { monitorPolicy } from '../../testing/monitor-policy.ts';
import type { Store } from './store.ts';

const start = Date.UTC(2026, 10, 28, 12);

export const onePolicy: Policies = {
  monitors: [monitorPolicy({ id: 'web' })],
  notify: [{ notifier: 'mail', step: 0, afterMs: 0 }],
  windows: [],
};

interface OpenStates extends AsyncDisposable {
  /** The same place again, as after a restart. */
  open(): Promise<Store>;
}

/** A life of one monitor on agent `a`: commits a run every 10 s, by letter. */
export class StoredRuns {
  readonly #store: Store;
  #seq: number;

  constructor(store: Store, seq = 0) {
    this.#store = store;
    this.#seq = seq;
  }

  get now(): number {
    return start + this.#seq * 10_000;
  }

  async commit(letters: string): Promise<void> {
    for (const letter of letters.split('')) {
      const seq = ++this.#seq;
      const status: Status = letter === 'D' ? 'down' : 'up';
      const entries: Entry[] = [{ seq, item: itemAt(this.now, status) }];
      await this.#store.commit({ agentId: 'a', epoch: 'e', entries, receivedAt: this.now + 5 });
    }
  }

  evaluate(afterMs = 10) {
    return this.#store.evaluate({ now: this.now + afterMs, steppedMs: 0 });
  }
}

function itemAt(scheduledAt: number, status: Status): ResultItem {
  const times = { scheduledAt, startedAt: scheduledAt, durationMs: 3 };
  const outcome = status === 'up' ? up('Open.') : failed('refused', 'expected an open port, got: connection refused');
  return { kind: 'result', taskId: 't', monitorId: 'web', ...times, ...outcome };
}

/** What every store keeps of states. */
export function statesContract(name: string, make: () => Promise<OpenStates>): void {
  describe(`the states of ${name}`, () => {
    test('a failure that is confirmed is a transition, an incident, and a message once siblings had their time', async () => {
      await using place = await make();
      await using store = await place.open();
      await store.setPolicies(onePolicy, start);
      const runs = new StoredRuns(store);
      await runs.commit('UD');
      assert.deepEqual(
        (await runs.evaluate()).transitions.map(({ state }) => state),
        ['up'],
      );
      await runs.commit('D');
      const { transitions, incidents, wantedRuns } = await runs.evaluate();
      assert.deepEqual(
        transitions.map(({ before, state, since, at }) => [before, state, since, at]),
        [['up', 'down', start + 20_000, start + 30_005]],
      );
      assert.equal(incidents[0]?.startedAt, start + 20_000);
      assert.deepEqual(wantedRuns, []);
      assert.deepEqual(await store.waiting(), []);
      assert.equal((await runs.evaluate(3000)).hasMessages, true);
      const [message] = await store.claim({ notifier: 'mail', now: start + 60_000, leaseMs: 1000, limit: 9 });
      assert.equal(message?.message.headline, 'DOWN web: connection refused');
      assert.deepEqual(await store.standing(message?.incident ?? ''), { isOpen: true, isAcknowledged: false });
      const [{ voice } = assert.fail()] = await store.voices();
      assert.deepEqual([voice.state, voice.since], ['down', start + 20_000]);
    });

    test('C3.21: after a restart nothing is told again, and what goes on goes on from where it was', async () => {
      await using place = await make();
      {
        await using store = await place.open();
        await store.setPolicies(onePolicy, start);
        const runs = new StoredRuns(store);
        await runs.commit('UDDU');
        await runs.evaluate(3000);
        await runs.commit('D');
        await runs.evaluate();
      }
      await using store = await place.open();
      const runs = new StoredRuns(store, 5);
      assert.deepEqual((await runs.evaluate(20)).transitions, []);
      await runs.commit('D');
      const { transitions, incidents } = await runs.evaluate();
      assert.deepEqual(
        transitions.map(({ before, state }) => [before, state]),
        [['up', 'down']],
        'its first failure was counted',
      );
      assert.equal(incidents[0]?.reopened, 1, 'it is the same incident');
    });

    test('results that were committed and not taken when the server ended are taken at its next start, once', async () => {
      await using place = await make();
      {
        await using store = await place.open();
        await store.setPolicies(onePolicy, start);
        await new StoredRuns(store).commit('UDD');
      }
      await using store = await place.open();
      const runs = new StoredRuns(store, 3);
      assert.deepEqual(
        (await runs.evaluate()).transitions.map(({ state }) => state),
        ['up', 'down'],
      );
      assert.deepEqual((await runs.evaluate(20)).transitions, []);
    });

    test('an incident has its timeline, is found by its subject, and somebody may take it', async () => {
      await using place = await make();
      await using store = await place.open();
      await store.setPolicies(onePolicy, start);
      const runs = new StoredRuns(store);
      await runs.commit('UDD');
      await runs.evaluate(3000);
      const [record] = await store.incidents({ limit: 10, isOpen: true, subject: { kind: 'monitor', id: 'web' } });
      assert.ok(record);
      const { id } = record.incident;
      const ack = { by: 'ana', note: 'looking', at: runs.now, until: runs.now + 86_400_000 };
      assert.deepEqual((await store.acknowledgeIncident(id, ack))?.ack, ack);
      assert.equal(await store.acknowledgeIncident('none', ack), undefined);
      assert.deepEqual(await store.standing(id), { isOpen: true, isAcknowledged: true });
      await runs.commit('U');
      await runs.evaluate();
      const kinds = (await store.incidentEvents(id)).map(({ kind }) => kind);
      assert.deepEqual(kinds, ['opened', 'held', 'sent', 'acknowledged', 'ended', 'sent']);
      assert.deepEqual(await store.incidents({ limit: 10, isOpen: true }), []);
      assert.equal((await store.incident(id))?.incident.endReason, 'recovered');
      const changes = await store.stateChanges({ monitorId: 'web', from: start, to: start + 100_000 });
      assert.deepEqual(
        changes.map(({ state, since }) => [state, since - start]),
        [
          ['up', 10_000],
          ['down', 20_000],
          ['up', 40_000],
        ],
      );
    });

    test('a window that was added holds messages back, also beside others, until it is taken away', async () => {
      await using place = await make();
      await using store = await place.open();
      await store.setPolicies(onePolicy, start);
      const schedule = { kind: 'once', from: start, to: start + 600_000 } as const;
      const window = { id: 'w', kind: 'silence', name: 'quiet', monitors: ['w*'], schedule } as const;
      await store.saveAlertWindow(window, start);
      assert.deepEqual(await store.alertWindows(), [window]);
      const runs = new StoredRuns(store);
      await runs.commit('UDD');
      assert.equal((await runs.evaluate(5000)).hasMessages, false);
      assert.equal(await store.removeAlertWindow('w', runs.now), true);
      assert.equal(await store.removeAlertWindow('w', runs.now), false);
      assert.equal((await runs.evaluate(9000)).hasMessages, true);
    });

    test('an agent that is unwell silences its voices and has an incident of its own', async () => {
      await using place = await make();
      await using store = await place.open();
      await store.setPolicies(onePolicy, start);
      const runs = new StoredRuns(store);
      await runs.commit('U');
      await runs.evaluate();
      const sick = { id: 'a', name: 'berlin', status: 'offline', message: 'not heard for 15 s', at: runs.now } as const;
      const { transitions, incidents } = await store.noteAgents([sick]);
      assert.deepEqual(
        transitions.map(({ state, verdict }) => [state, verdict]),
        [['unknown', 'observer']],
      );
      assert.deepEqual(
        incidents.map(({ subject, name, verdict }) => [subject.kind, name, verdict]),
        [['agent', 'berlin', 'observer']],
      );
    });
  });
}
