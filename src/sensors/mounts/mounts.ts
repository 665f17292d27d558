import { closeSync, openSync } from 'node:fs';
import { z } from 'zod';
import type { Cancel } from '../../core/clock.ts';
import type { RunningSensor, SensorContext, SensorState, SensorType } from '../../core/sensor.ts';
import { readStart } from '../../sys/small-file.ts';
import { fdEvents, watchFd } from '../../sys/watch-fd.ts';
import { MountTable } from './mount-table.ts';

const options = z.strictObject({
  all: z.boolean().default(false).meta({ description: 'Also file systems without files of their own: proc, tmpfs, …' }),
});

/** Interval of reads where the kernel does not report changes. */
const readEveryMs = 2000;
/** Changes come in bursts: the least pause between two reads; slow reads make it longer. */
const pauseMs = 10;
const pauseByCost = 4;
/** Enough for 100,000 mounts with long names. */
const maxBytes = 64 * 1024 * 1024;

interface MountsPlace {
  readonly mountinfo: string;
  readonly sysfs: string;
}

/** The sensor, reading mountinfo and sysfs at these places. */
export function mountsSensor(place: MountsPlace): SensorType<typeof options> {
  return {
    type: 'mounts',
    title: 'Mounted file systems',
    summary: 'Which file systems are mounted and unmounted: device, mount point, type and options. No names of files.',
    classOfData: 'devices',
    options,
    start({ all }, context) {
      const table = new MountTable({ all, sysfs: place.sysfs, record: context.record });
      const fd = opened(place.mountinfo, context);
      const nothing = { stop: () => Promise.resolve() };
      return Promise.resolve(fd === undefined ? nothing : new MountsWatch(fd, table, context));
    },
  };
}

export const mounts = mountsSensor({ mountinfo: '/proc/self/mountinfo', sysfs: '/sys' });

function opened(mountinfo: string, { onState }: SensorContext): number | undefined {
  try {
    return openSync(mountinfo, 'r');
  } catch (error) {
    onState({ state: 'unavailable', message: `${mountinfo} cannot be read (${String(error)}): mount /proc` });
    return undefined;
  }
}

class MountsWatch implements RunningSensor {
  readonly #fd: number;
  readonly #table: MountTable;
  readonly #context: SensorContext;
  /** State while the mounts can be read. */
  readonly #state: SensorState;
  /** Undefined before the first read. */
  #isReadable: boolean | undefined;
  #stopWatching = (): void => {};
  #cancelRead: Cancel | undefined;
  #readAtMs = 0;
  #pauseMs = 0;

  constructor(fd: number, table: MountTable, context: SensorContext) {
    this.#fd = fd;
    this.#table = table;
    this.#context = context;
    // Watched before the first read, so that no change between the two is missed.
    this.#state = this.#watch();
    this.#read();
  }

  stop(): Promise<void> {
    this.#stopWatching();
    this.#cancelRead?.();
    closeSync(this.#fd);
    return Promise.resolve();
  }

  #watch(): SensorState {
    try {
      this.#stopWatching = watchFd(this.#fd, fdEvents.prioritized, () => this.#onChange());
      return {
        state: 'running',
        message: 'mountinfo: the kernel tells of mounts as they change, where the agent sees them',
      };
    } catch (error) {
      const seconds = readEveryMs / 1000;
      const message = `the kernel does not tell of changes (${String(error)}): mounts are read every ${seconds} s, and one that comes and goes between is not seen`;
      return { state: 'limited', message };
    }
  }

  #onChange(): void {
    const waitMs = this.#readAtMs + this.#pauseMs - this.#context.clock.monotonic();
    if (waitMs <= 0) this.#read();
    else this.#readIn(waitMs);
  }

  #readIn(waitMs: number): void {
    this.#cancelRead ??= this.#context.clock.after(waitMs, () => {
      this.#cancelRead = undefined;
      this.#read();
    });
  }

  #read(): void {
    const { clock } = this.#context;
    const startedMs = clock.monotonic();
    const text = this.#text();
    if (text !== undefined) this.#table.update(text);
    this.#readAtMs = clock.monotonic();
    this.#pauseMs = Math.max(pauseMs, pauseByCost * (this.#readAtMs - startedMs));
    if (text === undefined || this.#state.state === 'limited') this.#readIn(readEveryMs);
  }

  /**
   * Undefined while the kernel has no memory for it; both the failure and its end are recorded. The state is said after
   * the first read, not before: every mount after `running` is then a change, and none is taken for one that was there.
   */
  #text(): string | undefined {
    const { onState } = this.#context;
    try {
      const text = readStart(this.#fd, maxBytes).toString('latin1');
      if (!this.#isReadable) onState(this.#state);
      this.#isReadable = true;
      return text;
    } catch (error) {
      const message = `mounts cannot be read (${String(error)}): trying again every ${readEveryMs / 1000} s`;
      if (this.#isReadable === undefined) onState(this.#state);
      if (this.#isReadable !== false) onState({ state: 'unavailable', message });
      this.#isReadable = false;
      return undefined;
    }
  }
}
