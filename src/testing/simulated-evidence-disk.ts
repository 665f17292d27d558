import { unfinished } from '../agent/on-disk.ts';
import type { EvidenceDisk, EvidenceFile, WriteOptions } from '../agent/evidence/evidence-disk.ts';
import { SimulatedCrash, type SimulatedDisk } from './simulated-disk.ts';

/** A disk that forgets, as a chain sees it. Where the simulated machine stops, nothing is ever answered any more. */
export class SimulatedEvidenceDisk implements EvidenceDisk {
  readonly #disk: SimulatedDisk;

  constructor(disk: SimulatedDisk) {
    this.#disk = disk;
  }

  list(): Promise<readonly EvidenceFile[]> {
    return answer(() => this.#disk.list().map(({ name, bytes }) => ({ name, bytes, changedAt: 0 })));
  }

  read(name: string): Promise<Buffer> {
    return answer(() => this.#disk.read(name, 0, Infinity));
  }

  write(name: string, bytes: Uint8Array, { position, isSynced }: WriteOptions): Promise<void> {
    return answer(() => {
      const isNew = !this.#disk.list().some((file) => file.name === name);
      const file = isNew ? this.#disk.create(name) : this.#disk.open(name);
      file.write(bytes, position);
      if (!isSynced) return;
      file.sync();
      this.#disk.sync();
    });
  }

  replace(name: string, bytes: Uint8Array): Promise<void> {
    return answer(() => {
      const file = this.#disk.create(name + unfinished);
      file.write(bytes, 0);
      file.sync();
      this.#disk.rename(name + unfinished, name);
      this.#disk.sync();
    });
  }

  remove(name: string): Promise<void> {
    return answer(() => this.#disk.remove(name));
  }
}

async function answer<Value>(work: () => Value): Promise<Value> {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof SimulatedCrash)) throw error;
    return await new Promise(() => {});
  }
}
