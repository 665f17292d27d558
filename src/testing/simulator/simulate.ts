import { Chaos } from './chaos.ts';
import { monitorNumber } from './monitors.ts';
import { countImmediates } from './settled.ts';
import { Simulation } from './simulation.ts';
import { World, type Finding } from './world.ts';

export interface SimulationOptions {
  readonly seed: number;
  readonly hours: number;
  /** How long trouble and the rest after it last. */
  readonly minutes?: { readonly trouble: number; readonly rest: number };
  /** The mean time from one fault to the next. */
  readonly faultEveryMs?: number;
  /** Kinds of faults; all unless given. */
  readonly only?: readonly string[];
  readonly onTrace?: (line: string) => void;
}

export interface SimulationReport {
  readonly seed: number;
  readonly hours: number;
  readonly faults: ReadonlyMap<string, number>;
  readonly findings: readonly Finding[];
  readonly traceHash: string;
  readonly recorded: number;
}

const agents = 3;
const monitorsOfAll = 20;
const hourMs = 3_600_000;
const minuteMs = 60_000;
const usual = { minutes: { trouble: 10, rest: 5 }, faultEveryMs: 10_000 };

/** In every so many seeds tasks run at any moment; in the others in a small part of each minute. */
const spreadEach = 5;
const bunched = 0.02;

/** Simulates so many hours of a server with three agents: trouble, then rest, again and again, until something is found. */
export async function simulate(options: SimulationOptions): Promise<SimulationReport> {
  const { seed, hours, minutes, faultEveryMs, only, onTrace } = { ...usual, ...options };
  using _counting = countImmediates();
  const world = new World(seed, onTrace);
  if (seed % spreadEach !== 0) world.phases = bunched;
  const simulation = new Simulation(world);
  simulation.server.monitors = [
    ...Array.from({ length: monitorsOfAll }, (_, index) =>
      monitorNumber(index + 1, index % 10 === 0 ? 30_000 : 60_000),
    ),
    { ...monitorNumber(90, 60_000), agents: ['seat-1'] },
    { ...monitorNumber(91, 60_000), agents: ['seat-2', 'seat-3'] },
  ];
  simulation.server.boot();
  await world.run(1000);
  for (let seat = 1; seat <= agents; seat++) void simulation.administrator.join(simulation.addMachine(`seat-${seat}`));
  await world.run(minutes.rest * minuteMs);
  simulation.check();
  do {
    const chaos = new Chaos(simulation, { everyMs: faultEveryMs, only });
    await world.run(minutes.trouble * minuteMs);
    chaos.stop();
    simulation.mend();
    await world.run(minutes.rest * minuteMs);
    simulation.check();
  } while (world.nowMs < hours * hourMs && world.findings.length === 0);
  return {
    seed,
    hours: world.nowMs / hourMs,
    faults: world.faults,
    findings: world.findings,
    traceHash: world.traceHash(),
    recorded: simulation.entries.recordedCount,
  };
}
