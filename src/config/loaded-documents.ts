import { existsSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, extname, isAbsolute, join, matchesGlob } from 'node:path';
import { AppError } from '../core/errors.ts';
import { got } from '../core/issues.ts';
import { quoted } from '../core/quoted.ts';
import { topOf, type FileTop } from './file-top.ts';
import { areDefaultsRight, type Defaults } from './defaults-section.ts';
import { ConfigDocument } from './document.ts';
import { isMapping } from './mapping.ts';
import { partOf, type Path } from './mistake.ts';
import { readRegularFile, unreadable } from './regular-file.ts';
import type { Variables } from './variables.ts';

/** Room for the most monitors a configuration may have, and a bound on the time and memory that one takes to read. */
export const maxBytes = 16 * 1024 * 1024;
const maxFiles = 1000;
const maxDepth = 10;
const extensions: ReadonlySet<string> = new Set(['.yaml', '.yml', '.json']);

/** A file that was read, as it is shown; empty for a text that came from nowhere. */
export interface ReadFile {
  readonly file: string;
  readonly text: string;
}

/** One file of a configuration. */
export interface LoadedDocument {
  readonly document: ConfigDocument;
  readonly contents: FileTop;
  /** Those of the file itself, then of the file that includes it, and so on. */
  readonly defaults: readonly Defaults[];
}

/** The files that include this one, itself last: as they really are, and as they are shown. */
type Chain = readonly { readonly real: string; readonly shown: string }[];

interface Surroundings {
  readonly chain: Chain;
  readonly defaults: readonly Defaults[];
}

/** Reads the files of a configuration with all that they include. */
export class DocumentLoader {
  /** In the order in which they are read; those with a mistake too. */
  readonly documents: ConfigDocument[] = [];
  readonly loaded: LoadedDocument[] = [];
  /** Something is wrong that leaves unknown what the whole would be. */
  isBroken = false;
  readonly #variables: Variables;
  readonly #seen = new Map<string, string>();
  #bytes = 0;

  constructor(variables: Variables) {
    this.#variables = variables;
  }

  /** What has a name on disk. */
  get files(): readonly string[] {
    return this.documents.map(({ file }) => file).filter((file) => statSync(file, { throwIfNoEntry: false })?.isFile());
  }

  load({ file, text }: ReadFile, { chain, defaults }: Surroundings = { chain: [], defaults: [] }): void {
    this.#bytes += Buffer.byteLength(text);
    const document = new ConfigDocument(text, { file, folder: dirname(file), variables: this.#variables });
    this.documents.push(document);
    const data = document.read();
    const contents = data === undefined && document.mistakes.length > 0 ? undefined : topOf(data, document);
    if (!contents) {
      this.isBroken = true;
      return;
    }
    const real = realPathOf(file);
    if (this.#seen.has(real)) {
      this.isBroken = true;
      return document.report([], `this file is read twice: another includes it`);
    }
    this.#seen.set(real, file);
    const own = contents.defaults === undefined ? [] : this.#defaultsIn(contents.defaults, document);
    const inside = { chain: [...chain, { real, shown: file }], defaults: [...own, ...defaults] };
    this.loaded.push({ document, contents, defaults: inside.defaults });
    if (contents.include !== undefined) this.#include(contents.include, document, inside);
  }

  /** Wrong ones too: without them monitors would have mistakes of their own. */
  #defaultsIn(written: unknown, document: ConfigDocument): readonly Defaults[] {
    const file = partOf(document, ['defaults']);
    if (!areDefaultsRight(written, file)) this.isBroken = true;
    return isMapping(written) ? [{ written, file }] : [];
  }

  #include(written: unknown, document: ConfigDocument, inside: Surroundings): void {
    const list: readonly unknown[] = Array.isArray(written) ? written : [written];
    for (const [index, item] of list.entries()) {
      const path: Path = Array.isArray(written) ? ['include', index] : ['include'];
      const fail = (message: string): void => {
        this.isBroken = true;
        document.report(path, message);
      };
      if (document.isUnresolved(path)) this.isBroken = true;
      else if (typeof item !== 'string' || item === '') fail(`expected the name of a file, ${got(item)}`);
      else this.#includeEach(item, document, { ...inside, fail });
    }
  }

  #includeEach(
    item: string,
    document: ConfigDocument,
    { chain, defaults, fail }: Surroundings & { readonly fail: (message: string) => void },
  ): void {
    if (chain.length >= maxDepth) return fail(`expected files that include each other at most ${maxDepth} deep`);
    try {
      const files = configFilesOf(isAbsolute(item) ? item : join(document.folder, item));
      if (files.length === 0) return fail(`expected at least one file, and there is none like ${quoted(item)}`);
      for (const file of files) {
        const real = realPathOf(file);
        const circle = chain.findIndex((each) => each.real === real);
        if (circle >= 0) {
          const way = [...chain.slice(circle).map(({ shown }) => shown), file];
          return fail(`these files include each other in a circle: ${way.join(' → ')}`);
        }
        const before = this.#seen.get(real);
        if (before !== undefined)
          return fail(`${quoted(file)} is read twice: it is a part of this configuration already`);
        if (this.documents.length >= maxFiles) return fail(`expected at most ${maxFiles} files`);
        this.load({ file, text: this.#read(file) }, { chain, defaults });
      }
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      fail(`${quoted(item)} cannot be read: ${error.message}`);
    }
  }

  #read(file: string): string {
    const text = readRegularFile(file, maxBytes);
    if (this.#bytes + text.length <= maxBytes) return text;
    throw new AppError('invalid-config', `expected at most ${maxBytes} bytes in all files together`);
  }
}

/**
 * The files that a name stands for, by name: a file, those of a directory, or those that fit a pattern like `sites/*.yaml`.
 * @throws {AppError} not-found, invalid-config
 */
export function configFilesOf(name: string): readonly string[] {
  try {
    const isPattern = /[*?]/.test(basename(name));
    if (isPattern && !existsSync(dirname(name))) return [];
    if (isPattern) return filesIn(dirname(name), (file) => matchesGlob(file, basename(name)));
    return statSync(name).isDirectory() ? filesIn(name, (file) => extensions.has(extname(file))) : [name];
  } catch (error) {
    throw unreadable(error);
  }
}

/** Hidden files are what editors leave. */
function filesIn(folder: string, isWanted: (file: string) => boolean): readonly string[] {
  return readdirSync(folder)
    .filter((file) => !file.startsWith('.') && isWanted(file))
    .toSorted()
    .map((file) => join(folder, file));
}

/** Two names of one file have one real path; what has none, such as a pipe, has its name. */
function realPathOf(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return file;
  }
}
