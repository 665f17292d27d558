import {
  boolCoreTag,
  EVENT_ID,
  floatCoreTag,
  getScalarValue,
  intCoreTag,
  NOT_RESOLVED,
  nullCoreTag,
  SCALAR_STYLE,
  type AliasEvent,
  type DocumentEvent,
  type Event,
  type PopEvent,
  type ScalarEvent,
} from 'js-yaml';
import type { Path } from './mistake.ts';
import type { Reference } from './variables.ts';

/** A value of a YAML text, where it stands, and what is inside it. */
export interface Node {
  /** Of a value that is left out: of what stands before it. */
  readonly offset: number;
  readonly value: unknown;
  /** What was written, where the value is another: `007` is 7. */
  readonly source?: string;
  readonly items?: readonly Node[];
  readonly entries?: ReadonlyMap<string, KeyedNode>;
  /** The variables that were put into this text. */
  readonly references?: readonly Reference[];
  /** A variable in it has no value. */
  readonly isUnresolved?: boolean;
}

export interface KeyedNode {
  readonly keyOffset: number;
  readonly node: Node;
}

/** A value that has a name, and its size with the aliases in it written out. */
interface Anchored {
  readonly node: Node;
  readonly values: number;
  readonly levels: number;
}

type ValueEvent = Exclude<Event, DocumentEvent | PopEvent>;

/** Takes down a mistake at an offset of the text. After one, the data is of no use. */
export type Complain = (offset: number, message: string, path?: Path) => void;

/** Room for 100,000 monitors; with the aliases written out, as all that is done with the data must stay bounded. */
const maxValues = 2_000_000;
/** Deeper than any configuration, and shallow enough for every recursion over it, also with the aliases written out. */
export const maxLevels = 32;
export const tooDeep = `expected at most ${maxLevels} levels of lists and mappings inside each other`;
/** The parser's offset of what is not there. */
const absent = -1;

/** Puts a parser's events together to data that knows its places. Keys are the texts that were written. */
export class Composer {
  readonly #text: string;
  readonly #events: readonly Event[];
  readonly #complain: Complain;
  readonly #anchors = new Map<string, Anchored>();
  #next = 0;
  #offset = 0;
  #values = 0;
  /** The deepest level inside the value that is being read. */
  #deepest = 0;

  constructor(text: string, events: readonly Event[], complain: Complain) {
    this.#text = text;
    this.#events = events;
    this.#complain = complain;
  }

  /** The only document; undefined if there is none. */
  document(): Node | undefined {
    this.#next++;
    const event = this.#take();
    const root = event && this.#node(event, []);
    this.#next += 2;
    const another = this.#take();
    if (another) this.#complain(this.#offset, 'expected one document');
    return root;
  }

