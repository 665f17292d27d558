import type { Complain, KeyedNode, Node } from './composer.ts';
import type { Path } from './mistake.ts';
import type { Variables } from './variables.ts';

interface Expansion {
  /** Where the paths of files begin. */
  readonly folder: string;
  readonly variables: Variables;
  readonly complain: Complain;
}

/** Whether a key at the top names a block that is only there to be taken from, by `&` and `*`. */
export function isTemplate(key: string): boolean {
  return key.startsWith('x-');
}

/** The data with values in the place of each `${…}` in its texts; keys, and blocks to take from, stay as they were written. */
export function expanded(root: Node, expansion: Expansion): Node {
  const expander = new Expander(expansion);
  return root.entries ? expander.mapping(root, [], isTemplate) : expander.node(root, []);
}

class Expander {
  readonly #expansion: Expansion;
  /** What several aliases name is expanded once, and its mistakes are told once. */
  readonly #done = new WeakMap<Node, Node>();

  constructor(expansion: Expansion) {
    this.#expansion = expansion;
  }

  node(node: Node, path: Path): Node {
    return this.#done.getOrInsertComputed(node, () => this.#expand(node, path));
  }

  mapping({ offset, entries = new Map() }: Node, path: Path, isLeft = (_key: string): boolean => false): Node {
    const inside = new Map(
      entries.entries().map(([key, entry]) => [key, isLeft(key) ? entry : this.#entry(entry, [...path, key])] as const),
    );
    const value = Object.fromEntries(inside.entries().map(([key, { node }]) => [key, node.value]));
    const isUnresolved = inside.values().some(({ node }) => node.isUnresolved);
    return { offset, value, entries: inside, ...(isUnresolved && { isUnresolved }) };
  }

  #expand(node: Node, path: Path): Node {
    if (node.entries) return this.mapping(node, path);
    if (node.items) {
      const items = node.items.map((item, index) => this.node(item, [...path, index]));
      const isUnresolved = items.some((item) => item.isUnresolved);
      return {
        offset: node.offset,
        value: items.map(({ value }) => value),
        items,
        ...(isUnresolved && { isUnresolved }),
      };
    }
    return typeof node.value === 'string' && node.value.includes('${') ? this.#text(node, node.value, path) : node;
  }

  #entry({ keyOffset, node }: KeyedNode, path: Path): KeyedNode {
    return { keyOffset, node: this.node(node, path) };
  }

  #text({ offset }: Node, written: string, path: Path): Node {
    const { folder, variables, complain } = this.#expansion;
    const { text, references, mistakes } = variables.expand(written, folder);
    for (const mistake of mistakes) complain(offset, mistake, path);
    const isUnresolved = mistakes.length > 0;
    return {
      offset,
      value: text,
      ...(references.length > 0 && { references }),
      ...(isUnresolved && { isUnresolved }),
    };
  }
}
