import type { CheckContext, Progress } from '../../core/check.ts';
import type { JsonObject } from '../../core/outcome.ts';
import type { Hop } from './trace.ts';

const nameWaitMs = 2000;

/** Tells of hops in their order as they become known, with their names where these are wanted. */
export class HopReport {
  readonly #context: CheckContext;
  readonly #withNames: boolean;
  readonly #names = new Map<string, Promise<string | undefined>>();
  #told: Promise<void> = Promise.resolve();

  constructor(context: CheckContext, { names }: { readonly names: boolean }) {
    this.#context = context;
    this.#withNames = names;
  }

  show(hop: Hop): void {
    for (const address of hop.addresses) if (this.#withNames && !this.#names.has(address)) this.#lookUp(address);
    this.#told = this.#told.then(async () => this.#context.onProgress?.(progressOf(hop, await this.namesOf(hop))));
  }

  /** Resolves when everything shown has been told. */
  finish(): Promise<void> {
    return this.#told;
  }

  /** Names by address; only those that have one. */
  async namesOf({ addresses }: Hop): Promise<Readonly<Record<string, string>>> {
    const names = await Promise.all(
      addresses.map(async (address) => [address, await this.#names.get(address)] as const),
    );
    return Object.fromEntries(names.flatMap(([address, name]) => (name === undefined ? [] : [[address, name]])));
  }

  #lookUp(ip: string): void {
    const { net, signal } = this.#context;
    const family = ip.includes(':') ? 6 : 4;
    // A name is an extra: without an answer in time, or at all, the address stands alone.
    const wait = AbortSignal.any([signal, AbortSignal.timeout(nameWaitMs)]);
    const name = net.reverse({ ip, family }, { signal: wait }).catch(() => undefined);
    this.#names.set(ip, name);
  }
}

/** `2  10.90.2.2  0.06 ms  0.05 ms  *` */
function progressOf(hop: Hop, names: Readonly<Record<string, string>>): Progress {
  const who = hop.addresses.map((address) => (names[address] ? `${names[address]} (${address})` : address));
  const rtts = hop.rttsMs.map((rttMs) => (rttMs === null ? '*' : `${rttMs.toFixed(2)} ms`));
  const parts = [String(hop.hop).padStart(2), who.join(', ') || 'no answer', ...(who.length > 0 ? rtts : [])];
  const text = `${parts.join('  ')}${hop.error ? `  (${hop.error})` : ''}`;
  return { text, detail: describeHop(hop, names) };
}

/** A hop as results keep it. */
export function describeHop(hop: Hop, names: Readonly<Record<string, string>>): JsonObject {
  const lost = hop.rttsMs.filter((rttMs) => rttMs === null).length;
  return {
    ...hop,
    lossPercent: Math.round((100 * lost) / hop.rttsMs.length),
    ...(Object.keys(names).length > 0 && { names }),
  };
}
