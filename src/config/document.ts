import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type Document,
  type Node,
  type Pair,
  type YAMLMap,
} from 'yaml';
import { formatPath, type Mistake, type Path, type Report } from './mistake.ts';

/** Deeper than any configuration, and shallow enough for every recursion over it. */
const maxDepth = 32;
/** Uses of one anchor times the aliases inside it: sharing stays free, and nothing grows exponentially. */
const maxAliasCount = 10_000;

/** A YAML text (JSON is YAML) as data, which still knows its lines and columns. */
export class ConfigDocument {
  readonly mistakes: Mistake[] = [];
  readonly #lines = new LineCounter();
  readonly #document: Document.Parsed | undefined;
  /** Pairs by key, of each mapping that a mistake was looked up in: a mapping of thousands of hosts may have thousands. */
  readonly #pairs = new WeakMap<YAMLMap<Node, Node>, ReadonlyMap<string, Pair<Node, Node | null>>>();

  constructor(text: string) {
    this.#document = this.#parse(text);
  }

  /** The data; undefined if the text is no YAML, and `mistakes` say why. */
  read(): unknown {
    const document = this.#document;
    if (!document || this.mistakes.length > 0) return undefined;
    this.#inspect(document.contents, []);
    if (this.mistakes.length > 0) return undefined;
    try {
      return document.toJS({ maxAliasCount });
    } catch (error) {
      if (!(error instanceof ReferenceError)) throw error;
      this.report([], 'expected fewer aliases: written out, these would be too much data');
      return undefined;
    }
  }

  /** Takes down a mistake at the place of `path`, or of its closest ancestor that exists. */
  readonly report: Report = (path, message, at = 'value') => {
    this.mistakes.push({ ...this.#position(this.#offsetOf(path, at)), path: formatPath(path), message });
  };

  /** The line of a value, from 1. */
  lineOf(path: Path): number {
    return this.#position(this.#offsetOf(path, 'value')).line;
  }

  #parse(text: string): Document.Parsed | undefined {
    // Keys are compared in #inspect: the library's own comparison is quadratic.
    const options = { lineCounter: this.#lines, prettyErrors: false, uniqueKeys: false };
    try {
      const document = parseDocument(text, options);
      for (const { code, message, pos } of document.errors) {
        const what = code === 'MULTIPLE_DOCS' ? 'expected one document' : `this is not YAML: ${message}`;
        this.mistakes.push({ ...this.#position(pos[0]), path: '', message: what });
      }
      return document;
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.mistakes.push({ line: 1, column: 1, path: '', message: tooDeep });
      return undefined;
    }
  }

  #position(offset: number): { line: number; column: number } {
    const { line, col } = this.#lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  }

  /** Depth is bounded before anything recurses over the data, and no key is there twice. */
  #inspect(node: Node | null, path: Path): void {
    if (path.length > maxDepth) {
      this.mistakes.push({ ...this.#position(startOf(node)), path: '', message: tooDeep });
      return;
    }
    if (isSeq<Node>(node)) {
      for (const [index, item] of node.items.entries()) this.#inspect(item, [...path, index]);
    }
    if (!isMap<Node, Node>(node)) return;
    const seen = new Set<string>();
    for (const pair of node.items) {
      const key = keyOf(pair);
      if (seen.has(key)) {
        const { line, column } = this.#position(startOf(pair.key));
        this.mistakes.push({ line, column, path: formatPath([...path, key]), message: 'this key is there twice' });
      }
      seen.add(key);
      this.#inspect(pair.value, [...path, key]);
    }
  }

  #offsetOf(path: Path, at: 'key' | 'value'): number {
    let node: Node | null | undefined = this.#document?.contents;
    let offset = startOf(node);
    for (const [index, step] of path.entries()) {
      if (isAlias(node) && this.#document) node = node.resolve(this.#document);
      const isKey = at === 'key' && index === path.length - 1;
      const found = this.#stepInto(node, step, isKey);
      if (!found) break;
      node = found;
      offset = startOf(node);
    }
    return offset;
  }

  #stepInto(node: Node | null | undefined, step: string | number, isKey: boolean): Node | null | undefined {
    if (isSeq<Node>(node)) return node.items[Number(step)];
    if (!isMap<Node, Node>(node)) return undefined;
    let pairs = this.#pairs.get(node);
    if (!pairs) {
      pairs = new Map(node.items.map((pair) => [keyOf(pair), pair]));
      this.#pairs.set(node, pairs);
    }
    const pair = pairs.get(String(step));
    return isKey ? pair?.key : (pair?.value ?? pair?.key);
  }
}

const tooDeep = `expected at most ${maxDepth} levels of lists and mappings inside each other`;

function startOf(node: Node | null | undefined): number {
  return node?.range?.[0] ?? 0;
}

function keyOf({ key }: Pair<Node, Node | null>): string {
  return isScalar(key) ? String(key.value) : String(key);
}
