import { rm } from 'node:fs/promises';
import { eventually } from './eventually.ts';

/** Removes what a test kept. What still writes into it as it ends only delays that: a removal that fails is tried again. */
export async function removeFolder(path: string): Promise<void> {
  await eventually(`${path} is removed`, async () => {
    await rm(path, { recursive: true, force: true });
    return true;
  });
}
