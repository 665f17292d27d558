import { parseEvents, YAMLException } from 'js-yaml';
import type { SourceOf } from '../core/scalars.ts';
import { Composer, maxLevels, tooDeep, type Entry, type Node } from './composer.ts';
import { Lines } from './lines.ts';
import { formatPath, type Mistake, type Path, type Report } from './mistake.ts';

/** A YAML text (JSON is YAML) as data, which still knows its lines and columns. */
export class ConfigDocument {
  readonly mistakes: Mistake[] = [];
  readonly warnings: Mistake[] = [];
  readonly #lines: Lines;
  readonly #root: Node | undefined;

  constructor(text: string) {
    this.#lines = new Lines(text);
    this.#root = this.#parse(text);
  }

  /** The data; undefined if the text is no YAML, and `mistakes` say why. */
  read(): unknown {
    return this.mistakes.length === 0 ? this.#root?.value : undefined;
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
    let node = this.#root;
    // Data that came from YAML has no symbols for keys.
    for (const step of path) node = node && entryIn(node, step as string | number)?.node;
    return node?.source;
  };

  /** The line of a value, from 1. */
  lineOf(path: Path): number {
    return this.#lines.at(this.#offsetOf(path, 'value')).line;
  }

  #parse(text: string): Node | undefined {
    try {
      const events = parseEvents(text, { maxDepth: maxLevels });
      return new Composer(text, events, (...mistake) => this.#takeDown(...mistake)).document();
    } catch (error) {
      if (!(error instanceof YAMLException)) throw error;
      this.#takeDown(error.mark?.position ?? 0, explained(error.reason));
      return undefined;
    }
  }

  #takeDown(offset: number, message: string, path: Path = []): void {
    this.mistakes.push(this.#mistakeAt(offset, message, path));
  }

  #mistakeAt(offset: number, message: string, path: Path): Mistake {
    return { ...this.#lines.at(offset), path: formatPath(path), message };
  }

  #offsetOf(path: Path, at: 'key' | 'value'): number {
    if (!this.#root) return 0;
    let entry: Entry = { keyOffset: 0, node: this.#root };
    for (const step of path) {
      const inside = entryIn(entry.node, step);
      if (!inside) return entry.node.offset;
      entry = inside;
    }
    return at === 'key' ? entry.keyOffset : entry.node.offset;
  }
}

function entryIn({ items, entries }: Node, step: string | number): Entry | undefined {
  const item = items?.[Number(step)];
  return item ? { keyOffset: item.offset, node: item } : entries?.get(String(step));
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
