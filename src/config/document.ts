import { parseEvents, YAMLException } from 'js-yaml';
import type { SourceOf } from '../core/scalars.ts';
import { Composer, maxLevels, tooDeep, type Complain, type KeyedNode, type Node } from './composer.ts';
import { expanded } from './expand.ts';
import { Lines } from './lines.ts';
import { formatPath, type Mistake, type Path, type Report, type WrittenFile } from './mistake.ts';
import type { Reference, Variables } from './variables.ts';

interface Surroundings {
  /** As it is shown in mistakes. */
  readonly file?: string;
  /** Where relative paths begin. */
  readonly folder?: string;
  /** Puts values in the place of `${…}`; without it texts stay as they were written. */
  readonly variables?: Variables;
}

/** A YAML text (JSON is YAML) as data, which still knows its lines and columns. */
export class ConfigDocument implements WrittenFile {
  readonly mistakes: Mistake[] = [];
  readonly warnings: Mistake[] = [];
  readonly file: string;
  readonly folder: string;
  readonly #lines: Lines;
  readonly #root: Node | undefined;
  readonly #isYaml: boolean;

  constructor(text: string, { file = '', folder = '.', variables }: Surroundings = {}) {
    this.file = file;
    this.folder = folder;
    this.#lines = new Lines(text);
    const root = this.#parse(text);
    // After a mistake the data is of no use.
    const isWhole = root && variables && this.mistakes.length === 0;
    this.#root = isWhole ? expanded(root, { folder, variables, complain: this.#takeDown }) : root;
    this.#isYaml = this.mistakes.length === 0 || isWhole === true;
  }

  /** The data; undefined if the text is no YAML, and `mistakes` say why. */
  read(): unknown {
    return this.#isYaml ? this.#root?.value : undefined;
  }

  /** Takes down a mistake at the place of `path`, or of its closest ancestor that exists. */
  readonly report: Report = (path, message, at = 'value') => {
    this.#takeDown(this.#offsetOf(path, at), message, path);
  };

  /** Takes down a warning in the same way. */
  readonly warn: Report = (path, message, at = 'value') => {
    this.warnings.push(this.#mistakeAt(this.#offsetOf(path, at), message, path));
  };

  /** How the scalar at `path` was written; undefined where its value says so, or there is none. */
  readonly sourceOf: SourceOf = (path) => {
    // Data that came from YAML has no symbols for keys.
    return this.#nodeAt(path as Path)?.source;
  };

  readonly referencesIn = (path: Path): readonly Reference[] => referencesOf(this.#nodeAt(path));

  readonly isUnresolved = (path: Path): boolean => this.#nodeAt(path)?.isUnresolved ?? false;

  readonly lineOf = (path: Path): string => {
    const { line } = this.#lines.at(this.#offsetOf(path, 'value'));
    return this.file === '' ? `line ${line}` : `line ${line} of ${this.file}`;
  };

  #parse(text: string): Node | undefined {
    try {
      const events = parseEvents(text, { maxDepth: maxLevels });
      return new Composer(text, events, this.#takeDown).document();
    } catch (error) {
      if (!(error instanceof YAMLException)) throw error;
      this.#takeDown(error.mark?.position ?? 0, explained(error.reason));
      return undefined;
    }
  }

  readonly #takeDown: Complain = (offset, message, path = []) => {
    this.mistakes.push(this.#mistakeAt(offset, message, path));
  };

  #nodeAt(path: Path): Node | undefined {
    let node = this.#root;
    for (const step of path) node = node && entryIn(node, step)?.node;
    return node;
  }

  #mistakeAt(offset: number, message: string, path: Path): Mistake {
    return { file: this.file, ...this.#lines.at(offset), path: formatPath(path), message };
  }

  #offsetOf(path: Path, at: 'key' | 'value'): number {
    if (!this.#root) return 0;
    let entry: KeyedNode = { keyOffset: 0, node: this.#root };
    for (const step of path) {
      const inside = entryIn(entry.node, step);
      if (!inside) return entry.node.offset;
      entry = inside;
    }
    return at === 'key' ? entry.keyOffset : entry.node.offset;
  }
}

function entryIn({ items, entries }: Node, step: string | number): KeyedNode | undefined {
  const item = items?.[Number(step)];
  return item ? { keyOffset: item.offset, node: item } : entries?.get(String(step));
}

function referencesOf(node: Node | undefined): readonly Reference[] {
  if (!node) return [];
  const inside = node.items ?? node.entries?.values().map((entry) => entry.node);
  return inside ? [...inside].flatMap(referencesOf) : (node.references ?? []);
}

/** What commonly lies behind the parser's words. */
const causes: readonly (readonly [reason: string, cause: string])[] = [
  ['maxDepth', tooDeep],
  ['deficient indentation', 'this is not YAML: a quote or a bracket above is not closed'],
  [
    'bad indentation',
    'this is not YAML: expected the indentation of the lines above; a text that begins with @ or `, or has a colon and a space in it, goes in quotes',
  ],
  ['end of the stream', 'this is not YAML: expected the indentation of the lines above, or the end'],
  ['tab characters', 'this is not YAML: expected spaces, not tabs, for the indentation'],
];

function explained(reason: string): string {
  return causes.find(([words]) => reason.includes(words))?.[1] ?? `this is not YAML: ${reason}`;
}
