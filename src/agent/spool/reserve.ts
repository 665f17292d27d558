import { attempt, type Disk } from './disk.ts';

const fileName = 'reserve';
/** The reserve takes at most this share of the disk. */
const mostShare = 1 / 16;
/** A person is warned when less is free than both of these: a share alone would warn far too early on a large disk. */
const scarce = { share: 0.1, bytes: 10 * 1024 ** 3 };

/** Disk space that is reserved in time, so that what must not be lost can still be written when other programs fill the disk. */
export class Reserve {
  readonly #disk: Disk;
  readonly #bytes: number;
  #heldBytes: number;
  #scarcity: string | undefined;
  #isGivenUp = false;

  constructor(disk: Disk, bytes: number) {
    this.#disk = disk;
    this.#bytes = bytes;
    this.#heldBytes = disk.list().find(({ name }) => name === fileName)?.bytes ?? 0;
  }

  /** Why a person should look at the disk; undefined while it has room. */
  get warning(): string | undefined {
    return this.#isGivenUp ? givenUp : this.#scarcity;
  }

  get isGivenUp(): boolean {
    return this.#isGivenUp;
  }

  /** Gives the space back to the disk, and returns how many bytes that were. */
  giveUp(): number {
    const bytes = this.#heldBytes;
    if (bytes === 0 || !attempt(() => this.#disk.remove(fileName))) return 0;
    this.#heldBytes = 0;
    this.#isGivenUp = true;
    return bytes;
  }

  /** Reserves the space if twice as much is free, and looks whether space gets scarce. */
  look(): void {
    attempt(() => {
      const { freeBytes, totalBytes } = this.#disk.space();
      const wantedBytes = Math.floor(Math.min(this.#bytes, totalBytes * mostShare));
      if (this.#heldBytes < wantedBytes && freeBytes >= 2 * wantedBytes) this.#take(wantedBytes);
      this.#scarcity = scarcityOf(freeBytes, totalBytes);
    });
  }

  /** Not synced: what a power cut destroys is reserved again. */
  #take(bytes: number): void {
    const file = this.#disk.create(fileName);
    this.#heldBytes = 0;
    try {
      // Not zeros: a file system that compresses would need no space for them.
      const block = crypto.getRandomValues(Buffer.alloc(64 * 1024));
      for (let at = 0; at < bytes; at += block.length) file.write(block.subarray(0, bytes - at), at);
      this.#heldBytes = bytes;
      this.#isGivenUp = false;
    } finally {
      file.close();
      // Another program took the space first: a part of a reserve is of no use.
      if (this.#heldBytes === 0) attempt(() => this.#disk.remove(fileName));
    }
  }
}

const givenUp =
  'The disk of the spool is full and its reserve is in use: free space on it; when that is used up, the oldest plain results go.';

function scarcityOf(freeBytes: number, totalBytes: number): string | undefined {
  if (freeBytes >= Math.min(totalBytes * scarce.share, scarce.bytes)) return undefined;
  const percent = Math.floor((100 * freeBytes) / totalBytes);
  return `The disk of the spool has ${percent} % left, ${Math.floor(freeBytes / 1024 ** 2)} MiB: free space on it before it is full.`;
}
