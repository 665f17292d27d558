import type { Disk, DiskFile } from '../../agent/spool/disk.ts';
import { SimulatedCrash, type SimulatedDisk } from '../simulated-disk.ts';
import type { SimulatedProcess } from './simulated-process.ts';

/** The disk as one process has it: a process that is dead, or dies at this very operation, gets no further. */
export function processDisk(disk: SimulatedDisk, process: SimulatedProcess): Disk {
  const live = (): SimulatedDisk => {
    if (!process.effect()) throw new SimulatedCrash(`${process.name} is dead`);
    return disk;
  };
  const liveFile = (file: DiskFile): DiskFile => ({
    write(bytes, position) {
      live();
      file.write(bytes, position);
    },
    sync() {
      live();
      file.sync();
    },
    close: () => file.close(),
  });
  return {
    list: () => disk.list(),
    read: (name, start, length) => disk.read(name, start, length),
    space: () => disk.space(),
    create: (name) => liveFile(live().create(name)),
    open: (name) => liveFile(live().open(name)),
    rename: (from, to) => live().rename(from, to),
    remove: (name) => live().remove(name),
    sync: () => live().sync(),
  };
}
