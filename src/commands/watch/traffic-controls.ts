import type { Peer } from '../../core/record.ts';

/** What the table may be sorted by. */
export const orders = {
  '2s': { words: 'in the last 2 s', rank: 'rate2' },
  '10s': { words: 'in the last 10 s', rank: 'rate10' },
  '40s': { words: 'in the last 40 s', rank: 'rate40' },
  total: { words: 'since the start', rank: 'wire' },
} as const;
export type TrafficOrder = keyof typeof orders;

const orderNames: readonly TrafficOrder[] = ['2s', '10s', '40s', 'total'];
const maxFilterCharacters = 60;
const pageRows = 10;

const escape = '\u001b';
/** Of xterm and of terminals in application mode. */
const keyNames: Readonly<Record<string, string>> = {
  [`${escape}[A`]: 'up',
  [`${escape}OA`]: 'up',
  [`${escape}[B`]: 'down',
  [`${escape}OB`]: 'down',
  [`${escape}[5~`]: 'page up',
  [`${escape}[6~`]: 'page down',
  '\u0003': 'Ctrl-C',
  '\r': 'enter',
  '\n': 'enter',
  '\u007f': 'backspace',
  '\b': 'backspace',
  [escape]: 'escape',
};

// oxlint-disable-next-line no-control-regex -- the keys that a terminal sends as several characters begin with Escape
const oneKey = /\u001b\[[\d;]*[A-Za-z~]|\u001bO[A-Za-z]|[^]/gu;

/** The keys in what a terminal sent: single characters, and names for those that have none. */
export function keysIn(text: string): readonly string[] {
  return Array.from(text.matchAll(oneKey), ([key]) => keyNames[key] ?? key);
}

/** The keys and what they do, for the help. */
export const keyHelp = [
  'q        ends it, as Ctrl-C does',
  'space    freezes the table, and goes on',
  's        sorts by the next column',
  '/        shows only peers with this text: type, Enter; Esc takes it back',
  'arrows   scroll, with Page Up and Page Down by ten',
  'b        bits or bytes a second',
  'p        services that were used',
  '?        this help',
] as const;

/** What the keys have set so far. */
export class TrafficControls {
  order: TrafficOrder;
  isFrozen = false;
  isOver = false;
  hasHelp = false;
  hasServices = false;
  unit: 'bits' | 'bytes' = 'bits';
  /** Lower case; empty shows all. */
  filter = '';
  /** The filter is being typed. */
  isTyping = false;
  /** Number of the first peer shown, from 0. */
  first = 0;

  constructor(order: TrafficOrder) {
    this.order = order;
  }

  press(key: string): void {
    if (key === 'Ctrl-C') this.isOver = true;
    else if (this.isTyping) this.#type(key);
    else this.#command(key);
  }

  /** True for a peer that the filter lets through. */
  shows({ address, interface: device, class: peerClass, names = [], mac = '' }: Peer): boolean {
    const texts = [address, device, peerClass, mac, ...names.map(({ name }) => name)];
    return this.filter === '' || texts.some((text) => text.toLowerCase().includes(this.filter));
  }

  #type(key: string): void {
    if (key === 'enter') this.isTyping = false;
    else if (key === 'escape') this.#setFilter('', false);
    else if (key === 'backspace') this.#setFilter(this.filter.slice(0, -1), true);
    else if (/^[!-~]$/.test(key)) this.#setFilter(this.filter + key.toLowerCase(), true);
  }

  #setFilter(filter: string, isTyping: boolean): void {
    this.filter = filter.slice(0, maxFilterCharacters);
    this.isTyping = isTyping;
    this.first = 0;
  }

  #command(key: string): void {
    const commands: Readonly<Record<string, () => void>> = {
      q: () => (this.isOver = true),
      ' ': () => (this.isFrozen = !this.isFrozen),
      s: () => (this.order = orderNames[(orderNames.indexOf(this.order) + 1) % orderNames.length] ?? '2s'),
      '/': () => this.#setFilter('', true),
      b: () => (this.unit = this.unit === 'bits' ? 'bytes' : 'bits'),
      p: () => (this.hasServices = !this.hasServices),
      '?': () => (this.hasHelp = !this.hasHelp),
      escape: () => this.#setFilter('', false),
      up: () => this.#scroll(-1),
      down: () => this.#scroll(1),
      'page up': () => this.#scroll(-pageRows),
      'page down': () => this.#scroll(pageRows),
    };
    if (Object.hasOwn(commands, key)) commands[key]?.();
  }

  #scroll(by: number): void {
    this.first = Math.max(0, this.first + by);
  }
}
