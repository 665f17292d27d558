import type { Disk, DiskFile, DiskSpace, FileEntry } from '../agent/spool/disk.ts';

/** Thrown where the simulated machine stops; it is no disk error, so nothing may catch it. */
export class SimulatedCrash extends Error {
  override readonly name = 'SimulatedCrash';
}

export type Operation = 'list' | 'read' | 'create' | 'open' | 'write' | 'sync' | 'rename' | 'remove' | 'sync-folder';

interface Write {
  readonly position: number;
  readonly bytes: Buffer;
}

interface Inode {
  /** What a read sees: the page cache. */
  current: Buffer;
  durable: Buffer;
  unsynced: Write[];
  /** After a failed sync the kernel forgets what it owed: a later sync does not bring these to the disk. */
  forgotten: Write[];
}

type FolderChange =
  | { readonly kind: 'put'; readonly name: string; readonly inode: Inode }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string }
  | { readonly kind: 'remove'; readonly name: string };

const sectorBytes = 512;

/**
 * A disk that forgets: after `powerCut` each sector that was not synced is there or not, and folder changes are there up to some point.
 * `onOperation` sees every operation before it happens and may throw a disk error or a `SimulatedCrash`.
 */
export class SimulatedDisk implements Disk {
  capacityBytes = Infinity;
  onOperation: (operation: Operation, name: string) => void = () => {};
  #names = new Map<string, Inode>();
  #durableNames = new Map<string, Inode>();
  #changes: FolderChange[] = [];

  get usedBytes(): number {
    return this.#names.values().reduce((sum, { current }) => sum + current.length, 0);
  }

