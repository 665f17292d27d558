import { globSync, readFileSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';

/** Which test files import a file, directly or through others, and over how many steps. */
export class CoveringTests {
  readonly #importersOf = new Map<string, string[]>();
  readonly #tests: ReadonlySet<string>;

  /** `tests` are globs, from `root` as all names are. */
  constructor(root: string, tests: readonly string[]) {
    this.#tests = new Set(globSync([...tests], { cwd: root }));
    for (const file of globSync(['src/**/*.ts', 'test/**/*.ts'], { cwd: root }))
      for (const imported of importsOf(root, file))
        this.#importersOf.getOrInsertComputed(imported, () => []).push(file);
  }

  /** Nearest first: the tests of a file's own folder and those named after it, then those of what stands on it. */
  of(file: string): readonly string[] {
    const distance = new Map([[file, 0]]);
    const found: string[] = [];
    for (const [current, steps] of distance) {
      if (this.#tests.has(current)) found.push(current);
      for (const importer of this.#importersOf.get(current) ?? [])
        if (!distance.has(importer)) distance.set(importer, steps + 1);
    }
    const folder = basename(dirname(file));
    const isOwn = (test: string): boolean => basename(test).startsWith(`${folder}.`) || dirname(test) === dirname(file);
    return [...found.filter(isOwn), ...found.filter((test) => !isOwn(test))];
  }
}

/** Relative imports, static and dynamic, and files named by `new URL('…', import.meta.url)`, which are run as programs. */
function importsOf(root: string, file: string): readonly string[] {
  const text = readFileSync(resolve(root, file), 'utf8');
  const named = text.matchAll(/(?:\bfrom|\bimport\(|\bnew URL\(|^import)\s*'(\.[^']+)'/gm);
  return [...named].map(([, specifier = '']) => resolve('/', dirname(file), specifier).slice(1));
}
