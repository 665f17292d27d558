import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Status } from '../outcome.ts';
import {
  closed,
  durationOf,
  followed,
  isReopening,
  opened,
  reopened,
  type ConfirmedChange,
  type Incident,
} from './incident.ts';

const subject = { kind: 'monitor', id: 'web' } as const;

function change(state: Status, since: number, at = since): ConfirmedChange {
  return { state, verdict: 'target', since, at };
}

const down = opened('i', subject, { ...change('down', 100, 120), state: 'down' });

function through(incident: Incident, changes: readonly ConfirmedChange[]): Incident {
  return changes.reduce(followed, incident);
}

describe('C3.8: an incident goes from the first failing run to the confirmed end', () => {
  test('it starts at the first failing run and is confirmed later', () => {
    assert.deepEqual([down.startedAt, down.confirmedAt, down.endedAt], [100, 120, undefined]);
  });

  test('it is the same one through degraded, down and unknown, and remembers the worst', () => {
    const degraded = opened('i', subject, { ...change('degraded', 100), state: 'degraded' });
    const worse = through(degraded, [change('down', 110), change('unknown', 120), change('degraded', 130)]);
    assert.deepEqual([worse.id, worse.state, worse.worst, worse.endedAt], ['i', 'degraded', 'down', undefined]);
  });

  test('up ends it with the first run that was up', () => {
    const ended = followed(down, change('up', 150, 170));
    assert.deepEqual([ended.endedAt, ended.endReason, durationOf(ended, 999)], [150, 'recovered', 50]);
  });

  test('down again within reopenMs is the same incident, later or after another end it is not', () => {
    const ended = followed(down, change('up', 150));
    assert.deepEqual(
      [200, 250, 251].map((since) => isReopening(ended, since, 100)),
      [true, true, false],
    );
    assert.equal(isReopening(closed(down, 'paused', 150), 160, 100), false);
    const again = reopened(ended, change('down', 200));
    assert.deepEqual(
      [again.id, again.state, again.endedAt, again.startedAt, again.reopened],
      ['i', 'down', undefined, 100, 1],
    );
  });
});

describe('C3.9: unknown does not end an incident and freezes its clock', () => {
  test('the time in which nobody could tell is not counted', () => {
    const unknown = followed(down, change('unknown', 150));
    assert.equal(durationOf(unknown, 10_000), 50);
    const back = followed(unknown, change('down', 100, 400));
    assert.deepEqual([durationOf(back, 450), back.unknownSince], [100, undefined]);
    assert.equal(durationOf(followed(back, change('up', 500)), 999), 150);
  });

  test('a second unknown does not move the beginning of the first', () => {
    const unknown = through(down, [change('unknown', 150), change('unknown', 300)]);
    assert.equal(unknown.unknownSince, 150);
  });

  test('up right after unknown ends it', () => {
    const ended = through(down, [change('unknown', 150), change('up', 300)]);
    assert.deepEqual([ended.endedAt, durationOf(ended, 0)], [300, 50]);
  });
});
