import { wait, type Provider, type Targets } from './stage.ts';

/** Both are asked to look this often, and to believe a failure after three looks. */
export const intervalMs = 2000;
export const children = ['child-1', 'child-2', 'child-3', 'child-4', 'child-5'] as const;
export const monitors = ['web', 'parent', ...children] as const;

/** What an outage script does to whoever is compared. */
export interface Contender {
  restart(): Promise<void>;
  /** Tells nobody of `web` for so long. */
  silence(ms: number): Promise<void>;
  killResolver(): Promise<void>;
  startResolver(): Promise<void>;
}

export interface Stand {
  readonly targets: Targets;
  readonly provider: Provider;
  readonly contender: Contender;
}

export interface Outage {
  readonly name: string;
  /** What people should hear, each once: `web down`. */
  readonly expected: readonly string[];
  /** Messages that are enough; more than that are a storm. */
  readonly enough: number;
  /** What is looked for by name needs the resolver. */
  readonly byName?: boolean;
  run(stand: Stand): Promise<void>;
}

const outageMs = 30_000;
/** Time to hear of the end. */
const settleMs = 25_000;

async function breakFor(names: readonly string[], ms: number, { targets }: Stand): Promise<void> {
  for (const name of names) targets.broken.add(name);
  await wait(ms);
  for (const name of names) targets.broken.delete(name);
}

const once = ['web down', 'web up'];

export const outages: readonly Outage[] = [
  {
    name: 'blip: one look fails',
    expected: [],
    enough: 0,
    run: (stand) => breakFor(['web'], intervalMs, stand),
  },
  { name: 'outage of 30 s', expected: once, enough: 2, run: (stand) => breakFor(['web'], outageMs, stand) },
  {
    name: 'flapping: 8 s down, 8 s up, eight times',
    expected: once,
    enough: 4,
    async run(stand) {
      for (let turn = 0; turn < 8; turn++) {
        await breakFor(['web'], 8000, stand);
        await wait(8000);
      }
      await wait(settleMs);
    },
  },
  {
    name: 'parent and its five children down',
    expected: ['parent down', 'parent up'],
    enough: 2,
    run: (stand) => breakFor(['parent', ...children], outageMs, stand),
  },
  {
    name: 'resolver dead for 30 s',
    expected: [],
    enough: 2,
    byName: true,
    async run({ contender }) {
      await contender.killResolver();
      await wait(outageMs);
      await contender.startResolver();
    },
  },
  {
    name: 'server restarted in the middle',
    expected: once,
    enough: 2,
    async run(stand) {
      stand.targets.broken.add('web');
      await wait(15_000);
      await stand.contender.restart();
      await wait(15_000);
      stand.targets.broken.delete('web');
    },
  },
  {
    name: 'provider answers 429 for 60 s, outage of 30 s in it',
    expected: [],
    enough: 2,
    async run(stand) {
      stand.provider.isRefusing = true;
      await breakFor(['web'], outageMs, stand);
      await wait(30_000);
      stand.provider.isRefusing = false;
    },
  },
  {
    name: 'provider answers 429 for 60 s, outage goes on',
    expected: once,
    enough: 2,
    async run(stand) {
      stand.provider.isRefusing = true;
      stand.targets.broken.add('web');
      await wait(60_000);
      stand.provider.isRefusing = false;
      await wait(outageMs);
      stand.targets.broken.delete('web');
    },
  },
  {
    name: 'silence over a whole outage',
    expected: [],
    enough: 0,
    async run(stand) {
      await stand.contender.silence(60_000);
      await breakFor(['web'], outageMs, stand);
      await wait(30_000);
    },
  },
  {
    name: 'silence ends before the outage does',
    expected: once,
    enough: 2,
    async run(stand) {
      await stand.contender.silence(60_000);
      await breakFor(['web'], 90_000, stand);
    },
  },
];

export async function play(outage: Outage, stand: Stand): Promise<void> {
  await outage.run(stand);
  await wait(settleMs);
}
