import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AbsenceItem } from '../core/entry.ts';
import type { SmallFiles } from '../core/small-files.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { absenceSince, OwnTime } from './own-time.ts';

/** A machine whose clocks are set by hand, and its folder. */
class Machine {
  readonly clock = new FakeClock();
  readonly absences: AbsenceItem[] = [];
  boot = 'first';
  asleepMs = 0;
  readonly #content = new Map<string, string>();

  start(): OwnTime {
    const files: SmallFiles = {
      path: '/nowhere',
      read: (name) => this.#content.get(name),
      replace: (name, content) => void this.#content.set(name, content),
      replaceSoon: async () => {},
      remove: (name) => void this.#content.delete(name),
    };
    const uptimeMs = (): number => this.clock.monotonic() + this.asleepMs;
    const machine = { boot: this.boot, uptimeMs };
    const ownTime = new OwnTime({
      clock: this.clock,
      machine,
      files,
      onAbsence: (absence) => this.absences.push(absence),
    });
    ownTime.start();
    return ownTime;
  }

  tear(): void {
    this.#content.set('lived.json', '{"boot":"fir');
  }

  get told(): readonly unknown[] {
    return this.absences.map(({ from, to, reason }) => [reason, Math.round((to - from) / 1000)]);
  }
}

describe('SI5: time in which an agent ran nothing', () => {
  test('is told at the next start: it was killed, or stopped by order', async () => {
    const machine = new Machine();
    machine.start();
    assert.deepEqual(machine.told, [], 'it never ran before');
    await machine.clock.advance(60_000);
    machine.start().stop();
    await machine.clock.advance(30_000);
    machine.start();
    assert.deepEqual(machine.told, [
      ['killed', 60],
      ['stopped', 30],
    ]);
    assert.equal(machine.absences.at(-1)?.to, machine.clock.now());
  });

  test('is told while it runs: it was paused', async () => {
    const machine = new Machine();
    const ownTime = machine.start();
    for (let look = 0; look < 5; look++) {
      await machine.clock.advance(2000);
      ownTime.look();
    }
    assert.deepEqual(machine.told, []);
    await machine.clock.advance(40_000);
    ownTime.look();
    assert.deepEqual(machine.told, [['paused', 40]]);
  });

  test('is told while it runs: its machine slept, and no timer did', async () => {
    const machine = new Machine();
    const ownTime = machine.start();
    await machine.clock.advance(2000);
    machine.asleepMs += 3_600_000;
    ownTime.look();
    assert.deepEqual(machine.told, [['asleep', 3600]]);
  });

  test('is not known where a power cut tore the note', async () => {
    const machine = new Machine();
    machine.start();
    machine.tear();
    await machine.clock.advance(60_000);
    machine.start();
    assert.deepEqual(machine.told, []);
  });

  const lived = { boot: 'first', at: 1_000_000, uptimeMs: 500_000, hasEnded: false };
  for (const [what, now, expected] of [
    ['a wall clock that was set forward changes nothing', { boot: 'first', at: 9_000_000, uptimeMs: 560_000 }, 60_000],
    ['one that was set back neither', { boot: 'first', at: 400_000, uptimeMs: 560_000 }, 60_000],
    ['another boot is told by the wall clock', { boot: 'second', at: 1_120_000, uptimeMs: 20_000 }, 120_000],
    ['another boot with an earlier wall clock tells nothing', { boot: 'second', at: 900_000, uptimeMs: 20_000 }, 0],
  ] as const)
    test(what, () => {
      const { from, to } = absenceSince(lived, now);
      assert.deepEqual([to, to - from], [now.at, expected]);
    });

  test('a restart of the machine by order is told apart from a power cut', () => {
    const now = { boot: 'second', at: 1_120_000, uptimeMs: 20_000 };
    assert.equal(absenceSince({ ...lived, hasEnded: true }, now).reason, 'restarted');
    assert.equal(absenceSince(lived, now).reason, 'lost-power');
  });
});
