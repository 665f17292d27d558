import { z } from 'zod';
import type { WrittenChain } from '../../records/chain.ts';
import type { EvidenceDisk } from './evidence-disk.ts';

/** The state of a chain that the agent needs to write its next line. */
export interface KeptChain extends WrittenChain {
  /** True once the server has the chain's first key; before that nothing may be written. */
  readonly announced: boolean;
  /** Lines up to this one were handed to the spool. */
  readonly delivered: number;
  /** Its files up to this line were deleted, as too old. */
  readonly deletedTo: number;
}

const keptChain = z.strictObject({
  chain: z.uuid(),
  n: z.int().min(0),
  head: z.string().length(43),
  key: z.string().length(43),
  announced: z.boolean(),
  delivered: z.int().min(0),
  // An agent of an older version did not keep it.
  deletedTo: z.int().min(0).default(0),
});

const fileName = 'chain.json';

/** Undefined if there is none or no agent wrote it. Rejects with the disk's error. */
export async function readChain(disk: EvidenceDisk): Promise<KeptChain | undefined> {
  try {
    return keptChain.parse(JSON.parse((await disk.read(fileName)).toString()));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || error instanceof SyntaxError || error instanceof z.ZodError) return undefined;
    throw error;
  }
}

/** When this resolves, the previous key has been deleted. Rejects with the disk's error. */
export async function saveChain(disk: EvidenceDisk, chain: KeptChain): Promise<void> {
  await disk.replace(fileName, Buffer.from(JSON.stringify(chain)));
}
