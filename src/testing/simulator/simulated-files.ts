import type { SmallFiles } from '../../core/small-files.ts';
import { diskError } from '../simulated-disk.ts';
import type { SimulatedProcess } from './simulated-process.ts';

/** Small files on a simulated machine; each replacement is whole and durable at once. */
export class FolderContent {
  /** Says why the disk refuses to write; undefined while it does not. */
  fault: string | undefined;
  /** Called for each file that a process writes, also if the disk refuses. */
  onReplace: (name: string, content: string) => void = () => {};
  #files = new Map<string, string>();

  copy(): ReadonlyMap<string, string> {
    return new Map(this.#files);
  }

  /** Sets the folder back to a copy. */
  become(copy: ReadonlyMap<string, string>): void {
    this.#files = new Map(copy);
  }

  get(name: string): string | undefined {
    return this.#files.get(name);
  }

  set(name: string, content: string): void {
    this.#files.set(name, content);
  }

  delete(name: string): void {
    this.#files.delete(name);
  }
}

/** The files as one process has them. */
export function simulatedFiles(content: FolderContent, process: SimulatedProcess): SmallFiles {
  const replace = (name: string, text: string): void => {
    if (!process.effect()) return;
    content.onReplace(name, text);
    if (content.fault !== undefined) throw diskError(content.fault, 'write');
    content.set(name, text);
  };
  return {
    path: `/simulated/${process.name}`,
    read: (name) => content.get(name),
    replace,
    replaceSoon: async (name, text) => replace(name, text),
    remove(name) {
      if (process.effect()) content.delete(name);
    },
  };
}
