import type { Peer } from '../../core/record.ts';
import type { TrafficObserver } from '../../sensors/traffic/observer.ts';
import { trafficInterface } from '../../sensors/traffic/traffic-record.ts';
import type { TrafficPicture } from '../../terminal/traffic-view.ts';
import { keyHelp, orders, type TrafficControls } from './traffic-controls.ts';

type Numbers = Pick<Peer, 'wire' | 'rate2' | 'rate10' | 'rate40'>;

/** A peer's numbers; what else is known of it is made for those that are shown. */
interface Counted extends Numbers {
  readonly describe: () => Peer;
}

/** What there is to show, live or as it was when the table was frozen. */
export class PeerSource {
  readonly #observer: TrafficObserver;
  readonly #only: string | undefined;
  #frozen: readonly Counted[] | undefined;

  constructor(observer: TrafficObserver, only: string | undefined) {
    this.#observer = observer;
    this.#only = only;
  }

  peers(isFrozen: boolean): readonly Counted[] {
    if (!isFrozen) this.#frozen = undefined;
    else this.#frozen ??= this.#live().map(keep);
    return this.#frozen ?? this.#live();
  }

  picture(controls: TrafficControls, rows: number): Omit<TrafficPicture, 'notices'> {
    const shown = this.peers(controls.isFrozen).filter(
      ({ describe }) => controls.filter === '' || controls.shows(describe()),
    );
    controls.first = Math.min(controls.first, Math.max(0, shown.length - 1));
    const { words, rank } = orders[controls.order];
    const sorted = shown.toSorted((one, other) => sum(other[rank]) - sum(one[rank]));
    const peers = sorted.slice(controls.first, controls.first + rows).map(({ describe }) => describe());
    const { interfaces } = this.#observer;
    const named = interfaces.filter(({ name, addresses }) =>
      this.#only === undefined ? addresses.length > 0 : name === this.#only,
    );
    return {
      interfaces: named.map(trafficInterface),
      peers,
      first: controls.first,
      all: { peers: shown.length, ...totalOf(shown) },
      order: words,
      unit: controls.unit,
      ...(controls.hasServices && { servicesOf: this.#observer.servicesOf }),
      ...(controls.hasHelp && { help: keyHelp }),
      state: stateOf(controls),
    };
  }

  #live(): readonly Counted[] {
    const observer = this.#observer;
    return Array.from(observer.peersOn(this.#only), (peer) => ({
      wire: [...peer.wire],
      ...observer.ratesOf(peer),
      describe: () => observer.describe(peer),
    }));
  }
}

function keep({ describe, ...numbers }: Counted): Counted {
  const peer = describe();
  return { ...numbers, describe: () => peer };
}

function stateOf({ filter, isTyping, isFrozen }: TrafficControls): string {
  const typed = isTyping ? `/${filter}_ (Enter, Esc)` : `only "${filter}"`;
  return [isFrozen && 'frozen', (isTyping || filter !== '') && typed].filter(Boolean).join(', ');
}

function sum([sent, received]: readonly [number, number]): number {
  return sent + received;
}

function totalOf(counted: readonly Numbers[]): Numbers {
  const total: Numbers = { wire: [0, 0], rate2: [0, 0], rate10: [0, 0], rate40: [0, 0] };
  for (const numbers of counted)
    for (const key of ['wire', 'rate2', 'rate10', 'rate40'] as const) {
      total[key][0] += numbers[key][0];
      total[key][1] += numbers[key][1];
    }
  return total;
}
