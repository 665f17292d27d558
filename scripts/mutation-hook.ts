// Preloaded by scripts/mutate.ts: one module is read with one place in it changed. The file itself stays as it is.
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';

/** How `mutate.ts` tells its children, and theirs, what to change. */
export interface MutationOrder {
  /** URL of the module. */
  readonly url: string;
  /** Places in its text, in UTF-16 units; the text between them is replaced. */
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

const order = process.env['WATCHKEEPER_MUTATION'];
if (order !== undefined) {
  // Written by mutate.ts.
  const { url: mutated, start, end, text } = JSON.parse(order) as MutationOrder;
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      if (url !== mutated) return loaded;
      const source = readFileSync(fileURLToPath(url), 'utf8');
      return { ...loaded, source: source.slice(0, start) + text + source.slice(end) };
    },
  });
}
