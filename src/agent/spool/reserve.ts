import { attempt, type Disk } from './disk.ts';

const fileName = 'reserve';
/** On a small disk less is held: no more than this share of it. */
const mostShare = 1 / 16;
/** Below both of these a person is told: on a large disk a tenth is far more than a spool ever needs. */
const scarce = { share: 0.1, bytes: 10 * 1024 ** 3 };

/** Space of the disk that is held while there is enough, so that a disk that others fill still takes what must not be lost. */
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

  /** Gives the space back to the disk; how many bytes that was. */
  giveUp(): number {
    const bytes = this.#heldBytes;
    if (bytes === 0 || !attempt(() => this.#disk.remove(fileName))) return 0;
    this.#heldBytes = 0;
    this.#isGivenUp = true;
    return bytes;
  }

  /** Takes the space if the disk has twice as much, and sees whether it gets scarce. */
  look(): void {
    attempt(() => {
      const { freeBytes, totalBytes } = this.#disk.space();
      const wantedBytes = Math.floor(Math.min(this.#bytes, totalBytes * mostShare));
      if (this.#heldBytes < wantedBytes && freeBytes >= 2 * wantedBytes) this.#take(wantedBytes);
      this.#scarcity = scarcityOf(freeBytes, totalBytes);
    });
  }

  /** Not synced: what a power cut takes of it is taken again. */
  #take(bytes: number): void {
    const file = this.#disk.create(fileName);
    this.#heldBytes = 0;
    try {
      // A file system that compresses would make nothing of zeros.
      const block = crypto.getRandomValues(Buffer.alloc(64 * 1024));
      for (let at = 0; at < bytes; at += block.length) file.write(block.subarray(0, bytes - at), at);
      this.#heldBytes = bytes;
      this.#isGivenUp = false;
    } finally {
      file.close();
      // Somebody else was faster: half a reserve is none.
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