  list(): readonly FileEntry[] {
    this.onOperation('list', '');
    return [...this.#names].map(([name, { current }]) => ({ name, bytes: current.length }));
  }

  read(name: string, start: number, length: number): Buffer {
    this.onOperation('read', name);
    return Buffer.from(this.#inode(name).current.subarray(start, start + length));
  }

  create(name: string): DiskFile {
    this.onOperation('create', name);
    const inode = { current: Buffer.alloc(0), durable: Buffer.alloc(0), unsynced: [], forgotten: [] };
    this.#change({ kind: 'put', name, inode });
    return this.#file(name, inode);
  }

  open(name: string): DiskFile {
    this.onOperation('open', name);
    return this.#file(name, this.#inode(name));
  }

  rename(from: string, to: string): void {
    this.onOperation('rename', from);
    this.#inode(from);
    this.#change({ kind: 'rename', from, to });
  }

  remove(name: string): void {
    this.onOperation('remove', name);
    this.#inode(name);
    this.#change({ kind: 'remove', name });
  }

  sync(): void {
    this.onOperation('sync-folder', '');
    this.#durableNames = new Map(this.#names);
    this.#changes = [];
  }

  space(): DiskSpace {
    return { freeBytes: this.capacityBytes - this.usedBytes, totalBytes: this.capacityBytes };
  }

  /** Stops the machine; `random` (0 ≤ x < 1) decides what of the unsynced survived. */
  powerCut(random: () => number): void {
    const kept = Math.floor(random() * (this.#changes.length + 1));
    this.#names = new Map(this.#durableNames);
    for (const change of this.#changes.slice(0, kept)) apply(this.#names, change);
    for (const inode of this.#names.values()) {
      const writes = [...inode.forgotten, ...inode.unsynced];
      inode.current = writes.reduce((content, write) => tear(content, write, random), inode.durable);
    }
    this.#settle();
  }

  /** Stops the process only: the kernel still has everything. */
  kill(): void {
    this.onOperation = () => {};
  }

  /** What a copy of the folder holds, as a running process sees it. */
  copy(): ReadonlyMap<string, Buffer> {
    return new Map([...this.#names].map(([name, { current }]) => [name, Buffer.from(current)]));
  }

  /** Sets the folder back to a copy. */
  setBack(copy: ReadonlyMap<string, Buffer>): void {
    this.#names = new Map(
      [...copy].map(([name, bytes]) => {
        return [name, { current: Buffer.from(bytes), durable: Buffer.alloc(0), unsynced: [], forgotten: [] }];
      }),
    );
    this.#settle();
  }

  flipBit(name: string, bit: number): void {
    const inode = this.#inode(name);
    for (const content of new Set([inode.current, inode.durable])) {
      const index = Math.floor(bit / 8) % Math.max(1, content.length);
      if (index < content.length) content[index] = (content[index] ?? 0) ^ (1 << (bit % 8));
    }
  }

  #settle(): void {
    this.onOperation = () => {};
    this.#durableNames = new Map(this.#names);
    this.#changes = [];
    for (const inode of this.#names.values()) {
      inode.durable = Buffer.from(inode.current);
      inode.unsynced = [];
      inode.forgotten = [];
    }
  }

  #change(change: FolderChange): void {
    this.#changes.push(change);
    apply(this.#names, change);
  }

  #inode(name: string): Inode {
    const inode = this.#names.get(name);
    if (!inode) throw diskError('ENOENT', 'open');
    return inode;
  }

  #file(name: string, inode: Inode): DiskFile {
    return {
      write: (bytes, position) => {
        this.onOperation('write', name);
        const growth = Math.max(0, position + bytes.length - inode.current.length);
        const room = Math.max(0, this.capacityBytes - this.usedBytes);
        const taken = Buffer.from(bytes.subarray(0, bytes.length - Math.max(0, growth - room)));
        inode.current = put(inode.current, { position, bytes: taken });
        inode.unsynced.push({ position, bytes: taken });
        if (taken.length < bytes.length) throw diskError('ENOSPC', 'write');
      },
      sync: () => {
        try {
          this.onOperation('sync', name);
        } catch (error) {
          inode.forgotten.push(...inode.unsynced.splice(0));
          throw error;
        }
        for (const write of inode.unsynced.splice(0)) inode.durable = put(inode.durable, write);
      },
      close: () => {},
    };
  }
}

/** What the system throws; `code` as in errno. */
export function diskError(code: string, syscall: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: simulated, ${syscall}`), { code, syscall });
}

function apply(names: Map<string, Inode>, change: FolderChange): void {
  if (change.kind === 'put') names.set(change.name, change.inode);
  if (change.kind === 'remove') names.delete(change.name);
  if (change.kind !== 'rename') return;
  const inode = names.get(change.from);
  names.delete(change.from);
  if (inode) names.set(change.to, inode);
}

/** Buffers with room behind the content: without it each write would copy all that was written before. */
const roomOf = new WeakMap<Buffer, Buffer>();

/** Changes `content` itself where the write fits into it, or into the room behind it. */
function put(content: Buffer, { position, bytes }: Write): Buffer {
  const end = position + bytes.length;
  const changed = end <= content.length ? content : grown(content, end);
  bytes.copy(changed, position);
  return changed;
}

function grown(content: Buffer, length: number): Buffer {
  let room = roomOf.get(content);
  if (!room || room.length < length) {
    room = Buffer.alloc(Math.max(4096, 2 * length));
    content.copy(room);
  }
  // Only the longest content in a buffer may grow in it.
  roomOf.delete(content);
  room.fill(0, content.length, length);
  const longer = room.subarray(0, length);
  roomOf.set(longer, room);
  return longer;
}

function tear(content: Buffer, { position, bytes }: Write, random: () => number): Buffer {
  const fate = random();
  if (fate < 0.25) return content;
  if (fate < 0.5) return put(content, { position, bytes });
  // The file may have grown by less than the write: what lies beyond its last sector that arrived is absent.
  const torn = put(content, {
    position: Math.max(content.length, position + Math.floor(random() * bytes.length)),
    bytes: Buffer.alloc(0),
  });
  for (let start = 0; start < bytes.length; start += sectorBytes) {
    if (random() < 0.5) continue;
    const sector = bytes.subarray(start, start + sectorBytes);
    sector.copy(torn, position + start);
  }
  return torn;
}
