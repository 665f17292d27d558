import { closeSync, openSync } from 'node:fs';
import { z } from 'zod';
import type { Cancel } from '../../core/clock.ts';
import type { RunningSensor, SensorContext, SensorState, SensorType } from '../../core/sensor.ts';
import { readStart } from '../../net/sys/small-file.ts';
import { fdEvents, watchFd } from '../../net/sys/watch-fd.ts';
import { MountTable } from './mount-table.ts';

const options = z.strictObject({
  all: z.boolean().default(false).meta({ description: 'Also file systems without files of their own: proc, tmpfs, …' }),
});

/** Where the kernel does not tell of changes. */
const readEveryMs = 2000;
/** Changes come in bursts; after a look the next is at least so far away, and longer if looking takes long. */
const pauseMs = 10;
const pauseByCost = 4;
/** 100,000 mounts with long names. */
const maxBytes = 64 * 1024 * 1024;

interface MountsPlace {
  readonly mountinfo: string;
  readonly sysfs: string;
}

/** The sensor for a machine that has its mountinfo and its sysfs there. */
export function mountsSensor(place: MountsPlace): SensorType<typeof options> {
  return {
    type: 'mounts',
    title: 'Mounted file systems',
    summary: 'Which file systems are mounted and unmounted: device, mount point, type and options. No names of files.',
    classOfData: 'devices',
    options,
    start({ all }, context) {
      const table = new MountTable({ all, sysfs: place.sysfs, record: context.record });
      return Promise.resolve(new MountsWatch(place.mountinfo, table, context));
    },
  };
}

export const mounts = mountsSensor({ mountinfo: '/proc/self/mountinfo', sysfs: '/sys' });

class MountsWatch implements RunningSensor {
  readonly #table: MountTable;
  readonly #context: SensorContext;
  readonly #fd: number | undefined;
  #stopWatching = (): void => {};
  #cancelRead: Cancel | undefined;
  #readAtMs = 0;
  #pauseMs = 0;

  constructor(mountinfo: string, table: MountTable, context: SensorContext) {
    this.#table = table;
    this.#context = context;
    try {
      this.#fd = openSync(mountinfo, 'r');
    } catch (error) {
      context.onState({ state: 'unavailable', message: `${mountinfo} cannot be read (${String(error)}): mount /proc` });
      return;
    }
    // Before the first look: so nothing is missed between the two.
    context.onState(this.#watch(this.#fd));
    this.#read();
  }

  stop(): Promise<void> {
    this.#stopWatching();
    this.#cancelRead?.();
    if (this.#fd !== undefined) closeSync(this.#fd);
    return Promise.resolve();
  }

  #watch(fd: number): SensorState {
    try {
      this.#stopWatching = watchFd(fd, fdEvents.prioritized, () => this.#onChange());
      return {
        state: 'running',
        message: 'mountinfo: the kernel tells of mounts as they change, where the agent sees them',
      };
    } catch (error) {
      this.#readRegularly();
      const seconds = readEveryMs / 1000;
      const message = `the kernel does not tell of changes (${String(error)}): mounts are read every ${seconds} s, and one that comes and goes between is not seen`;
      return { state: 'limited', message };
    }
  }

  #onChange(): void {
    const waitMs = this.#readAtMs + this.#pauseMs - this.#context.clock.monotonic();
    if (waitMs <= 0) return this.#read();
    this.#cancelRead ??= this.#context.clock.after(waitMs, () => {
      this.#cancelRead = undefined;
      this.#read();
    });
  }

  #readRegularly(): void {
    this.#cancelRead = this.#context.clock.after(readEveryMs, () => {
      this.#read();
      this.#readRegularly();
    });
  }

  #read(): void {
    if (this.#fd === undefined) return;
    const { clock } = this.#context;
    const startedMs = clock.monotonic();
    this.#table.update(readStart(this.#fd, maxBytes).toString('latin1'));
    this.#readAtMs = clock.monotonic();
    this.#pauseMs = Math.max(pauseMs, pauseByCost * (this.#readAtMs - startedMs));
  }
}