  /** The next value or key; undefined at the end of what it would be in. */
  #take(): ValueEvent | undefined {
    const event = this.#events[this.#next++];
    if (!event || event.type === EVENT_ID.POP || event.type === EVENT_ID.DOCUMENT) return undefined;
    const offset = startOf(event);
    if (offset !== absent) this.#offset = offset;
    return event;
  }

  #node(event: ValueEvent, path: Path): Node {
    const offset = this.#offset;
    if (event.type === EVENT_ID.ALIAS) return { ...this.#named(event, path), offset };
    const outside = { values: this.#values, deepest: this.#deepest };
    this.#count(1);
    this.#deepest = path.length;
    if (event.tagStart !== absent) {
      this.#complain(offset, 'expected no tag; what is meant as a text goes in quotes', path);
    }
    const node = this.#contents(event, path, offset);
    if (event.anchorStart !== absent) {
      const name = this.#text.slice(event.anchorStart, event.anchorEnd);
      const levels = this.#deepest - path.length;
      this.#anchors.set(name, { node, values: this.#values - outside.values, levels });
    }
    this.#deepest = Math.max(this.#deepest, outside.deepest);
    return node;
  }

  #contents(event: Exclude<ValueEvent, AliasEvent>, path: Path, offset: number): Node {
    if (event.type === EVENT_ID.SCALAR) {
      const source = getScalarValue(this.#text, event);
      const value = valueOf(event, source);
      return value === source || source === '' ? { offset, value } : { offset, value, source };
    }
    if (event.type === EVENT_ID.SEQUENCE) {
      const items = this.#items(path);
      return { offset, value: items.map(({ value }) => value), items };
    }
    const entries = this.#entries(path);
    const value = Object.fromEntries(entries.entries().map(([key, { node }]) => [key, node.value]));
    return { offset, value, entries };
  }

  #items(path: Path): readonly Node[] {
    const items: Node[] = [];
    for (let event = this.#take(); event; event = this.#take()) items.push(this.#node(event, [...path, items.length]));
    return items;
  }

  #entries(path: Path): ReadonlyMap<string, KeyedNode> {
    const entries = new Map<string, KeyedNode>();
    let merged: Node | undefined;
    for (let event = this.#take(); event; event = this.#take()) {
      const keyOffset = this.#offset;
      const key = this.#key(event, path);
      const inside = [...path, key];
      const isMerge = isMergeKey(event, key);
      if (isMerge ? merged : entries.has(key)) this.#complain(keyOffset, 'this key is there twice', inside);
      const value = this.#take();
      if (!value) continue;
      const node = this.#node(value, inside);
      if (isMerge) merged = node;
      else entries.set(key, { keyOffset, node });
    }
    if (merged) this.#merge(merged, entries, path);
    return entries;
  }

  /** What `<<` names fills in the keys that are missing; of several mappings the first that has a key counts. */
  #merge(merged: Node, entries: Map<string, KeyedNode>, path: Path): void {
    for (const { offset, entries: more } of merged.items ?? [merged]) {
      if (!more) this.#complain(offset, 'expected a mapping to take keys from, or a list of mappings', [...path, '<<']);
      const missing = more?.entries().filter(([key]) => !entries.has(key)) ?? [];
      for (const [key, entry] of missing) entries.set(key, entry);
    }
  }

  #key(event: ValueEvent, path: Path): string {
    if (event.type === EVENT_ID.SCALAR) return getScalarValue(this.#text, event);
    this.#complain(this.#offset, 'expected a text before the colon', path);
    this.#node(event, path);
    return '';
  }

  /** What an alias stands for. Anchors are known once their value is complete: nothing is inside itself. */
  #named({ anchorStart, anchorEnd }: AliasEvent, path: Path): Node {
    const name = this.#text.slice(anchorStart, anchorEnd);
    const anchored = this.#anchors.get(name);
    if (!anchored) {
      this.#complain(this.#offset, `expected the name of a value above; there is no &${name}`, path);
      // As a mapping, so that `<<` has nothing more to say of it.
      return { offset: this.#offset, value: null, entries: new Map() };
    }
    this.#count(anchored.values);
    const deepest = path.length + anchored.levels;
    this.#deepest = Math.max(this.#deepest, deepest);
    if (deepest > maxLevels) this.#complain(this.#offset, tooDeep, path);
    return anchored.node;
  }

  /** Complains once, where it becomes too much. */
  #count(values: number): void {
    const isEnough = this.#values <= maxValues;
    this.#values += values;
    if (isEnough && this.#values > maxValues) {
      this.#complain(this.#offset, `expected at most ${maxValues} values, with the aliases written out`);
    }
  }
}

/** Where a value begins, with its quote or star; `absent` if it is left out. */
function startOf(event: ValueEvent): number {
  if (event.type === EVENT_ID.ALIAS) return event.anchorStart - 1;
  if (event.type !== EVENT_ID.SCALAR) return event.start;
  const { style, valueStart, indent } = event;
  if (style === SCALAR_STYLE.PLAIN) return valueStart;
  const isQuoted = style === SCALAR_STYLE.SINGLE_QUOTED || style === SCALAR_STYLE.DOUBLE_QUOTED;
  return isQuoted ? valueStart - 1 : valueStart + indent;
}

/** The merge key of YAML 1.1; in quotes it is a key like any other. */
function isMergeKey(event: ValueEvent, key: string): boolean {
  return key === '<<' && event.type === EVENT_ID.SCALAR && event.style === SCALAR_STYLE.PLAIN;
}

/** YAML 1.2.2, section 10.3.2: null, true, 8080 and 1.5 are what they look like, unless they are in quotes. */
const plainTags = [nullCoreTag, boolCoreTag, intCoreTag, floatCoreTag];

function valueOf({ style }: ScalarEvent, text: string): unknown {
  if (style !== SCALAR_STYLE.PLAIN) return text;
  for (const tag of plainTags) {
    const value = tag.resolve(text, false, tag.tagName);
    if (value !== NOT_RESOLVED) return value;
  }
  return text;
}
